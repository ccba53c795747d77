"""Watching missions that run: their health, whether agents lose their way, and how it goes altogether."""
