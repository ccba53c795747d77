-- No reference to missions: what was done stays told after the mission that did it is removed.
CREATE TABLE quests (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    live INTEGER NOT NULL,
    status TEXT NOT NULL,
    created_at REAL NOT NULL,
    ended_at REAL,
    record TEXT NOT NULL
);
CREATE INDEX quests_name ON quests (name);
CREATE INDEX quests_live ON quests (created_at, id) WHERE live = 1;
CREATE INDEX quests_created ON quests (created_at, id);
CREATE TABLE rituals (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL
);
CREATE TABLE ritual_environments (
    ritual TEXT PRIMARY KEY NOT NULL REFERENCES rituals (id) ON DELETE CASCADE,
    data TEXT NOT NULL
);
CREATE TABLE ritual_runs (
    ritual TEXT NOT NULL REFERENCES rituals (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    open INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (ritual, number)
) WITHOUT ROWID;
