CREATE TABLE account (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    -- lower case, for uniqueness that ignores case
    folded TEXT NOT NULL UNIQUE,
    email TEXT,
    -- PHC string; an account without one cannot log in by password
    password TEXT,
    is_admin BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
