"""A run's output on its way to the program: as it comes, or, where that is too much, as the screen that its log gives.

The screen is drawn beside reading on, for who does not read is dropped; what comes meanwhile goes behind it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from overmind_core.client.connection import ANSWER_LIMIT
from overmind_core.client.terminal_stream import BACKLOG, Failed, Joined, Json, LinkQueue, Sized
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.logs.snapshot import ModeScan, screen_at
from overmind_core.terminal.screen import SCROLLBACK

REPLAY_SECONDS = 0.3
"""Between two drawings from the log of a flood that is never taken."""


class RunOutput:
    """The output of a mission, one run after the other.

    Args:
        inbox: Where it goes.
        wake: Called in another thread when a screen has been drawn, so that `tick` is due.
        scrollback: How many rows above the screen are wanted, too.
        scrollback_again: The same, of a screen that is drawn anew since not everything was taken.
    """

    def __init__(
        self,
        inbox: LinkQueue,
        wake: Callable[[], None],
        *,
        scrollback: int = SCROLLBACK,
        scrollback_again: int | None = None,
    ) -> None:
        self._inbox = inbox
        self._wake = wake
        self._scrollback = scrollback
        self._scrollback_again = scrollback if scrollback_again is None else scrollback_again
        self._ready: Json = {}
        self._offset = 0
        """Of the run's output, up to which the program was given all of it."""
        self._head = ModeScan()
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
            self._head = ModeScan()
        self._draw(self._scrollback, again=again)

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
        if not self._replay or self._drawing is not None or not self._ready or self._inbox.has_screen:
            return None
        return self._replayed_at + REPLAY_SECONDS

    def tick(self, now: float) -> None:
        """Show what was drawn, and begin to draw what is to be drawn anew."""
        self._take_drawn()
        if self.due is not None and now >= self.due:
            self._draw(self._scrollback_again, again=True)

    def finish(self) -> None:
        """Wait for the screen that is being drawn, or has to be: the last one is worth that."""
        until = time.monotonic() + ANSWER_LIMIT
        if self._replay and self._drawing is None and self._ready:
            self._draw(self._scrollback_again, again=True)
        while self._drawing is not None and (left := until - time.monotonic()) > 0:
            self._arrived.wait(left)
            self._arrived.clear()
            self._take_drawn()

    def _draw(self, scrollback: int, *, again: bool) -> None:
        self._replay, self._replayed_at = False, time.monotonic()
        self._behind.clear()
        if self._drawing is not None:  # it still reads into the other one
            self._head = ModeScan()
        ready, offset, head = self._ready, self._offset, self._head
        self._drawing = _Drawing(lambda: _pictured(ready, offset, head, scrollback, again=again), self._arrive)

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


def _pictured(ready: Json, offset: int, head: ModeScan, scrollback: int, *, again: bool) -> Joined:
    screen = screen_at(
        from_wire(ready["path"]),
        columns=ready["columns"], rows=ready["rows"], until=offset, scrollback=scrollback, head=head,
    )  # fmt: skip
    return Joined(screen, ready["run"], ready["write"], again)
