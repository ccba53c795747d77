"""The event loop: one thread that serves ready descriptors in the kernel's order, then timers, then work in portions.

A source that fails hurts nobody else: its `failed` is called, and the turn goes on. A key press boosts the preferred
descriptors, those that a person waits for: they have the turns alone for a moment, so that whoever floods meanwhile is
held up, not the person.
"""

from __future__ import annotations

import heapq
import select
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
MOST_READY = 256
"""Descriptors that one turn serves; the others come first in the next one."""
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


_READY_FOR = {1: READ, 4: WRITE}
"""EPOLLIN and EPOLLOUT → READ or WRITE; any other event means both. EPOLLIN is READ. Source: epoll_ctl(2)."""


class Watch:
    """Descriptors that are waited for. `selectors`, but for what that costs each key on Linux."""

    __slots__ = ("_epoll", "_events")

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._events: dict[int, int] = {}
        """Descriptor → READ, WRITE or both."""

    def set(self, fd: int, events: int) -> None:
        """Wait for `events` of `fd`; 0 is not at all."""
        before = self._events.pop(fd, 0)
        if events:
            mask = (select.EPOLLIN if events & READ else 0) | (select.EPOLLOUT if events & WRITE else 0)
            (self._epoll.modify if before else self._epoll.register)(fd, mask)
            self._events[fd] = events
        elif before:
            self._epoll.unregister(fd)

    def wait(self, timeout: float | None) -> list[tuple[int, int]]:
        """Return descriptors with what they are ready for, in the kernel's order; who hung up is ready for anything."""
        ready: list[tuple[int, int]] = self._epoll.poll(timeout, MOST_READY)
        if len(ready) == 1 and ready[0][1] == READ:  # as with each key and its echo
            return ready
        return [(fd, _READY_FOR.get(mask, READ | WRITE) & self._events[fd]) for fd, mask in ready]


class PortableWatch:
    """The same where there is no epoll."""

    __slots__ = ("_selector",)

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def set(self, fd: int, events: int) -> None:
        """Wait for `events` of `fd`; 0 is not at all."""
        known = fd in self._selector.get_map()
        if events:
            (self._selector.modify if known else self._selector.register)(fd, events)
        elif known:
            self._selector.unregister(fd)

    def wait(self, timeout: float | None) -> list[tuple[int, int]]:
        """Return descriptors with what they are ready for."""
        return [(key.fd, events) for key, events in self._selector.select(timeout)]


class Loop:
    """Watches descriptors, timers and work."""

    __slots__ = (
        "_all",
        "_awaited",
        "_boost_until",
        "_next_boost",
        "_preferred",
        "_sources",
        "_stopped",
        "_timer_count",
        "_timers",
        "_watched",
        "_work",
        "mono",
        "wall",
    )  # fmt: skip

    def __init__(self) -> None:
        make_watch = Watch if hasattr(select, "epoll") else PortableWatch
        self._all = make_watch()
        self._awaited = make_watch()
        """Those of them that a person waits for."""
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
        self._all.set(fd, events)
        if fd in self._preferred:
            self._awaited.set(fd, events)
        self._watched[fd] = events

    def forget(self, fd: int) -> None:
        """Watch `fd` no more; before it is closed."""
        self._sources.pop(fd, None)
        events = self._watched.pop(fd, 0)
        if events:
            self._all.set(fd, 0)
            if fd in self._preferred:
                self._awaited.set(fd, 0)

    def prefer(self, fd: int, *, on: bool) -> None:
        """Mark `fd` as one that a person waits for; unmark it before it is closed."""
        if on == (fd in self._preferred):
            return
        (self._preferred.add if on else self._preferred.remove)(fd)
        if events := self._watched.get(fd, 0):
            self._awaited.set(fd, events if on else 0)

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
            for fd, mask in events:
                source = self._sources.get(fd)
                if source is not None:
                    try:
                        source.ready(mask)
                    except Exception:  # noqa: BLE001 -- the boundary: one source's failure is its own
                        report()
                        source.failed()
            self._run_timers()
            timeout = self._run_work()

    def _select(self, timeout: float | None) -> list[tuple[int, int]]:
        now = time.monotonic()
        if self._timers:
            delay = max(0.0, self._timers[0][0] - now)
            timeout = delay if timeout is None else min(delay, timeout)
        left = self._boost_until - now
        if left <= 0:
            return self._all.wait(timeout)
        return self._awaited.wait(left if timeout is None else min(left, timeout))

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
