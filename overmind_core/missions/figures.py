"""What missions use and do now, measured: one look serves all who ask for the same moment.

States come from the registry at once, and from events. Figures take a look at the machine and at the ends of logs, so
they are read apart: a row that waited for them would show a state of before.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from overmind_core.logs.reader import RunLog
from overmind_core.missions import answers
from overmind_core.missions.api_logs import format_of
from overmind_core.missions.output_progress import LineExtent
from overmind_core.missions.registry import run_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.answer_types import MissionFigures
    from overmind_core.missions.output_progress import LastLines, OutputProgress
    from overmind_core.missions.ports import Preparer, Runner, Standings
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.resources import Resources
    from overmind_core.missions.store import RunTable
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home

_log = logging.getLogger(__name__)


class FigureReader:
    """Reads the figures of missions."""

    def __init__(
        self,
        *,
        home: Home,
        registry: Registry,
        run_table: RunTable,
        progress: OutputProgress,
        last_lines: LastLines,
        resources: Resources,
        runner: Runner,
        preparer: Preparer,
        standings: Standings,
    ) -> None:
        self._home = home
        self._registry = registry
        self._run_table = run_table
        self._progress = progress
        self._line_reader = last_lines
        self._resources = resources
        self._runner = runner
        self._preparer = preparer
        self._standings = standings

    async def read(self, missions: Sequence[Mission]) -> list[MissionFigures]:
        """The figures of each, in the order given.

        Raises:
            OSError: the machine can't be looked at just now.
        """
        used = await self._resources.usage([mission for mission in missions if mission.is_live])
        extents = [self._extent(mission) for mission in missions]
        lines = await self._lines(extents)
        conversations, standings = self._runner.conversations(missions), self._standings.of(missions)
        found: list[MissionFigures] = []
        for mission, extent, line in zip(missions, extents, lines, strict=True):
            usage = used.get(mission.id)
            step = self._preparer.step_of(mission.id)
            rate = round(self._progress.rate(mission.run_id), 1) if mission.is_live else None
            found.append(
                {
                    "id": mission.id,
                    "cpu_percent": None if usage is None else usage.cpu_percent,
                    "memory_bytes": None if usage is None else usage.memory_bytes,
                    "changed_lines": self._preparer.changed_lines(mission.id),
                    "output_bytes": 0 if extent is None else extent.out + extent.err,
                    "output_bytes_per_second": rate,
                    "next_restart_at": answers.time(mission.next_restart_at),
                    "now": step
                    or answers.now_line(mission, line, conversations.get(mission.id), standings.get(mission.id)),
                }
            )
        return found

    async def last_line(self, mission: Mission) -> str:
        """What the newest run of it wrote last."""
        (line,) = await self._lines([self._extent(mission)])
        return line

    async def last_activity(self, mission: Mission) -> float | None:
        """When the newest run of it wrote last, by its log, in seconds since the epoch; when it began if it never did.

        None: it never began, or its log is gone.
        """
        extent = self._extent(mission)
        if extent is None or not extent.out + extent.err:
            return mission.run_started_at or mission.started_at
        grown_at = await asyncio.to_thread(lambda: RunLog(extent.path).grown_at)
        until = grown_at if mission.is_live or mission.ended_at is None else mission.ended_at
        return min(grown_at, until) or None

    async def _lines(self, extents: Sequence[LineExtent | None]) -> list[str]:
        return await asyncio.to_thread(lambda: [self._line_reader.of(one) if one else "" for one in extents])

    def _extent(self, mission: Mission) -> LineExtent | None:
        """How far the log of its newest run reaches; None: there is none."""
        stored = None if mission.id in self._registry.runs else self._run_table.latest(mission.id)
        run = self._registry.runs.get(mission.id) if stored is None else run_of(stored)
        if run is None:
            return None
        known = self._progress.of(run.id)
        path = f"{self._home.logs}/{run.mission}/{run.number:06d}"
        out, err, whose = max(known.out, run.out), max(known.err, run.err), format_of(mission, run)
        return LineExtent(run.id, path, out, err, whose, is_explained=answers.is_explained(mission))


class SharedLook:
    """A look that is due at a moment, and all missions that somebody wants to see at it."""

    def __init__(self, looks: FigureLooks, due: float) -> None:
        self._looks = looks
        self.due = due
        """On the monotonic clock, in seconds."""
        self.ids: set[str] = set()
        self._looking: asyncio.Task[Mapping[str, MissionFigures] | None] | None = None

    async def figures(self) -> Mapping[str, MissionFigures] | None:
        """The figures of all of them by id, without those that are no more; the first who asks has it begun.

        None: the machine can't be looked at just now.
        """
        if self._looking is None:
            self._looking = self._looks.begin(self)
        return await asyncio.shield(self._looking)  # whoever leaves must not take it from the others


class FigureLooks:
    """Looks at missions at regular moments, the same ones for everybody."""

    def __init__(self, reader: FigureReader, registry: Registry, clock: Clock, tasks: Tasks) -> None:
        self._reader = reader
        self._registry = registry
        self._clock = clock
        self._tasks = tasks
        self._due: WeakValueDictionary[float, SharedLook] = WeakValueDictionary()
        """By moment. One that nobody waits for any more goes by itself."""

    def now(self, ids: Iterable[str]) -> SharedLook:
        """A look at these missions that is due."""
        look = SharedLook(self, self._clock.mono())
        look.ids.update(ids)
        return look

    def next(self, ids: Iterable[str], every: float) -> SharedLook:
        """The next look at these missions, for who wants one each `every` seconds: at the multiples of that.

        So two with the same period, or with one that is a multiple of the other's, share what they wait for.
        """
        due = (self._clock.mono() // every + 1) * every
        look = self._due.get(due)
        if look is None:
            look = self._due[due] = SharedLook(self, due)
        look.ids.update(ids)
        return look

    def begin(self, look: SharedLook) -> asyncio.Task[Mapping[str, MissionFigures] | None]:
        """Have it done; whoever comes later waits for another one."""
        if self._due.get(look.due) is look:
            del self._due[look.due]
        return self._tasks.start(self._look(tuple(look.ids)))

    async def _look(self, ids: Sequence[str]) -> Mapping[str, MissionFigures] | None:
        missions = [mission for one in ids if (mission := self._registry.get(one)) is not None]
        try:
            return {figures["id"]: figures for figures in await self._reader.read(missions)}
        except OSError as error:  # too few descriptors are left: there will be another look
            _log.debug("figures can't be read: %s", error)
            return None

    def seconds_until(self, look: SharedLook) -> float:
        """How long until it is due."""
        return max(0.0, look.due - self._clock.mono())
