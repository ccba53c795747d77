-- Notes: their versions and votes, which never change, and what is derived from those.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- `data` is the JSON of the value. What is read row by row from a damaged file are these two tables.
CREATE TABLE versions (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, note TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX versions_of ON versions (note);
CREATE TABLE votes (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, note TEXT NOT NULL, voter TEXT NOT NULL, data TEXT NOT NULL
);
CREATE INDEX votes_of ON votes (note, voter);

CREATE TABLE scopes (
    row INTEGER PRIMARY KEY, kind TEXT NOT NULL, place TEXT NOT NULL, notes INTEGER NOT NULL DEFAULT 0,
    UNIQUE (kind, place)
);

-- Each note as its versions and votes make it: `data` is the JSON of the fold, but for its text. `fingerprint` is that
-- of the text with its blanks folded; `parts` are the words within its identifiers; `mission` is the one that wrote it.
CREATE TABLE notes (
    row INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    kind TEXT NOT NULL,
    scope INTEGER NOT NULL REFERENCES scopes (row),
    key TEXT NOT NULL,
    mission TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    pinned INTEGER NOT NULL,
    rests INTEGER NOT NULL,
    conflicts INTEGER NOT NULL,
    tags TEXT NOT NULL,
    files TEXT NOT NULL,
    created_at REAL NOT NULL,
    edited_at REAL NOT NULL,
    used INTEGER NOT NULL DEFAULT 0,
    used_at REAL,
    text TEXT NOT NULL,
    parts TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX notes_alike ON notes (scope, fingerprint);
CREATE INDEX notes_by_key ON notes (scope, key) WHERE key <> '';
CREATE INDEX notes_by_mission ON notes (mission) WHERE mission <> '';
CREATE INDEX notes_in ON notes (scope, state, edited_at);
CREATE INDEX notes_pinned ON notes (scope) WHERE pinned;

-- What can be found.
CREATE VIEW findable AS SELECT row, text, parts FROM notes WHERE state IN ('proposed', 'live');
CREATE VIRTUAL TABLE words USING fts5 (
    text, parts, content = 'findable', content_rowid = 'row', tokenize = 'porter unicode61'
);

-- The words of what can be found, with the number of notes that have each, for spelling; `hash` is one of a word with a
-- letter or two left out.
CREATE TABLE vocabulary (row INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE, notes INTEGER NOT NULL);
CREATE TABLE spelling (hash INTEGER NOT NULL, word INTEGER NOT NULL, PRIMARY KEY (hash, word)) WITHOUT ROWID;
-- The stems of a scope's words, with the number of its notes that have each, for the choice of what is given.
CREATE TABLE stems (
    scope INTEGER NOT NULL, stem TEXT NOT NULL, notes INTEGER NOT NULL, PRIMARY KEY (scope, stem)
) WITHOUT ROWID;

-- What was given, by conversation: the same bytes each time. `head` and `beside` are lines as they were given.
CREATE TABLE given (
    row INTEGER PRIMARY KEY,
    conversation TEXT NOT NULL UNIQUE,
    mission TEXT NOT NULL,
    at REAL NOT NULL,
    tokens INTEGER NOT NULL,
    left_out INTEGER NOT NULL,
    purged INTEGER NOT NULL DEFAULT 0,
    block TEXT NOT NULL
);
CREATE INDEX given_to ON given (mission);
CREATE TABLE given_notes (
    given INTEGER NOT NULL REFERENCES given (row) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    note TEXT NOT NULL,
    version TEXT NOT NULL,
    why TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (given, place)
) WITHOUT ROWID;
CREATE INDEX given_notes_of ON given_notes (note);
CREATE TABLE given_runs (
    mission TEXT NOT NULL,
    run INTEGER NOT NULL,
    given INTEGER NOT NULL REFERENCES given (row) ON DELETE CASCADE,
    PRIMARY KEY (mission, run)
) WITHOUT ROWID;
CREATE INDEX given_runs_of ON given_runs (given);

-- Requests that were answered, for those who repeat them; no text of a note.
CREATE TABLE requests (key TEXT PRIMARY KEY, at REAL NOT NULL, answer TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX requests_by_time ON requests (at);

-- Purges that have begun: each is finished before anything is read.
CREATE TABLE purges (note TEXT PRIMARY KEY, at REAL NOT NULL, by TEXT NOT NULL) WITHOUT ROWID;

-- How a checkout was called last: it may gain a remote, and its notes a repository of that name.
CREATE TABLE checkouts (folder TEXT PRIMARY KEY, repository TEXT NOT NULL) WITHOUT ROWID;
