-- Lessons are notes: a row of `lessons` waits here until memory has it, and then goes. So does whether what an attempt was
-- given of the notes has helped it.
CREATE TABLE attempt_votes (
    mission TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    run INTEGER NOT NULL,
    helped INTEGER NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (mission, attempt)
) WITHOUT ROWID;
