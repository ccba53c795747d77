"""Rows, words and tones of missions, plans, quests and all else. Pure, the same on every screen."""
