"""The processes that missions have left in the background on purpose: which go on, and how they end.

A run with `leave_background` may end before what it has started. What it leaves is noted with the pid and start time of
each process, so that it is found again after any crash of ours, and also once its keeper has ended: then neither its
mark nor its parent tells any more whose it is. The note goes with the processes. The record of the mission stays until
then, so that they can be named and ended.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from overmind_core.domain.missions.events import BackgroundEnded, BackgroundLeft
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.kernel.keeper_client import KeeperGone
from overmind_core.missions.lookup import find
from overmind_core.missions.terminator import listed, process_line
from overmind_core.system.membership import RunTarget

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from overmind_core.domain.missions.events import MissionRemoved
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.database import MetaTable
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.changes import RunConcluded
    from overmind_core.missions.process_trees import ProcessTrees
    from overmind_core.missions.registry import Registry
    from overmind_core.system.process import Identity
    from overmind_core.system.sweep import NamedProcess, Purge, Sweep

LEFT_FACT = "left_processes"
"""Key of the store's fact that tells what was left."""


class LeftRun(msgspec.Struct, frozen=True):
    """A run that has left processes in the background."""

    mission: str
    pid: int
    ticks: int
    mark: int
    processes: tuple[tuple[int, int], ...]
    """Pid and start in clock ticks of each, as they were found at its end; none while nobody has looked yet."""


class StoredLeftRuns(msgspec.Struct, frozen=True):
    """What was left, as the store has it; by run."""

    boot: str
    runs: dict[str, LeftRun]


class LeftBehind(NamedTuple):
    """A mission, and what it has left that still runs: `pid command` of each."""

    mission: str
    name: str
    processes: tuple[str, ...]
    word: str
    """What a command is given that is about it: its name, or its id where the name means another one."""


