"""Isolated missions: what each has of its own is made before it starts, kept while it lives, and taken away again."""
