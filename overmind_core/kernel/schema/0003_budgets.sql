-- Kept as a sum, so that it holds after the missions that spent it were removed.
CREATE TABLE budgets (
    mission TEXT PRIMARY KEY NOT NULL REFERENCES missions (id) ON DELETE CASCADE,
    usd REAL NOT NULL,
    warned INTEGER NOT NULL
);
