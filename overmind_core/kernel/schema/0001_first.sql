-- Large and opaque columns stand last, so that a scan of the others doesn't read their overflow pages.
CREATE TABLE missions (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    live INTEGER NOT NULL,
    hidden INTEGER NOT NULL,
    parent TEXT,
    type TEXT NOT NULL,
    provider TEXT NOT NULL,
    status TEXT NOT NULL,
    request TEXT,
    created_at REAL NOT NULL,
    ended_at REAL,
    record TEXT NOT NULL
);
CREATE UNIQUE INDEX missions_live_name ON missions (name) WHERE live = 1;
CREATE INDEX missions_name ON missions (name);
CREATE INDEX missions_live ON missions (created_at, id) WHERE live = 1;
CREATE INDEX missions_parent ON missions (parent) WHERE parent IS NOT NULL;
CREATE INDEX missions_ended ON missions (ended_at) WHERE live = 0;
CREATE UNIQUE INDEX missions_request ON missions (request) WHERE request IS NOT NULL;
CREATE TABLE runs (
    id TEXT PRIMARY KEY NOT NULL,
    mission TEXT NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    started_at REAL,
    ended_at REAL,
    swept INTEGER NOT NULL,
    state TEXT NOT NULL
);
CREATE UNIQUE INDEX runs_mission ON runs (mission, number);
CREATE INDEX runs_open ON runs (id) WHERE ended_at IS NULL OR swept = 0;
-- No reference to missions: what happened to a removed one stays told, and readers that resume find no hole.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    type TEXT NOT NULL,
    mission TEXT,
    run TEXT,
    data TEXT NOT NULL
);
CREATE INDEX events_mission ON events (mission, seq) WHERE mission IS NOT NULL;
CREATE TABLE environments (
    mission TEXT PRIMARY KEY NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
    data TEXT NOT NULL
);
CREATE TABLE cursors (
    run TEXT PRIMARY KEY NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    out INTEGER NOT NULL,
    err INTEGER NOT NULL,
    state TEXT NOT NULL
);
CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);
