-- 0: nobody knows what it has cost; its tokens count.
ALTER TABLE costs ADD COLUMN priced INTEGER NOT NULL DEFAULT 1;
