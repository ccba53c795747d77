-- Quests that wait for their turn, specs, what agents report, and questions that no conversation asks.
ALTER TABLE quests ADD COLUMN spec TEXT;
CREATE INDEX quests_spec ON quests (spec, id) WHERE spec IS NOT NULL;
-- `need` outlives its own quest's removal from memory, never the quest that has it.
CREATE TABLE quest_needs (
    quest TEXT NOT NULL REFERENCES quests (id) ON DELETE CASCADE,
    need TEXT NOT NULL,
    PRIMARY KEY (quest, need)
) WITHOUT ROWID;
CREATE INDEX quest_needs_need ON quest_needs (need, quest);
-- What is to run, and in which environment: of a quest until its first lease makes it the mission's, of a spec until it
-- is archived. Holds secrets, as `environments` does.
CREATE TABLE work_environments (
    owner TEXT PRIMARY KEY NOT NULL,
    data TEXT NOT NULL
);
CREATE TABLE specs (
    id TEXT PRIMARY KEY NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    repository TEXT NOT NULL,
    archived INTEGER NOT NULL,
    record TEXT NOT NULL
);
CREATE TABLE spec_phases (
    spec TEXT NOT NULL REFERENCES specs (id) ON DELETE CASCADE,
    phase TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (spec, phase)
) WITHOUT ROWID;
CREATE TABLE reports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    spec TEXT,
    hash TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX reports_source ON reports (source, id);
CREATE INDEX reports_hash ON reports (hash);
CREATE TABLE outcomes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    quest TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    type TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT,
    spec TEXT,
    class TEXT,
    cost_usd REAL,
    seconds REAL NOT NULL,
    UNIQUE (quest, attempt)
);
CREATE TABLE lessons (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository TEXT NOT NULL,
    state TEXT NOT NULL,
    helped INTEGER NOT NULL,
    hurt INTEGER NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX lessons_repository ON lessons (repository, state);
-- A question may be about a quest, a spec or the queue as well, asked by no conversation. Numbers stay.
CREATE TABLE questions_rebuilt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    mission TEXT REFERENCES missions (id) ON DELETE CASCADE,
    run TEXT,
    about TEXT NOT NULL DEFAULT 'mission',
    about_id TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL,
    asked_at REAL NOT NULL,
    answered_at REAL,
    by TEXT,
    decision TEXT,
    asked TEXT NOT NULL
);
INSERT INTO questions_rebuilt (id, mission, run, about_id, state, asked_at, answered_at, by, decision, asked)
    SELECT id, mission, run, mission, state, asked_at, answered_at, by, decision, asked FROM questions;
-- The highest number that was ever given, also where its question was removed since.
DELETE FROM sqlite_sequence WHERE name = 'questions_rebuilt';
INSERT INTO sqlite_sequence (name, seq) SELECT 'questions_rebuilt', seq FROM sqlite_sequence WHERE name = 'questions';
DROP TABLE questions;
ALTER TABLE questions_rebuilt RENAME TO questions;
CREATE INDEX questions_mission ON questions (mission, id);
CREATE INDEX questions_about ON questions (about_id, id);
CREATE INDEX questions_open ON questions (asked_at, id) WHERE state = 'open';
