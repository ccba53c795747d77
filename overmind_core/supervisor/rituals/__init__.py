"""Rituals: work that comes again by a schedule, and the runs that came of it."""
