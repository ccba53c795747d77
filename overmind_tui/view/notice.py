"""What was said in the bottom line goes away by and by, not at once."""

from __future__ import annotations

from overmind_tui.view.cells import Cell

STEPS = ((1.1, "faint"), (2.1, "quiet"))
"""Seconds that are left → how it looks."""


def faded(notice: Cell, left: float) -> Cell:
    """The notice as it looks with so many seconds left."""
    return next((Cell(notice.text, tone) for seconds, tone in STEPS if left < seconds), notice)
