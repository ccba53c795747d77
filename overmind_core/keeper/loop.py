"""One thread, one turn after the other: what is ready in the kernel's order, then queued work in small portions.

A source that fails hurts nobody else: it is told, and the turn goes on. When a person has pressed a key, those that the
person waits for have the turns alone for a moment: whoever floods meanwhile is held up by that, not the person.
"""

from __future__ import annotations

import heapq
import selectors
import sys
import time
import traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Source(Protocol):
        """Whoever owns a file descriptor."""

        def ready(self, events: int) -> None:
            """Do one portion of what `events` (READ, WRITE) allow."""

        def failed(self) -> None:
            """`ready` raised: stop using the descriptor, or close it."""

    Work = Callable[[], float | None]
    """Does a small portion each turn; returns how many seconds it may wait for its next, None = for ever."""

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE
HURRY = 0.005
"""Seconds that a key has the turns for its own, unless its echo comes earlier."""
CALM = 0.001
"""Seconds that an echo has for its way to the person, once it is sent."""
HURRY_PERIOD = 0.05
"""Seconds between the beginnings of two such moments: nobody who types loses others more than a tenth of the time."""


class Timer:
    """An action at a moment; `cancel` forgets it."""

    __slots__ = ("action",)

    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Make nothing of it happen."""
        self.action = None


class Loop:
    """Watches descriptors, timers and work."""

    __slots__ = (
        "_count", "_front", "_hurried_until", "_next_hurry", "_preferred", "_sources", "_stopped", "_timers", "_wanted",
        "_works", "mono", "selector", "wall",
    )  # fmt: skip

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self._front = selectors.DefaultSelector()
        """The awaited ones of `selector`."""
        self._preferred: set[int] = set()
        self._hurried_until = 0.0
        self._next_hurry = 0.0
        self._sources: dict[int, Source] = {}
        self._wanted: dict[int, int] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._works: list[Work] = []
        self._count = 0
        self._stopped = False
        self.wall = time.time()
        """This turn's time in seconds since the epoch."""
        self.mono = time.monotonic()
        """This turn's time in seconds of this boot, without sleep."""

    def watch(self, fd: int, events: int, source: Source) -> None:
        """Tell `source` when `fd` is ready for `events`; 0 stops that. Saying the same again costs nothing."""
        before = self._wanted.get(fd, 0)
        self._sources[fd] = source
        if events == before:
            return
        if not events:
            self.forget(fd)
            return
        _change(self.selector, fd, before, events)
        if fd in self._preferred:
            _change(self._front, fd, before, events)
        self._wanted[fd] = events

    def forget(self, fd: int) -> None:
        """Watch `fd` no more; before it is closed."""
        self._sources.pop(fd, None)
        events = self._wanted.pop(fd, 0)
        if events:
            self.selector.unregister(fd)
            if fd in self._preferred:
                self._front.unregister(fd)

    def prefer(self, fd: int, *, on: bool) -> None:
        """Say that a person waits for what comes by `fd`; or no longer, as is to be said before it is closed."""
        if on == (fd in self._preferred):
            return
        (self._preferred.add if on else self._preferred.remove)(fd)
        if events := self._wanted.get(fd, 0):
            _change(self._front, fd, 0 if on else events, events if on else 0)

    def hurry(self) -> None:
        """Somebody has pressed a key: for a moment nobody else counts."""
        if self.mono >= self._next_hurry:
            self._hurried_until = self.mono + HURRY
            self._next_hurry = self.mono + HURRY_PERIOD

    def calm_down(self) -> None:
        """What was waited for is on its way."""
        self._hurried_until = min(self._hurried_until, self.mono + CALM)

    def later(self, delay: float, action: Callable[[], None]) -> Timer:
        """Do `action` once in `delay` seconds."""
        self._count += 1
        timer = Timer(action)
        heapq.heappush(self._timers, (time.monotonic() + delay, self._count, timer))
        return timer

    def each_turn(self, work: Work) -> None:
        """Ask `work` for a portion after each turn's events."""
        self._works.append(work)

    def stop(self) -> None:
        """End `run` after this turn."""
        self._stopped = True

    def run(self) -> None:
        """Turn until `stop`."""
        patience: float | None = None
        while not self._stopped:
            events = self._select(patience)
            self.wall = time.time()
            self.mono = time.monotonic()
            for key, mask in events:
                source = self._sources.get(key.fd)
                if source is not None:
                    try:
                        source.ready(mask)
                    except Exception:  # noqa: BLE001 -- the boundary: one source's failure is its own
                        report()
                        source.failed()
            self._due()
            patience = self._work()

    def _select(self, patience: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        until = self._until(patience)
        left = self._hurried_until - time.monotonic()
        if left <= 0:
            return self.selector.select(until)
        return self._front.select(left if until is None else min(left, until))

    def _until(self, patience: float | None) -> float | None:
        if not self._timers:
            return patience
        delay = max(0.0, self._timers[0][0] - time.monotonic())
        return delay if patience is None else min(delay, patience)

    def _due(self) -> None:
        while self._timers and self._timers[0][0] <= self.mono:
            action = heapq.heappop(self._timers)[2].action
            if action is not None:
                guarded(action)

    def _work(self) -> float | None:
        patience: float | None = None
        for work in self._works:
            wait = guarded(work)
            if wait is not None and (patience is None or wait < patience):
                patience = wait
        return patience


def _change(selector: selectors.BaseSelector, fd: int, before: int, events: int) -> None:
    """Have `fd` watched for `events`, where it was watched for `before`; 0 is not at all."""
    if not before:
        selector.register(fd, events)
    elif events:
        selector.modify(fd, events)
    else:
        selector.unregister(fd)


def guarded(action: Callable[[], float | None]) -> float | None:
    """Call `action`; a failure is reported and ends nothing."""
    try:
        return action()
    except Exception:  # noqa: BLE001 -- the boundary again
        report()
        return None


def report() -> None:
    """Write the exception in flight to the keeper's own log; never raises."""
    try:
        traceback.print_exc(file=sys.stderr)
    except OSError:
        return
