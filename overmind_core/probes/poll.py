"""Looking until something is as wanted: at once, soon again, and then twice a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from overmind_core.domain.missions.mission import Mission

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 0.5
"""Seconds."""
GROWTH = 1.5

Tell = Callable[[str], None]
"""Takes a clause that says why not yet."""


class Observer(Protocol):
    """What a probe has to know of a mission beyond its record."""

    @property
    def logs(self) -> str:
        """The folder of all logs."""

    def mono(self) -> float:
        """Seconds of the monotonic clock."""

    async def last_activity(self, mission: Mission) -> float | None:
        """When its newest run wrote last or began, in monotonic seconds; None while nobody can know."""

    async def processes(self, mission: Mission) -> Collection[int] | None:
        """The pids of everything that it and its child missions have started; None: nobody can know."""

    async def environment(self, mission: Mission) -> Mapping[str, str]:
        """The environment of its own programs, in wire form.

        Raises:
            OvermindError: its folder is not there.
        """


class Watched(NamedTuple):
    """Whom a probe is about."""

    observer: Observer
    mission: Mission
    variables: Mapping[str, str]
    """On top of its environment, in wire form."""
    occupied: bool = False
    """Somebody listened at its port before it was started."""


class Hopeless(Exception):
    """It can't come true any more, whatever time is left; the message says why."""


async def polled(look: Callable[[], Awaitable[str]], tell: Tell) -> None:
    """Return when `look` has nothing left to say of why not yet."""
    pause = FIRST_PAUSE
    while why := await look():
        tell(why)
        await asyncio.sleep(pause)
        pause = min(pause * GROWTH, LONGEST_PAUSE)
