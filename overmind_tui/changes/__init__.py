"""The page of a mission's changes."""
