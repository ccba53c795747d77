"""Quests: work that is to be done once."""
