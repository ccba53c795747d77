"""Terminals in a page: `/tty`, the bytes both ways, and how many may be on their way."""
