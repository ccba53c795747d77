"""Quests: what one is, what comes next for it, and whose turn it is."""
