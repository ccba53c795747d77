"""The panel follows the cursor once that rests: while a key is held nothing of it is asked for, or drawn."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overmind_tui.missions.main_screen import MainScreen

REST_SECONDS = 0.12
"""How long the cursor stays on a row before the panel comes to it."""


class Following:
    """The mission of the panel.

    Args:
        screen: Waits.
        show: Has the panel show another mission.

    Attributes:
        mission: Its id; None: none is selected.
    """

    def __init__(self, screen: MainScreen, show: Callable[[], None]) -> None:
        self._screen = screen
        self._show = show
        self.mission: str | None = None
        self._wanted: str | None = None
        """The mission under the cursor."""
        self._moved_at = 0.0
        self._begun = False
        self._waits = False

    def cursor_at(self, mission: str | None) -> None:
        """The cursor stands on this mission now; the first one is shown at once."""
        self._wanted, self._moved_at = mission, time.monotonic()
        if self._begun and mission == self.mission:
            return
        if not self._begun or REST_SECONDS <= 0:
            self._begun = True
            self._come()
        elif not self._waits:
            self._wait(REST_SECONDS)

    def at_once(self) -> None:
        """The panel is about to be used: it waits no longer, not even to be told where the cursor is."""
        self._wanted = self._screen.table.cursor_id
        if self._wanted != self.mission:
            self._come()

    def _wait(self, seconds: float) -> None:
        self._waits = True
        self._screen.set_timer(seconds, self._rested)

    def _rested(self) -> None:
        self._waits = False
        left = self._moved_at + REST_SECONDS - time.monotonic()
        if self._wanted == self.mission:
            return
        if left > 0:
            self._wait(left)
        else:
            self._come()

    def _come(self) -> None:
        self.mission = self._wanted
        self._show()
