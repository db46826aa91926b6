-- Counts changes of the password: what was verified before a change makes nothing after it.
ALTER TABLE account ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
-- Made by a login at a provider: good as long as the provider's list of users has them.
ALTER TABLE account ADD COLUMN from_provider BIGINT NOT NULL DEFAULT 0;

-- Random secrets of scripts and of git; only digests are kept.
CREATE TABLE token (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- read, write or admin
    scope TEXT NOT NULL,
    -- SHA-256 in hexadecimal digits
    digest TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT
);
CREATE INDEX token_account ON token (account_id);

-- One login by signed tokens: as long as the row is there, its access tokens and its newest
-- refresh token are good.
CREATE TABLE login (
    family TEXT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    -- jti of the one refresh token that was not used yet
    refresh TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX login_account ON login (account_id);

-- Browser sessions; the id is a digest of the cookie's value.
CREATE TABLE session (
    id TEXT PRIMARY KEY,
    account_id BIGINT REFERENCES account (id) ON DELETE CASCADE,
    -- JSON object
    data TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_account ON session (account_id);

-- Who an account is elsewhere.
CREATE TABLE identity (
    provider TEXT NOT NULL,
    -- the number or name there that never changes
    subject TEXT NOT NULL,
    account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    login TEXT NOT NULL,
    -- JSON object, as the provider gave it
    profile TEXT NOT NULL,
    -- the provider's access token, sealed
    token TEXT NOT NULL,
    PRIMARY KEY (provider, subject)
);
CREATE INDEX identity_account ON identity (account_id);

-- Login attempts that were completed: each once.
CREATE TABLE used_attempt (
    nonce TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

-- Groups of accounts, which the DMP tool calls projects.
CREATE TABLE team (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE team_member (
    team_id BIGINT NOT NULL REFERENCES team (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    -- when they joined, in microseconds: the first group of an account is the oldest one
    since BIGINT NOT NULL,
    PRIMARY KEY (team_id, account_id)
);

-- What accounts and groups may do in workspaces beside the owner.
CREATE TABLE workspace_member (
    workspace_id BIGINT NOT NULL,
    account_id BIGINT REFERENCES account (id) ON DELETE CASCADE,
    team_id BIGINT REFERENCES team (id) ON DELETE CASCADE,
    -- reader, writer or admin
    role TEXT NOT NULL,
    UNIQUE (workspace_id, account_id),
    UNIQUE (workspace_id, team_id)
);

-- What happened to accounts and access; the id is a time in microseconds.
CREATE TABLE audit (
    id BIGINT PRIMARY KEY,
    actor TEXT,
    action TEXT NOT NULL,
    subject TEXT,
    address TEXT,
    detail TEXT
);
CREATE INDEX audit_actor ON audit (actor);
CREATE INDEX audit_action ON audit (action);
