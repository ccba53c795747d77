CREATE TABLE agents (
    mission TEXT PRIMARY KEY NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    definition TEXT NOT NULL
);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    mission TEXT NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    sender TEXT,
    request TEXT,
    created_at REAL NOT NULL,
    delivered_at REAL,
    ended_at REAL,
    resent INTEGER NOT NULL,
    answer TEXT,
    text TEXT NOT NULL
);
CREATE INDEX messages_mission ON messages (mission, id);
CREATE UNIQUE INDEX messages_request ON messages (request) WHERE request IS NOT NULL;
CREATE TABLE questions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    mission TEXT NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
    run TEXT NOT NULL,
    state TEXT NOT NULL,
    asked_at REAL NOT NULL,
    answered_at REAL,
    by TEXT,
    decision TEXT,
    asked TEXT NOT NULL
);
CREATE INDEX questions_mission ON questions (mission, id);
CREATE INDEX questions_open ON questions (asked_at, id) WHERE state = 'open';
-- What a run is to be given to read, until the keeper has taken it.
CREATE TABLE inputs (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (run, seq)
);
CREATE TABLE results (
    mission TEXT PRIMARY KEY NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
    raw TEXT NOT NULL
);
-- No reference to missions: what a removed one cost stays spent.
CREATE TABLE costs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    mission TEXT NOT NULL,
    name TEXT NOT NULL,
    labels TEXT NOT NULL,
    usd REAL NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    turns INTEGER NOT NULL
);
CREATE INDEX costs_at ON costs (at);
CREATE INDEX costs_mission ON costs (mission);
CREATE TABLE seen (
    mission TEXT PRIMARY KEY NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at REAL NOT NULL
);
