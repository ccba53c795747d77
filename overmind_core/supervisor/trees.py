"""The processes of a mission: which they are, and what is done to all of them at once, in threads beside the loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from overmind_core.system.leave import LEAVE
from overmind_core.system.membership import Target
from overmind_core.system.processtree import machine
from overmind_core.system.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from overmind_core.domain.mission import Mission
    from overmind_core.supervisor.book import Book
    from overmind_core.system.process import Identity
    from overmind_core.system.sweep import Named

T = TypeVar("T")


class Trees:
    """Looks at the machine for the missions on the book. `leave`: programs that are never touched, beside our own."""

    def __init__(self, book: Book, home: str, leave: Sequence[str]) -> None:
        self._book = book
        self._home = home
        self._leave = (*LEAVE, *leave)
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="sweep")
        self.keeper_pid: int | None = None
        """Of the keeper that holds the missions."""

    def target(self, mission: Mission) -> Target | None:
        """What a sweep must know of the mission's newest run; None when it has no process of this boot."""
        run = self._book.runs.get(mission.id)
        if run is None or run.number != mission.run or not run.pid or run.boot != self._book.boot:
            return None
        first = run.ticks
        if mission.definition.leave_background:
            first = min((one.ticks for one in self._book.runs_of(mission.id) if one.boot == run.boot), default=first)
        return Target(run.id, mission.id, self._home, run.pid, run.ticks, first, run.mark)

    async def send(self, mission: Mission, signals: Sequence[int]) -> None:
        """Signal the whole tree, now."""
        if (target := self.target(mission)) is not None:
            await self.in_thread(partial(self.sweep([target]).signal_tree, signals))

    async def freeze(self, mission: Mission) -> None:
        """SIGSTOP the whole tree."""
        if (target := self.target(mission)) is not None:
            await self.in_thread(self.sweep([target]).freeze)

    async def thaw(self, mission: Mission) -> None:
        """SIGCONT the whole tree."""
        if (target := self.target(mission)) is not None:
            await self.in_thread(self.sweep([target]).thaw)

    async def identities(self, targets: Sequence[Target]) -> Mapping[str, set[Identity]]:
        """The processes of each run, by run."""
        return await self.in_thread(self.sweep(targets).identities)

    async def end_without_keeper(self, targets: Sequence[Target]) -> Mapping[str, list[Named]]:
        """End what a dead keeper has left."""
        if not targets:
            return {}
        return await self.in_thread(Sweep(targets, keeper=None, on=machine(self._leave)).end)

    def sweep(self, targets: Sequence[Target], seen: dict[str, set[Identity]] | None = None) -> Sweep:
        """A sweep of these runs; `seen`: what earlier ones found, by run. Its functions block: see `in_thread`."""
        return Sweep(targets, keeper=self.keeper_pid, on=machine(self._leave), seen=seen)

    async def in_thread(self, call: Callable[[], T]) -> T:
        """Call what blocks."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
