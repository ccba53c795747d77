"""Quests: work that is tried until it is done, watched from its start to its end."""
