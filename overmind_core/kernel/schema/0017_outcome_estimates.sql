-- 1: a part of what an attempt has cost is at a person's prices.
ALTER TABLE outcomes ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0;
