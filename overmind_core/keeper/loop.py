"""The event loop: one thread that serves ready descriptors in the kernel's order, then timers, then work in portions.

A source that fails hurts nobody else: its `failed` is called, and the turn goes on. A key press boosts the preferred
descriptors, those that a person waits for: they have the turns alone for a moment, so that whoever floods meanwhile is
held up, not the person.
"""

from __future__ import annotations

import heapq
import selectors
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class LoopSource(Protocol):
        """The owner of a file descriptor."""

        def ready(self, events: int) -> None:
            """Do one portion of what `events` (READ, WRITE) allow."""

        def failed(self) -> None:
            """`ready` raised: stop using the descriptor, or close it."""

    Work = Callable[[], float | None]
    """Does a small portion each turn; returns how many seconds it may wait for its next, None = for ever."""

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE
BOOST = 0.005
"""Seconds that a key has the turns for its own, unless its echo comes earlier."""
BOOST_TAIL = 0.001
"""Seconds that an echo has for its way to the person, once it is sent."""
BOOST_PERIOD = 0.05
"""Seconds between the beginnings of two such moments: nobody who types loses others more than a tenth of the time."""


class Timer:
    """An action that is due at a moment, unless `cancel` was called."""

    __slots__ = ("action",)

    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Never call the action."""
        self.action = None


class Loop:
    """Watches descriptors, timers and work."""

    __slots__ = (
        "_boost_until",
        "_next_boost",
        "_preferred",
        "_preferred_selector",
        "_sources",
        "_stopped",
        "_timer_count",
        "_timers",
        "_watched",
        "_work",
        "mono",
        "selector",
        "wall",
    )  # fmt: skip

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self._preferred_selector = selectors.DefaultSelector()
        """The awaited ones of `selector`."""
        self._preferred: set[int] = set()
        self._boost_until = 0.0
        self._next_boost = 0.0
        self._sources: dict[int, LoopSource] = {}
        self._watched: dict[int, int] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._work: list[Work] = []
        self._timer_count = 0
        self._stopped = False
        self.wall = time.time()
        """This turn's time in seconds since the epoch."""
        self.mono = time.monotonic()
        """This turn's time in seconds of this boot, without sleep."""

    def watch(self, fd: int, events: int, source: LoopSource) -> None:
        """Call `source` when `fd` is ready for `events`; 0 stops that. The same again costs nothing."""
        before = self._watched.get(fd, 0)
        self._sources[fd] = source
        if events == before:
            return
        if not events:
            self.forget(fd)
            return
        _set_events(self.selector, fd, before, events)
        if fd in self._preferred:
            _set_events(self._preferred_selector, fd, before, events)
        self._watched[fd] = events

    def forget(self, fd: int) -> None:
        """Watch `fd` no more; before it is closed."""
        self._sources.pop(fd, None)
        events = self._watched.pop(fd, 0)
        if events:
            self.selector.unregister(fd)
            if fd in self._preferred:
                self._preferred_selector.unregister(fd)

    def prefer(self, fd: int, *, on: bool) -> None:
        """Mark `fd` as one that a person waits for; unmark it before it is closed."""
        if on == (fd in self._preferred):
            return
        (self._preferred.add if on else self._preferred.remove)(fd)
        if events := self._watched.get(fd, 0):
            _set_events(self._preferred_selector, fd, 0 if on else events, events if on else 0)

    def boost(self) -> None:
        """Serve only the preferred descriptors for a moment: somebody has pressed a key."""
        if self.mono >= self._next_boost:
            self._boost_until = self.mono + BOOST
            self._next_boost = self.mono + BOOST_PERIOD

    def end_boost(self) -> None:
        """End the boost shortly: what the person waited for is on its way."""
        self._boost_until = min(self._boost_until, self.mono + BOOST_TAIL)

    def later(self, delay: float, action: Callable[[], None]) -> Timer:
        """Do `action` once in `delay` seconds."""
        self._timer_count += 1
        timer = Timer(action)
        heapq.heappush(self._timers, (time.monotonic() + delay, self._timer_count, timer))
        return timer

    def each_turn(self, work: Work) -> None:
        """Ask `work` for a portion after each turn's events."""
        self._work.append(work)

    def stop(self) -> None:
        """End `run` after this turn."""
        self._stopped = True

    def run(self) -> None:
        """Turn until `stop`."""
        timeout: float | None = None
        while not self._stopped:
            events = self._select(timeout)
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
            self._run_timers()
            timeout = self._run_work()

    def _select(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        until = self._until_next_timer(timeout)
        left = self._boost_until - time.monotonic()
        if left <= 0:
            return self.selector.select(until)
        return self._preferred_selector.select(left if until is None else min(left, until))

    def _until_next_timer(self, timeout: float | None) -> float | None:
        if not self._timers:
            return timeout
        delay = max(0.0, self._timers[0][0] - time.monotonic())
        return delay if timeout is None else min(delay, timeout)

    def _run_timers(self) -> None:
        while self._timers and self._timers[0][0] <= self.mono:
            action = heapq.heappop(self._timers)[2].action
            if action is not None:
                guarded(action)

    def _run_work(self) -> float | None:
        timeout: float | None = None
        for work in self._work:
            wait = guarded(work)
            if wait is not None and (timeout is None or wait < timeout):
                timeout = wait
        return timeout


def _set_events(selector: selectors.BaseSelector, fd: int, before: int, events: int) -> None:
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
    # The interpreter's own: the module `traceback` would cost the keeper half a megabyte for as long as it lives.
    sys.__excepthook__(*sys.exc_info())
