"""The page of the queue: its slots, whose turn it is, and who lands."""
