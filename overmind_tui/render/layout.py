"""Names of the parts of the missions screen, and what is said where a terminal has no room for any."""

from __future__ import annotations

from enum import StrEnum

from overmind_core.view.screen_shape import SMALLEST

NARROW = 100
"""Columns below which parts of a view stand above each other, or take turns."""


class Panel(StrEnum):
    """A part of the main screen that can have the keys; all but the list and the question are faces of its panel."""

    TABLE = "missions"
    QUESTION = "question"
    LOG = "logs"
    DIFF = "diff"
    TERMINAL = "terminal"
    STATS = "stats"
    NOTES = "notes"


def too_small(width: int, height: int, way: str) -> tuple[str, ...]:
    """What is said instead of everything in a terminal that is too small; `way`: out of it."""
    return f"{width}x{height}: too small", f"overmind needs {SMALLEST[0]}x{SMALLEST[1]}", way
