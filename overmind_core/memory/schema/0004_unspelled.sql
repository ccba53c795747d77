-- Words of the vocabulary whose rows of `spelling` are still to be written: they lie far apart, so many words are
-- written together, in a quiet moment.
CREATE TABLE unspelled (word INTEGER PRIMARY KEY);

-- The few of a scope that are looked for by what they are.
CREATE INDEX notes_with_files ON notes (scope) WHERE files <> '[]';
CREATE INDEX notes_resting ON notes (scope) WHERE rests > 0;
CREATE INDEX notes_in_conflict ON notes (scope) WHERE conflicts > 0;
