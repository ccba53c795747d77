"""What a link sends the program, in its order and within a limit; and how it is fed to a screen without delaying keys.

Bytes are fed a few milliseconds at once, and frames come as often as eyes need.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from overmind_core.terminal.screen import Screen


BACKLOG = 1 << 20
"""Bytes that may wait for the program; more than that nobody reads."""

Json = Mapping[str, Any]


class Joined(NamedTuple):
    """The run's terminal as it is now; what comes after it belongs on this screen."""

    screen: Screen
    run: str
    write: bool
    again: bool
    """It was seen before, and only drawn anew."""


class Sized(NamedTuple):
    """The run's terminal has another size."""

    columns: int
    rows: int


class Exited(NamedTuple):
    """The run's process has ended; negative: by that signal."""

    code: int


class StateChange(NamedTuple):
    """What the supervisor said: `type` is `finishing`, `waiting`, `ended`, `handing_back` or `detached`."""

    item: Json


class Failed(NamedTuple):
    """The session is over, or never began; why."""

    code: str
    message: str


class Severed(NamedTuple):
    """Neither the run's bytes nor word of its end have come for a while."""


Item = bytes | Joined | Sized | Exited | StateChange | Failed | Severed


class LinkQueue:
    """Filled by the link's thread, emptied by the program's; `notify` is called when something was put in."""

    def __init__(self, notify: Callable[[], None]) -> None:
        self._notify = notify
        self._items: deque[Item] = deque()
        self._guard = threading.Lock()
        self._waiting = 0
        """Bytes among the items."""

    @property
    def full(self) -> bool:
        """Whether bytes should not be put in any more."""
        return self._waiting > BACKLOG

    def put(self, item: Item) -> None:
        """This comes next."""
        with self._guard:
            self._items.append(item)
            self._waiting += len(item) if isinstance(item, bytes) else 0
        self._notify()

    def take(self) -> Item | None:
        """The next thing that came; None when there is none."""
        with self._guard:
            if not self._items:
                return None
            item = self._items.popleft()
            self._waiting -= len(item) if isinstance(item, bytes) else 0
        return item


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
