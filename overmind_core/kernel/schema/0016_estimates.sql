-- 1: a part of what a turn has cost is at a person's prices.
ALTER TABLE costs ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0;

-- Of the tree: all tokens, whether somebody was warned of their limit, and what is known of its dollars.
ALTER TABLE budgets ADD COLUMN tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE budgets ADD COLUMN warned_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE budgets ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE budgets ADD COLUMN partial INTEGER NOT NULL DEFAULT 0;
