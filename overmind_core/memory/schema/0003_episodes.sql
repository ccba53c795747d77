-- What runs of agents did: `data` is the JSON of the episode, `text` what is searched of it, in small letters. `out` is
-- how far its log was read, of one with a log that can be read; `proposed` counts its lessons that were proposed.
CREATE TABLE episodes (
    row INTEGER PRIMARY KEY,
    mission TEXT NOT NULL,
    run INTEGER NOT NULL,
    name TEXT NOT NULL,
    repository TEXT NOT NULL,
    at REAL NOT NULL,
    out INTEGER,
    ended INTEGER NOT NULL,
    proposed INTEGER NOT NULL,
    data TEXT NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (mission, run)
);
CREATE INDEX episodes_of ON episodes (repository, at);
CREATE INDEX episodes_by_time ON episodes (at);
CREATE INDEX episodes_open ON episodes (row) WHERE NOT ended;

-- Lessons that were proposed once: a hash of the repository, the command and its error.
CREATE TABLE lessons (key TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
