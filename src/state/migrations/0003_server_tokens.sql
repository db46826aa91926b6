-- Credentials for servers that workspaces name, sealed.
CREATE TABLE server_token (
    workspace_id BIGINT NOT NULL,
    entry_id BIGINT NOT NULL,
    sealed TEXT NOT NULL,
    PRIMARY KEY (workspace_id, entry_id)
);
