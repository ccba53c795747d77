"""Overmind's core: missions that never get lost."""
