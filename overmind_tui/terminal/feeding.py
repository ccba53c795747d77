"""The feeding of what comes on a link to a screen, without delaying keys.

Bytes are fed a few milliseconds at once, and frames come as often as eyes need.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overmind_core.terminal.screen import Screen

SLICE = 0.004
"""Seconds of feeding at once."""
PAUSE = 0.004
"""Seconds until the next slice."""
FRAME = 1 / 30
"""Seconds between two frames of what comes in floods."""
ECHO = 2048
"""Bytes that are painted at once, for they are the echo of a key."""
FRAME_LIMIT = 0.150
"""Seconds for which a program may hold its frame back (mode 2026)."""
_PIECE = 4096


class Feeding:
    """Feeds bytes to one screen after the other.

    Args:
        later: Calls a function after so many seconds.
        paint: Draws what is different.
        more: Feeds again: `feed` was given up before its time.
    """

    def __init__(
        self, later: Callable[[float, Callable[[], None]], object], paint: Callable[[], None], more: Callable[[], None]
    ) -> None:
        self._later = later
        self._paint = paint
        self._more = more
        self._rest = b""
        self._until = 0.0
        self._since_paint = 0
        self._painted_at = 0.0
        self._held_since: float | None = None
        self._due = False
        self._resting = False
        self.screen: Screen | None = None

    @property
    def busy(self) -> bool:
        """Whether the slice is used up, so that nothing more is to be fed now."""
        return self._resting or bool(self._rest)

    def begin(self) -> None:
        """A slice begins now, unless the last one has just been."""
        if not self._resting:
            self._until = time.perf_counter() + SLICE
            rest, self._rest = self._rest, b""
            self.feed(rest)

    def show(self, screen: Screen) -> None:
        """From now on this one is fed; what was not fed yet is on it already."""
        self.screen, self._rest = screen, b""
        self._since_paint, self._held_since = 0, None

    def feed(self, data: bytes) -> None:
        """Feed as much as the slice allows; the rest waits."""
        if self.screen is None:
            return
        at = 0
        while at < len(data) and time.perf_counter() < self._until:
            self.screen.feed(data[at : at + _PIECE])
            at += _PIECE
        self._since_paint += min(at, len(data))
        self._rest = data[at:]

    def end(self) -> None:
        """The slice is over: paint if that is due, and come back for the rest."""
        if self._resting:
            return
        if self._since_paint:
            self._consider()
        if self._rest or time.perf_counter() >= self._until:
            self._resting = True
            self._later(PAUSE, self._rested)

    def _rested(self) -> None:
        self._resting = False
        self._more()

    def _consider(self) -> None:
        now = time.perf_counter()
        wait = self._painted_at + FRAME - now
        if self._since_paint < ECHO and not self._rest:
            wait = 0.0
        if self.screen is not None and self.screen.modes.synchronized:
            self._held_since = self._held_since or now
            wait = self._held_since + FRAME_LIMIT - now
        if wait <= 0:
            self._frame()
        elif not self._due:
            self._due = True
            self._later(wait, self._come_due)

    def _come_due(self) -> None:
        self._due = False
        if self._since_paint:
            self._frame()

    def _frame(self) -> None:
        self._since_paint, self._painted_at, self._held_since = 0, time.perf_counter(), None
        self._paint()
