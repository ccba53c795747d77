-- `request`: the caller's key, by which one that asks again is told what came of the first. `tip`: of the mission's branch.
ALTER TABLE landings ADD COLUMN request TEXT;
ALTER TABLE landings ADD COLUMN tip TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX landings_request ON landings (request) WHERE request IS NOT NULL;
