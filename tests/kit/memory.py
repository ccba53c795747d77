"""Memory by itself: notes of a home without a daemon, asked by a person or by missions that the test names."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from overmind_core.domain.missions.mission import Definition, Mission, Status
from overmind_core.domain.settings import CortexSettings, MemorySettings
from overmind_core.memory.service import Memory
from overmind_core.system.paths import Home

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from overmind_core.domain.events import Event
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.missions.registry import Registry


class Events:
    """The log of events."""

    def __init__(self) -> None:
        self.recorded: list[Event] = []
        self.on_record: Callable[[Event], object] = lambda _event: None

    def record(self, event: Event, *, run: str | None = None) -> None:
        """Keep it."""
        del run
        self.recorded.append(event)
        self.on_record(event)


class Missions:
    """The registry of missions."""

    def __init__(self) -> None:
        self.live: dict[str, Mission] = {}

    def get(self, mission: str) -> Mission | None:
        """One of them."""
        return self.live.get(mission)

    def add(self, name: str, folder: str, *, parent: str | None = None, provider: str = "claude") -> str:
        """A mission that runs; its id."""
        id_ = f"{len(self.live) + 1:012x}"
        definition = Definition(name=name, command="x", argv=("x",), cwd=folder, parent=parent, provider=provider)
        self.live[id_] = Mission(id_, definition, created_at=0.0, status=Status.RUNNING)
        return id_


class Switch:
    """Whether memory is on. As the daemon's, it belongs to the thread that made it."""

    def __init__(self) -> None:
        self._is_on = True
        self._thread = threading.get_ident()

    @property
    def is_on(self) -> bool:
        """Whether nobody has switched it off."""
        assert threading.get_ident() == self._thread, "state.db belongs to the loop's thread"
        return self._is_on

    async def turn(self, *, on: bool) -> None:
        """Switch it."""
        self._is_on = on


class TickingClock:
    """A second later each time."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def wall(self) -> float:
        """Seconds since the epoch."""
        self.now += 1
        return self.now

    def mono(self) -> float:
        """Seconds of this boot."""
        return self.now

    def boot(self) -> float:
        """The same."""
        return self.now


async def _none_gone() -> int:
    return 0


class NotedHome:
    """A home with notes."""

    def __init__(
        self, root: str, settings: MemorySettings, variables: Mapping[str, str], cortex: CortexSettings | None = None
    ) -> None:
        self.home = Home(root)
        self.events = Events()
        self.missions = Missions()
        self.clock = TickingClock()
        self.memory = Memory(
            home=self.home,
            settings=settings,
            clock=self.clock,
            events=cast("EventLog", self.events),
            registry=cast("Registry", self.missions),
            variables=lambda _mission: variables,
            person="ada",
            machine="laptop",
            switch=Switch(),
            cortex_settings=cortex or CortexSettings(),
            rebuild_episodes=_none_gone,
        )

    def told(self) -> list[tuple[str, ...]]:
        """What the log has of notes: each with what happened."""
        return [
            tuple(str(value) for value in (getattr(one, "note", ""), getattr(one, "change", "voted")) if value)
            for one in self.events.recorded
        ]


@asynccontextmanager
async def noted_home(
    root: object,
    *,
    settings: MemorySettings | None = None,
    variables: Mapping[str, str] | None = None,
    cortex: CortexSettings | None = None,
) -> AsyncIterator[NotedHome]:
    """A home with notes; in the end its threads have ended."""
    made = NotedHome(str(root), settings or MemorySettings(), variables or {}, cortex)
    try:
        yield made
    finally:
        await asyncio.sleep(0)
        made.memory.close()


def without(answer: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """An answer but for these fields."""
    return {name: value for name, value in answer.items() if name not in names}
