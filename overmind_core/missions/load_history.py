"""The load of live missions in the last minutes: a sample every few seconds, whoever looks, and bounded."""

from __future__ import annotations

import asyncio
from array import array
from typing import TYPE_CHECKING

from overmind_core.missions.resources import FRESH_SECONDS

if TYPE_CHECKING:
    from overmind_core.missions.answer_types import LoadSamples
    from overmind_core.missions.output_progress import OutputProgress
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.resources import Resources, Usage

STEP_SECONDS = 5.0
STEP_OF_EACH = 0.05
"""Seconds between two samples for each live mission: a large fleet is sampled less often, for what that takes."""
KEPT = 240
"""Samples of each mission, 12 bytes each."""
FIGURES = 3
"""Of each sample: percent of a core, resident bytes, bytes of output a second."""


class LoadHistory:
    """The newest samples of each live mission, in memory alone."""

    def __init__(self, registry: Registry, resources: Resources, progress: OutputProgress) -> None:
        self._registry = registry
        self._resources = resources
        self._progress = progress
        self._samples: dict[str, array[float]] = {}
        self._step = STEP_SECONDS

    async def run(self) -> None:
        """Sample while any mission lives, for as long as the supervisor does."""
        while True:
            await self._registry.index.some_live.wait()
            await asyncio.sleep(self._step)
            if (longer := _step_of(len(self._registry.live)) - self._step) > 0:  # there are more than at the last one
                await asyncio.sleep(longer)
            missions = list(self._registry.live.values())
            try:
                used = await self._resources.usage(missions, fresh=max(FRESH_SECONDS, 2 * self._step))
            except OSError:  # too few descriptors are left just now: there will be another sample
                continue
            self.add(used, {one.id: self._progress.rate(one.run_id) for one in missions})

    def add(self, used: dict[str, Usage], rates: dict[str, float]) -> None:
        """Take a sample of these, and forget all others."""
        self._step = _step_of(len(used))
        self._samples = {one: self._samples.get(one, array("f")) for one in used}
        for mission, usage in used.items():
            samples = self._samples[mission]
            samples.extend((usage.cpu_percent, usage.memory_bytes, rates.get(mission, 0.0)))
            del samples[: -KEPT * FIGURES]

    def of(self, mission: str) -> LoadSamples:
        """The samples of a mission, the newest last; none of one that does not run."""
        samples = self._samples.get(mission, array("f"))
        return {
            "step_seconds": self._step,
            "cpu_percent": [round(one, 1) for one in samples[0::FIGURES]],
            "memory_bytes": [int(one) for one in samples[1::FIGURES]],
            "output_bytes_per_second": [round(one, 1) for one in samples[2::FIGURES]],
        }


def _step_of(count: int) -> float:
    """Seconds between two samples of so many missions."""
    return max(STEP_SECONDS, count * STEP_OF_EACH)
