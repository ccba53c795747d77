"""Notifications: who is called, and when."""
