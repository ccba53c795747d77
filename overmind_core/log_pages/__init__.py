"""Logs in pages: where each page stands on the disk, its lines, the newest ones, and which of them match a search."""
