"""What a link tells the program, in the order in which it came, and whether too much of it waits.

A run's output on its way to the program: as it comes, or, where that is too much, as the screen that its log gives.

The screen is drawn beside reading on, for who does not read is dropped; what comes meanwhile goes behind it.

Bytes into a screen, without anybody feeling it: a few milliseconds at once, and frames as often as eyes need.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.client.connection import PATIENCE
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.logs.snapshot import Head, picture
from overmind_core.terminal.screen import SCROLLBACK

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


class Told(NamedTuple):
    """What the supervisor said: `type` is `finishing`, `waiting`, `ended`, `handing_back` or `detached`."""

    item: Json


class Failed(NamedTuple):
    """The stay is over, or never began; why."""

    code: str
    message: str


class Severed(NamedTuple):
    """Neither the run's bytes nor word of its end have come for a while."""


Item = bytes | Joined | Sized | Exited | Told | Failed | Severed


class Inbox:
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


REPLAY_SECONDS = 0.3
"""Between two drawings from the log of a flood that is never taken."""


class Output:
    """One run after the other.

    Args:
        inbox: Where it goes.
        wake: Called in another thread when a screen has been drawn, so that `tick` is due.
    """

    def __init__(self, inbox: Inbox, wake: Callable[[], None]) -> None:
        self._inbox = inbox
        self._wake = wake
        self._ready: Json = {}
        self._offset = 0
        """Of the run's output, up to which the program was given all of it."""
        self._head = Head()
        self._drawing: _Drawing | None = None
        """Of those that were begun only the last one counts."""
        self._arrived = threading.Event()
        """Something was drawn."""
        self._behind: list[bytes | Sized] = []
        """What came since the screen is being drawn."""
        self._replay = False
        self._replayed_at = 0.0

    @property
    def run(self) -> str | None:
        """Whose output it is."""
        return self._ready.get("run")

    def begin(self, ready: Json, offset: int) -> None:
        """From here on this run's output will come; `ready`: what the supervisor said of it."""
        again = ready["run"] == self.run
        self._ready, self._offset = ready, offset
        if not again:
            self._head = Head()
        self._draw(again=again)

    def replay(self) -> None:
        """Draw the screen anew from the log: not everything was taken. For any thread; seen at the next `tick`."""
        self._replay = True

    def data(self, data: bytes) -> None:
        """This was written."""
        self._offset += len(data)
        if self._replay:  # it will be on the screen that is drawn next
            return
        if self._drawing is not None:
            self._behind.append(data)
            self._replay = sum(map(len, self._behind)) > BACKLOG
        elif self._inbox.full:
            self._replay = True
        else:
            self._inbox.put(data)

    def resize(self, size: Sized) -> None:
        """The terminal got another size."""
        if self._drawing is not None:
            self._behind.append(size)
        else:
            self._inbox.put(size)

    @property
    def due(self) -> float | None:
        """When `tick` should be called at the latest (monotonic seconds)."""
        if not self._replay or self._drawing is not None or not self._ready:
            return None
        return self._replayed_at + REPLAY_SECONDS

    def tick(self, now: float) -> None:
        """Show what was drawn, and begin to draw what is to be drawn anew."""
        self._take_drawn()
        if self.due is not None and now >= self.due:
            self._draw(again=True)

    def finish(self) -> None:
        """Wait for the screen that is being drawn: the last one is worth that."""
        until = time.monotonic() + PATIENCE
        while self._drawing is not None and (left := until - time.monotonic()) > 0:
            self._arrived.wait(left)
            self._arrived.clear()
            self._take_drawn()

    def _draw(self, *, again: bool) -> None:
        self._replay, self._replayed_at = False, time.monotonic()
        self._behind.clear()
        if self._drawing is not None:  # it still reads into the other one
            self._head = Head()
        ready, offset, head = self._ready, self._offset, self._head
        self._drawing = _Drawing(lambda: _pictured(ready, offset, head, again=again), self._arrive)

    def _arrive(self) -> None:
        self._arrived.set()
        self._wake()

    def _take_drawn(self) -> None:
        """Show the screen when it is there, and what came behind it."""
        if self._drawing is None or self._drawing.drawn is None:
            return
        drawn, self._drawing = self._drawing.drawn, None
        self._replayed_at = time.monotonic()
        self._inbox.put(drawn)
        behind, self._behind = self._behind, []
        for item in behind if not self._replay else ():
            self._inbox.put(item)


class _Drawing:
    """A screen that is being drawn in a thread; `then` is called there when `drawn` is set."""

    def __init__(self, draw: Callable[[], Joined], then: Callable[[], None]) -> None:
        self._draw, self._then = draw, then
        self.drawn: Joined | Failed | None = None
        threading.Thread(target=self._run, name="terminal-picture", daemon=True).start()

    def _run(self) -> None:
        try:
            self.drawn = self._draw()
        except (OSError, ValueError) as error:
            self.drawn = Failed("internal", str(error))
        self._then()


def _pictured(ready: Json, offset: int, head: Head, *, again: bool) -> Joined:
    screen = picture(
        from_wire(ready["path"]),
        columns=ready["columns"], rows=ready["rows"], until=offset, scrollback=SCROLLBACK, head=head,
    )  # fmt: skip
    return Joined(screen, ready["run"], ready["write"], again)


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
    """Feeds one screen after the other.

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
