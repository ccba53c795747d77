"""Cortex: the server with which a team keeps its notes in step. Knows nothing of missions."""
