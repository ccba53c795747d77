"""`overmind --headless`: the same core in the foreground, for CI; nothing of it survives."""
