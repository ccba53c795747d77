"""CPU and memory of whole process trees."""

from __future__ import annotations

import asyncio
import os
import time
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.system import process_table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.terminator import ProcessTrees
    from overmind_core.system.process import Identity

FRESH_SECONDS = 10.0
"""An earlier sample older than this says nothing about now."""
PAUSE = 0.2
"""Seconds between two samples when there is no fresh one: over less, the kernel's ticks are too coarse."""


class Sample(NamedTuple):
    """The CPU seconds that a process had used at a moment of the monotonic clock."""

    at: float
    used: float


class Usage(NamedTuple):
    """Of a process tree: percent of one core, resident bytes, number of processes."""

    cpu_percent: float
    memory_bytes: int
    processes: int


def own_memory() -> int:
    """Resident bytes of this process."""
    found = process_table.usage(os.getpid())
    return 0 if found is None else found[1]


class Meter:
    """The CPU times of processes at earlier looks, whoever looked: several lookers at once disturb none of them."""

    def __init__(self) -> None:
        self._samples: dict[Identity, tuple[Sample, Sample]] = {}
        """The last sample, and the one before it: at least `PAUSE` lies between them."""
        self._lock = Lock()

    async def measure(
        self, trees: Mapping[str, Collection[Identity]], fresh: float = FRESH_SECONDS
    ) -> dict[str, Usage]:
        """The usage of each tree, given the identities of its processes; blocks only a worker thread.

        Args:
            trees: The processes of each.
            fresh: Seconds of which a figure may be the mean.
        """
        if not self.knows(trees, time.monotonic(), fresh):
            await asyncio.to_thread(self._sample, trees, fresh)
            await asyncio.sleep(PAUSE)
        return await asyncio.to_thread(self._sample, trees, fresh)

    def knows(self, trees: Mapping[str, Collection[Identity]], now: float, fresh: float = FRESH_SECONDS) -> bool:
        """Whether any of these processes was looked at lately; the others have only just begun."""
        return any(
            identity in self._samples and now - self._samples[identity][0].at <= fresh
            for tree in trees.values()
            for identity in tree
        )

    def percent(self, identity: Identity, sample: Sample, fresh: float = FRESH_SECONDS) -> float:
        """Percent of a core since a look before this one; 0 at the first look."""
        before, older = self._samples.get(identity, (sample, sample))
        base = before if sample.at - before.at >= PAUSE else older
        if sample.at - base.at > fresh or before is sample:
            base = sample
        if before is sample or sample.at - before.at >= PAUSE:
            self._samples[identity] = (sample, before)
        elapsed = sample.at - base.at
        return 100 * (sample.used - base.used) / elapsed if elapsed > 0 else 0.0

    def forget(self, now: float) -> None:
        """Drop what is too old to say anything: its process has ended, or nobody looks any more."""
        self._samples = {key: pair for key, pair in self._samples.items() if now - pair[0].at <= FRESH_SECONDS}

    def _sample(self, trees: Mapping[str, Collection[Identity]], fresh: float) -> dict[str, Usage]:
        with self._lock:
            found = {name: self._tree(tree, fresh) for name, tree in trees.items()}
            self.forget(time.monotonic())
            return found

    def _tree(self, tree: Collection[Identity], fresh: float) -> Usage:
        cpu = 0.0
        memory = 0
        for identity in tree:
            found = process_table.usage(identity[0])
            if found is not None:
                cpu += self.percent(identity, Sample(time.monotonic(), found[0]), fresh)
                memory += found[1]
        return Usage(round(cpu, 1), memory, len(tree))


class Resources:
    """What missions use now."""

    def __init__(self, trees: ProcessTrees) -> None:
        self._trees = trees
        self._meter = Meter()

    async def usage(self, missions: Sequence[Mission], fresh: float = FRESH_SECONDS) -> dict[str, Usage]:
        """What the process trees of these missions use, by mission; those without a process are left out.

        `fresh`: seconds of which a figure may be the mean, where they were looked at before.
        """
        targets = {one.id: target for one in missions if (target := self._trees.target(one)) is not None}
        if not targets:
            return {}
        trees = await self._trees.identities(list(targets.values()))
        return await self._meter.measure({one: trees[target.run] for one, target in targets.items()}, fresh)