class LeftProcesses:
    """Used from the loop's thread."""

    def __init__(
        self,
        *,
        registry: Registry,
        journal: Journal,
        meta_table: MetaTable,
        line: CurrentKeeper,
        tasks: Tasks,
        trees: ProcessTrees,
        purge: Purge,
    ) -> None:
        """`purge`: has the keeper end the orphans of runs; called from a thread."""
        self._registry = registry
        self._journal = journal
        self._meta_table = meta_table
        self._line = line
        self._tasks = tasks
        self._trees = trees
        self._purge = purge
        self._runs: dict[str, LeftRun] = {}
        self._looks: dict[str, asyncio.Task[None]] = {}
        """The look at what a run has left, while it is under way."""

    def load(self) -> None:
        """Read what the supervisor before us has noted; nothing outlives a restart of the machine."""
        text = self._meta_table.get(LEFT_FACT)
        stored = None if text is None else msgspec.json.decode(text, type=StoredLeftRuns)
        if stored is not None and stored.boot == self._registry.boot:
            self._runs = stored.runs

    def on_conclusion(self, concluded: RunConcluded) -> None:
        """A run is over: note what it has left, if it may."""
        run = self._registry.run(concluded.run) if concluded.spared else None
        if run is None or not run.pid or run.boot != self._registry.boot:
            return
        self._runs = {**self._runs, run.id: LeftRun(run.mission, run.pid, run.ticks, run.mark, ())}
        self._save()  # so that the next daemon looks, if this one ends before it has
        self._look(run.id)

    def resume(self) -> None:
        """Look where the supervisor before us did not come that far."""
        for run, left in self._runs.items():
            if not left.processes:
                self._look(run)

    def _look(self, run: str) -> None:
        look = self._looks[run] = self._tasks.start(self._note(run))
        look.add_done_callback(lambda _: self._looks.pop(run, None))

    def on_removal(self, removed: MissionRemoved) -> None:
        """A mission was removed, as nothing runs any more of what it has left."""
        self._forget([run for run, left in self._runs.items() if left.mission == removed.mission])

    async def of(self, missions: Iterable[str]) -> list[LeftBehind]:
        """What these missions have left that still runs; those of which nothing does are not among them."""
        runs = await self._noted(missions)
        if not runs:
            return []
        behind: dict[str, list[str]] = {}
        try:
            found = await self._trees.in_thread(self._trees.sweep_left(self._targets(runs), self._seen(runs)).named)
        except OSError as error:  # most likely for want of file descriptors
            behind = {left.mission: [_blind(error)] for left in runs.values()}
            found = {}
        for run, processes in found.items():
            behind.setdefault(runs[run].mission, []).extend(map(process_line, processes))
        return [LeftBehind(one, self._name(one), tuple(lines), self._word(one)) for one, lines in behind.items()]

    async def all(self) -> list[LeftBehind]:
        """What all missions have left that still runs."""
        return await self.of({left.mission for left in self._runs.values()} | {_mission(run) for run in self._looks})

    async def end(self, missions: Iterable[str]) -> Mapping[str, Sequence[str]]:
        """End what these missions have left; return what could not be ended, by mission."""
        runs = await self._noted(missions)
        if not runs:
            return {}
        sweep = self._trees.sweep_left(self._targets(runs), self._seen(runs))
        try:
            found = await self._trees.in_thread(sweep.named)
            survivors = await self._end(sweep)
        except OSError as error:
            return {left.mission: [_blind(error)] for left in runs.values()}
        for run, processes in found.items():
            mission = self._registry.get(runs[run].mission)
            alive = {one.pid for one in survivors.get(run, ())}
            ended = [one for one in processes if one.pid not in alive]
            if mission is not None and ended:
                text = f"--- ended in the background: {listed([*map(process_line, ended)])} ---"
                self._registry.record(mission, BackgroundEnded(text=text))
        gone = [run for run in runs if run not in survivors]
        self._forget(gone)
        for run in gone:
            self._line.post("release", run=run)
        stubborn: dict[str, list[str]] = {}
        for run, left in survivors.items():
            stubborn.setdefault(runs[run].mission, []).extend(map(process_line, left))
        return stubborn

    async def _end(self, sweep: Sweep) -> Mapping[str, Sequence[NamedProcess]]:
        try:
            return await self._trees.in_thread(partial(sweep.end, purge=self._purge))
        except (KeeperGone, TimeoutError):  # the keeper is away: what it would catch beside the sweep are chains
            return await self._trees.in_thread(sweep.end)

    async def _note(self, run: str) -> None:
        """Look for what the run has left, and note it."""
        if run not in self._runs:
            return  # its mission was removed
        seen: dict[str, set[Identity]] = {run: set()}
        sweep = self._trees.sweep_left(self._targets({run: self._runs[run]}), seen)
        found = (await self._trees.in_thread(sweep.named)).get(run)
        left = self._runs.get(run)
        mission = None if left is None else self._registry.get(left.mission)
        if not found or left is None or mission is None:
            self._forget([run])
            return
        self._runs = {**self._runs, run: msgspec.structs.replace(left, processes=tuple(sorted(seen[run])))}
        self._save()
        text = f"--- left in the background: {listed([*map(process_line, found)])} ---"
        self._registry.record(mission, BackgroundLeft(text=text))

    async def _noted(self, missions: Iterable[str]) -> dict[str, LeftRun]:
        """The runs of these that have left something, once all that ended by now are noted."""
        wanted = set(missions)
        if looks := [look for run, look in self._looks.items() if _mission(run) in wanted]:
            await asyncio.wait(looks)
        return {run: left for run, left in self._runs.items() if left.mission in wanted}

    def _targets(self, runs: Mapping[str, LeftRun]) -> list[RunTarget]:
        """How the processes of these runs are found."""
        home = self._trees.home
        return [
            self._trees.target_of_ended(RunTarget(run, left.mission, home, left.pid, left.ticks, mark=left.mark))
            for run, left in runs.items()
        ]

    def _seen(self, runs: Mapping[str, LeftRun]) -> dict[str, set[Identity]]:
        return {run: set(left.processes) for run, left in runs.items()}

    def _name(self, mission_id: str) -> str:
        mission: Mission | None = self._registry.get(mission_id)
        return mission_id if mission is None else mission.definition.name

    def _word(self, mission_id: str) -> str:
        name = self._name(mission_id)
        try:
            meant = find(self._registry, name, live_first=True, alone=True)
        except OvermindError:
            return mission_id
        return name if meant.id == mission_id else mission_id

    def _forget(self, runs: Collection[str]) -> None:
        if self._runs.keys() & set(runs):
            self._runs = {run: left for run, left in self._runs.items() if run not in runs}
            self._save()

    def _save(self) -> None:
        text = msgspec.json.encode(StoredLeftRuns(self._registry.boot, self._runs)).decode()
        self._journal.save(lambda: self._meta_table.save(LEFT_FACT, text))


def _mission(run: str) -> str:
    return run.partition(".")[0]


def _blind(error: OSError) -> str:
    return to_wire(f"can't list processes: {error}")


def go_on(behind: Iterable[LeftBehind]) -> list[str]:
    """A sentence for each mission of which something goes on while the daemon ends."""
    return [f"Processes of {one.name} go on in the background: {listed(one.processes)}. {_end(one)}" for one in behind]


def kept(behind: Iterable[LeftBehind]) -> list[str]:
    """A sentence for each mission that stays where others are removed: without it nobody could name what goes on."""
    return [
        f"Mission {one.mission} ({one.name}) is kept, as its processes go on in the background: "
        f"{listed(one.processes)}. {_end(one)}"
        for one in behind
    ]


def removal_refusal(behind: Sequence[LeftBehind], word: str) -> OvermindError:
    """The error of a removal of what has left something that goes on; `word`: what the removal was asked for."""
    found = "; ".join(f"{one.name} has {listed(one.processes)}" for one in behind)
    ways = f"{_end(behind[0])}, or with the record: overmind rm --force {word}"
    lines = [line for one in behind for line in one.processes]
    return OvermindError("not_finished", f"Processes go on in the background: {found}. {ways}", background=lines)


def _end(one: LeftBehind) -> str:
    return f"End them with: overmind kill {one.word}"
