"""Specs: all of them, the phases and tasks of one, its documents."""
