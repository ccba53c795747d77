"""CPU and memory of whole process trees, asked of psutil for what somebody looks at."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.terminator import ProcessTrees
    from overmind_core.system.process import Identity

FRESH_SECONDS = 10.0
"""An earlier sample older than this says nothing about now."""
PAUSE = 0.2
"""Seconds between two samples when there is no fresh one."""


class Usage(NamedTuple):
    """Of a process tree: percent of one core, resident bytes, number of processes."""

    cpu_percent: float
    memory_bytes: int
    processes: int


def own_memory() -> int:
    """Resident bytes of this process."""
    import psutil  # noqa: PLC0415 - for those who look: 6 ms of each start otherwise

    return int(psutil.Process().memory_info().rss)


class Meter:
    """Remembers each process' CPU time from the last look."""

    def __init__(self) -> None:
        self._at = 0.0
        self._times: dict[Identity, float] = {}

    async def measure(self, trees: Mapping[str, set[Identity]]) -> dict[str, Usage]:
        """The usage of each tree, given the identities of its processes; blocks only a worker thread."""
        if time.monotonic() - self._at > FRESH_SECONDS:
            await asyncio.to_thread(self._sample, trees)
            await asyncio.sleep(PAUSE)
        return await asyncio.to_thread(self._sample, trees)

    def _sample(self, trees: Mapping[str, set[Identity]]) -> dict[str, Usage]:
        now = time.monotonic()
        elapsed = now - self._at
        before, self._times, self._at = self._times, {}, now
        return {name: self._tree(tree, before, elapsed) for name, tree in trees.items()}

    def _tree(self, tree: set[Identity], before: Mapping[Identity, float], elapsed: float) -> Usage:
        import psutil  # noqa: PLC0415 - as above

        cpu = 0.0
        memory = 0
        for identity in tree:
            try:
                process = psutil.Process(identity[0])
                with process.oneshot():
                    times = process.cpu_times()
                    memory += process.memory_info().rss
            except psutil.Error:
                continue
            used = times.user + times.system
            self._times[identity] = used
            cpu += used - before.get(identity, used)
        return Usage(round(100 * cpu / elapsed, 1) if elapsed > 0 else 0.0, memory, len(tree))


class Resources:
    """What missions use now."""

    def __init__(self, trees: ProcessTrees) -> None:
        self._trees = trees
        self._meter = Meter()

    async def usage(self, missions: Sequence[Mission]) -> dict[str, Usage]:
        """What the process trees of these missions use, by mission; those without a process are left out."""
        targets = {one.id: target for one in missions if (target := self._trees.target(one)) is not None}
        if not targets:
            return {}
        trees = await self._trees.identities(list(targets.values()))
        return await self._meter.measure({one: trees[target.run] for one, target in targets.items()})
