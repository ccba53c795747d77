"""Watching missions that run: their health, alignment, budgets and lessons."""
