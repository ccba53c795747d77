-- The posts that this hive has claimed in its swarm, until the swarm was told their ends and has forgotten rewinds.
-- The session with that swarm is a fact in `meta`.
CREATE TABLE swarm_claims (
    post TEXT PRIMARY KEY NOT NULL,
    claim BLOB NOT NULL
) WITHOUT ROWID;
