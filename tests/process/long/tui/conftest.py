"""Fixtures of the room, for its long tests."""

from __future__ import annotations

from tests.process.tui.conftest import (
    album,
    alone,
    drawn_where_somebody_looks,
    om,
    opened,
    paced_by_events,
    panels_come_at_once,
    parsed_once,
    pictured,
    pictures,
    program,
    questions_are_read_at_once,
    session,
    shared_home,
    strips_remember_nothing,
    weighty_answers,
)

__all__ = [
    "album",
    "alone",
    "drawn_where_somebody_looks",
    "om",
    "opened",
    "paced_by_events",
    "panels_come_at_once",
    "parsed_once",
    "pictured",
    "pictures",
    "program",
    "questions_are_read_at_once",
    "session",
    "shared_home",
    "strips_remember_nothing",
    "weighty_answers",
]
