"""When a hive looks at its swarm again: at once, in a moment, or when something is due. On the loop's thread."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from overmind_core.system.machine import Clock

GATHER = 0.02
"""Seconds for which ends are gathered that are told together."""


class Waking:
    """The waits between the turns of a loop. `clock`: moments are on its boot clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stirred = asyncio.Event()
        self._has_work = True
        self._gathers_until: float | None = None
        self._waits_until = 0.0
        self._reached = asyncio.Event()

    def at_once(self) -> None:
        """There is something to do."""
        self._has_work = True
        self._stirred.set()

    def in_a_moment(self) -> None:
        """There is something to do, and more of it may come soon."""
        if self._gathers_until is None:
            self._gathers_until = self._clock.boot() + GATHER
            self._stirred.set()

    def at(self, moment: float) -> None:
        """There is something to do then."""
        if moment < self._waits_until:
            self._stirred.set()

    def reached(self) -> None:
        """The swarm has answered somebody here."""
        self._reached.set()

    async def until_reached(self, most: float) -> None:
        """Return when the swarm has answered somebody, or after `most` seconds."""
        self._reached.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._reached.wait(), most)

    def begin_turn(self) -> None:
        """All of it is done now; what comes from now on is for the next turn."""
        self._has_work, self._gathers_until = False, None

    async def wait(self, due: Callable[[], Iterable[float]]) -> None:
        """Return when there is something to do. `due`: the moments at which there will be; asked again and again."""
        while not self._has_work:
            gathers = () if self._gathers_until is None else (self._gathers_until,)
            self._waits_until = min((*gathers, *due()))
            self._stirred.clear()
            left = self._waits_until - self._clock.boot()
            if left <= 0:
                return
            try:
                await asyncio.wait_for(self._stirred.wait(), left)
            except TimeoutError:
                return
