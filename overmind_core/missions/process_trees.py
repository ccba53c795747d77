"""The processes of each mission, on which a sweep acts all at once, in threads beside the loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakValueDictionary

from overmind_core.domain.replacing import replace
from overmind_core.missions.tree_members import TreeMembers
from overmind_core.system import process_table
from overmind_core.system.membership import EXEMPT_PROGRAMS, RunTarget, Siblings
from overmind_core.system.process_table import children, new_process_table, now_ticks, tells_children
from overmind_core.system.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.tree_members import Identities
    from overmind_core.system.process import Identity
    from overmind_core.system.sweep import NamedProcess

T = TypeVar("T")


class ProcessTrees:
    """Looks at the machine for the registry's missions. `leave`: programs that are never touched, beside our own."""

    def __init__(self, registry: Registry, home: str, leave: Sequence[str]) -> None:
        self._registry = registry
        self.home = home
        self._leave = (*EXEMPT_PROGRAMS, *leave)
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="sweep")
        self._facts = new_process_table(self._leave)
        self._members = TreeMembers(self.sweep, self._is_newest, self._orphans, self._facts)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By mission, while one freezes or thaws it."""
        self.certain_since = now_ticks()
        """What is older may have been left by a run on purpose, one that ended before we came or with its spared."""

    def target(self, mission: Mission) -> RunTarget | None:
        """What a sweep must know of the mission's newest run; None when it has no process of this boot."""
        run = self._registry.runs.get(mission.id)
        if run is None or run.number != mission.run or not run.pid or run.boot != self._registry.boot:
            return None
        first = run.ticks
        if mission.definition.leave_background:
            first = min(
                (one.ticks for one in self._registry.runs_of(mission.id) if one.boot == run.boot), default=first
            )
        return RunTarget(run.id, mission.id, self.home, run.pid, run.ticks, first, run.mark)

    def target_of_ended(self, target: RunTarget) -> RunTarget:
        """The target of a run that is over, as its processes are found by now.

        The environment names a mission and no run, so it tells nothing while another run of it lives. A mark tells only
        while the keeper lives that gave it: the next keeper gives the same numbers to other runs.
        """
        keeper = None if self._registry.keeper_pid is None else process_table.read(self._registry.keeper_pid)
        return replace(
            target,
            mission=target.run if target.mission in self._registry.live else target.mission,
            mark=target.mark if keeper is not None and keeper.ticks <= target.root_ticks else 0,
        )

    async def send(self, mission: Mission, signals: Sequence[int]) -> None:
        """Signal the whole tree, now."""
        if (target := self.target(mission)) is not None:
            await self.in_thread(partial(self.sweep([target]).signal_tree, signals))

    async def freeze(self, mission: Mission) -> None:
        """SIGSTOP the whole tree, after what was asked for before."""
        await self._in_turn(mission, lambda sweep: sweep.freeze())

    async def thaw(self, mission: Mission) -> None:
        """SIGCONT the whole tree, after what was asked for before."""
        await self._in_turn(mission, lambda sweep: sweep.thaw())

    async def _in_turn(self, mission: Mission, act: Callable[[Sweep], object]) -> None:
        """One after the other: a freeze that is still under way would stop again what a thaw lets go on."""
        async with self._turns.setdefault(mission.id, asyncio.Lock()):
            if (target := self.target(mission)) is not None:
                await self.in_thread(partial(act, self.sweep([target])))

    async def identities(self, targets: Sequence[RunTarget]) -> Mapping[str, Identities]:
        """The processes of each run, by run; the very same object as before while none of them has run since."""
        return await self.in_thread(partial(self._members.of, targets))

    async def processes(self, missions: Iterable[Mission]) -> set[int] | None:
        """The pids of these missions' newest runs, programs that are never ended among them; None: none is known."""
        targets = [target for mission in missions if (target := self.target(mission)) is not None]
        if not targets:
            return None
        sweep = self.sweep(targets)
        found = await self.in_thread(sweep.alive)
        return sweep.spared.union(*found.values())

    async def end_without_keeper(self, targets: Sequence[RunTarget]) -> Mapping[str, list[NamedProcess]]:
        """End what a dead keeper has left."""
        if not targets:
            return {}
        return await self.in_thread(Sweep(targets, keeper=None, on=new_process_table(self._leave)).end)

    def sweep(self, targets: Sequence[RunTarget], seen: dict[str, set[Identity]] | None = None) -> Sweep:
        """A sweep of these runs; `seen`: what earlier ones found, by run. Its functions block: see `in_thread`."""
        others = Siblings(partial(self._others, {target.run for target in targets}), self.certain_since)
        table = new_process_table(self._leave)
        return Sweep(targets, keeper=self._registry.keeper_pid, on=table, seen=seen, others=others)

    def sweep_left(self, targets: Sequence[RunTarget], seen: dict[str, set[Identity]]) -> Sweep:
        """A sweep of runs that are over: what nothing explains is not theirs. `seen`: as of `sweep`."""
        return Sweep(targets, keeper=self._registry.keeper_pid, on=new_process_table(self._leave), seen=seen)

    def _is_newest(self, run: str) -> bool:
        """Whether it is the newest run of a live mission."""
        mission = self._registry.live.get(run.partition(".")[0])
        return mission is not None and mission.run_id == run

    def _orphans(self) -> frozenset[int] | None:
        """The keeper's children that are no run's first process; None: the system has nobody come to it."""
        keeper = self._registry.keeper_pid
        if keeper is None or not self._facts.adopting or not tells_children():
            return None
        roots = {run.pid for run in list(self._registry.runs.values())}
        return frozenset(pid for pid in children(keeper) if pid not in roots)

    def _others(self, runs: Collection[str]) -> list[RunTarget]:
        """The runs of live missions but for these. Called from threads: it looks at nothing but dictionaries."""
        newest = [run for run in list(self._registry.runs.values()) if run.id not in runs and run.pid]
        return [
            RunTarget(run.id, run.mission, self.home, run.pid, run.ticks)
            for run in newest
            if run.boot == self._registry.boot and run.mission in self._registry.live
        ]

    async def in_thread(self, call: Callable[[], T]) -> T:
        """Call what blocks."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
