-- Who may use the web server. Of each secret there is its SHA-256 alone.
CREATE TABLE web_links (
    digest BLOB PRIMARY KEY NOT NULL,
    name TEXT,
    read_only INTEGER NOT NULL,
    lifetime REAL NOT NULL,
    made_at REAL NOT NULL,
    expires_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE web_accesses (
    name TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    key_digest BLOB,
    read_only INTEGER NOT NULL,
    browser TEXT NOT NULL,
    made_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    used_at REAL
) WITHOUT ROWID;
