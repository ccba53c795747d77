CREATE TABLE plans (
    mission TEXT PRIMARY KEY NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
    file TEXT NOT NULL,
    blueprint TEXT NOT NULL
);
-- A row for each agent: a plan of a thousand is not written anew with every step of one.
CREATE TABLE plan_nodes (
    mission TEXT NOT NULL REFERENCES plans (mission) ON DELETE CASCADE,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (mission, name)
) WITHOUT ROWID;
