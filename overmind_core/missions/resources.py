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
    from overmind_core.missions.process_trees import ProcessTrees
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


class _Times(NamedTuple):
    """The last sample of a process, and the one before it: at least `PAUSE` lies between them."""

    last: Sample
    before: Sample
    until: float
    """Moment after which nobody who has looked wants to compare with it any more."""

    def base(self, now: float, fresh: float) -> Sample | None:
        """The newest sample that a figure of `now` can be compared with; None: there is none."""
        return next((one for one in (self.last, self.before) if PAUSE <= now - one.at <= fresh), None)


class Meter:
    """The CPU times of processes at earlier looks, whoever looked: several lookers at once disturb none of them."""

    def __init__(self) -> None:
        self._times: dict[Identity, _Times] = {}
        self._forgotten_at = 0.0
        self._lock = Lock()

    async def measure(
        self, trees: Mapping[str, Collection[Identity]], fresh: float = FRESH_SECONDS
    ) -> dict[str, Usage]:
        """The usage of each tree, given the identities of its processes; blocks only a worker thread.

        Args:
            trees: The processes of each.
            fresh: Seconds of which a figure may be the mean.
        """
        if unknown := self.unknown(trees, time.monotonic(), fresh):
            await asyncio.to_thread(self._sample, unknown, fresh)
            await asyncio.sleep(PAUSE)
        return await asyncio.to_thread(self._sample, trees, fresh)

    def unknown(
        self, trees: Mapping[str, Collection[Identity]], now: float, fresh: float = FRESH_SECONDS
    ) -> dict[str, Collection[Identity]]:
        """The trees of which no process has been looked at lately: nothing can be said of them yet."""
        return {name: tree for name, tree in trees.items() if tree and not self._is_known(tree, now, fresh)}

    def _is_known(self, tree: Collection[Identity], now: float, fresh: float) -> bool:
        found = (self._times.get(identity) for identity in tree)
        return any(times is not None and times.base(now, fresh) is not None for times in found)

    def percent(self, identity: Identity, sample: Sample, fresh: float = FRESH_SECONDS) -> float:
        """Percent of a core since a look before this one; 0 at the first look."""
        times = self._times.get(identity, _Times(sample, sample, 0.0))
        base = times.base(sample.at, fresh)
        until = max(times.until, sample.at + fresh)
        if sample.at - times.last.at >= PAUSE:
            self._times[identity] = _Times(sample, times.last, until)
        else:
            self._times[identity] = times._replace(until=until)
        return 0.0 if base is None else 100 * (sample.used - base.used) / (sample.at - base.at)

    def forget(self, now: float) -> None:
        """Drop what is too old to say anything: its process has ended, or nobody looks any more."""
        self._times = {identity: times for identity, times in self._times.items() if now <= times.until}
        self._forgotten_at = now

    def _sample(self, trees: Mapping[str, Collection[Identity]], fresh: float) -> dict[str, Usage]:
        with self._lock:
            found = {name: self._tree(tree, fresh) for name, tree in trees.items()}
            now = time.monotonic()
            if now - self._forgotten_at > FRESH_SECONDS:  # not at each look: who asks for one asks for one alone
                self.forget(now)
            return found

    def _tree(self, tree: Collection[Identity], fresh: float) -> Usage:
        cpu = 0.0
        memory = 0
        for identity in tree:
            found = process_table.usage(identity[0])
            if found is None:
                self._times.pop(identity, None)
            else:
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
