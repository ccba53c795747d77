-- The message that an input types into a raw session; nothing for all other inputs.
ALTER TABLE inputs ADD COLUMN message INTEGER;
CREATE INDEX inputs_message ON inputs (run, seq) WHERE message IS NOT NULL;
-- Until now such a message was saved before its input: one that still waits was lost between the two, or has been typed.
UPDATE messages SET state = 'failed', ended_at = created_at, answer = '{"error":"exited"}'
    WHERE state = 'queued' AND mission IN (SELECT id FROM missions WHERE provider = 'raw');
