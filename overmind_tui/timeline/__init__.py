"""The timeline of a quest, a spec or a mission."""
