"""What was flashed: it stands in the bottom line for a while, and what is worth reading again is kept."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from overmind_core.domain.moment import format_time
from overmind_tui.view import notice as notices
from overmind_tui.view import tables
from overmind_tui.view.cells import Cell, Row, safe

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

SECONDS = 5.0
"""How long it stands; twice that when it is bad."""
KEPT = 500
NOTHING = Cell("")


class Notice:
    """What stands in the bottom line now.

    Args:
        app: Whose; it draws what is put here.
        mistake: Of the configuration: it stands until something else is flashed.
    """

    def __init__(self, app: OvermindApp, mistake: str) -> None:
        self._app = app
        self._cell = Cell(mistake, "bad")
        self._flashed = 0
        self.until = float("inf") if mistake else 0.0
        """When it goes away (monotonic seconds)."""
        self.kept: deque[Row] = deque(maxlen=KEPT)
        """What was flashed and is worth reading again, as events."""

    @property
    def text(self) -> str:
        """What it says; "" for nothing."""
        return self._cell.text

    @property
    def tone(self) -> str:
        """How it is meant."""
        return self._cell.tone

    @property
    def shown(self) -> Cell:
        """As it looks by now."""
        left = self.until - time.monotonic()
        return notices.faded(self._cell, left) if self._app.settings.motion else self._cell

    def put(self, text: str, tone: str) -> None:
        """Instead of what stood there; what is not quiet is kept."""
        self._cell = Cell(safe(" ".join(text.split())), tone)
        if tone != "quiet":
            self._flashed += 1
            at = format_time(self._app.now())
            self.kept.append(tables.flash(self._flashed, at, self.text, after=self._app.news.newest))
        self.until = time.monotonic() + SECONDS * (2 if tone == "bad" else 1)

    def clear(self) -> None:
        """Nothing stands there."""
        self._cell = NOTHING

    def look(self, progress: str) -> None:
        """A second went by; `progress` of a command line is said, unless something else is to be read."""
        if self.text and time.monotonic() > self.until:
            self.clear()
        if progress and (self._cell == NOTHING or self.tone == "quiet"):
            self.put(progress, "quiet")
