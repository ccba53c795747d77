-- No reference to missions: a worktree may outlive the mission that worked in it.
CREATE TABLE isolations (
    mission TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX isolations_name ON isolations (name);
CREATE TABLE ports (
    mission TEXT NOT NULL,
    service TEXT NOT NULL,
    port INTEGER NOT NULL,
    held INTEGER NOT NULL,
    PRIMARY KEY (mission, service)
) WITHOUT ROWID;
CREATE UNIQUE INDEX ports_held ON ports (port) WHERE held = 1;
CREATE TABLE trusted (
    path TEXT PRIMARY KEY NOT NULL,
    sha256 TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE TABLE landings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    repository TEXT NOT NULL,
    mission TEXT NOT NULL,
    name TEXT NOT NULL,
    branch TEXT NOT NULL,
    target TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL
);
CREATE INDEX landings_repository ON landings (repository, id);
