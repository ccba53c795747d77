"""The timeline of a quest, a spec or a mission: what happened to it, from the events that are kept."""
