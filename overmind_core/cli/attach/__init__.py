"""A mission's terminal on the person's own: bytes both ways, and a key to leave."""
