-- Requests with a key, and how they were answered: a repetition gets the same answer.
CREATE TABLE keyed_requests (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    digest BLOB NOT NULL,
    answer BLOB
);
