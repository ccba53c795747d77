-- What keeps notes in step with a Cortex. How far it has been read, and where it is, stand in `meta`.

-- Versions and votes that are new, or changed their repository, since somebody looked whether they are to be sent; none
-- where there is no Cortex.
CREATE TABLE unseen (id TEXT PRIMARY KEY) WITHOUT ROWID;
-- Those that are to be sent: until they were read back.
CREATE TABLE to_send (id TEXT PRIMARY KEY) WITHOUT ROWID;
-- Notes of which anything was sent or received, or is to be sent.
CREATE TABLE shared_notes (note TEXT PRIMARY KEY) WITHOUT ROWID;
-- Repositories whose notes are sent.
CREATE TABLE shared_repositories (name TEXT PRIMARY KEY) WITHOUT ROWID;

CREATE TRIGGER unseen_version AFTER INSERT ON versions WHEN EXISTS (SELECT 1 FROM meta WHERE key = 'cortex')
BEGIN INSERT OR IGNORE INTO unseen (id) VALUES (new.id); END;
-- A purge empties versions: that is no news, the purge itself is.
CREATE TRIGGER unseen_change AFTER UPDATE OF data ON versions
WHEN json_extract(new.data, '$.content.text') <> '' AND EXISTS (SELECT 1 FROM meta WHERE key = 'cortex')
BEGIN INSERT OR IGNORE INTO unseen (id) VALUES (new.id); END;
CREATE TRIGGER unseen_vote AFTER INSERT ON votes WHEN EXISTS (SELECT 1 FROM meta WHERE key = 'cortex')
BEGIN INSERT OR IGNORE INTO unseen (id) VALUES (new.id); END;
