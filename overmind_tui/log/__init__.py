"""Logs: read, searched, filtered, shown."""
