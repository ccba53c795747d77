-- Whether an input is what the run is given of the notes: that text rests in its file alone, where a purge reaches it.
ALTER TABLE inputs ADD COLUMN notes INTEGER NOT NULL DEFAULT 0;
