"""Logins of the web: links, sessions and tokens."""
