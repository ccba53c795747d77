"""How far each run's output is, learnt by asking the keeper for what changed since the last time.

About once a second while anything lives, and at once when something must be known exactly. Output itself never
passes through here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.supervisor.keeperlink import KeeperGone, KeeperRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.supervisor.keeperlink import KeeperLink
    from overmind_core.system.clock import Clock

PERIOD = 1.0
RATE_WINDOW = 5
"""Samples over which an output rate is taken."""


class Extent(NamedTuple):
    """Bytes of each stream in a run's log, and when it last grew (monotonic seconds; 0 = never)."""

    out: int = 0
    err: int = 0
    last: float = 0.0


class Pulse:
    """What the keeper last said of each run it holds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = 0
        self._extents: dict[str, Extent] = {}
        self._samples: dict[str, deque[tuple[float, int]]] = {}
        self._asking: asyncio.Task[None] | None = None
        self.link: KeeperLink | None = None
        self.grown: Callable[[str, Extent], None] = lambda _run, _extent: None
        self.wanted: Callable[[str], bool] = lambda _run: True

    def of(self, run: str) -> Extent:
        """The newest known extent of the run's log."""
        return self._extents.get(run, Extent())

    def rate(self, run: str) -> float:
        """Bytes per second over the last few seconds."""
        samples = self._samples.get(run)
        if not samples:
            return 0.0
        extent = self.of(run)
        elapsed = self._clock.mono() - samples[0][0]
        return max(0.0, (extent.out + extent.err - samples[0][1]) / elapsed) if elapsed > 0 else 0.0

    def set(self, run: str, out: int, err: int, last: float | None = None) -> None:
        """Note what a notice or an answer said of the run."""
        if not self.wanted(run):
            return
        before = self.of(run)
        extent = Extent(out, err, before.last if last is None else last)
        if extent != before:
            self._extents[run] = extent
            self.grown(run, extent)

    def forget(self, run: str) -> None:
        """The run is over."""
        self._extents.pop(run, None)
        self._samples.pop(run, None)

    def restart(self, link: KeeperLink | None) -> None:
        """Ask this keeper from now on, from the beginning."""
        self.link = link
        self._since = 0

    async def refresh(self) -> None:
        """Ask for what changed; callers at the same time share one question."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        await asyncio.shield(self._asking)  # whoever gives up must not take the answer from the others

    async def beat(self, is_needed: Callable[[], bool]) -> None:
        """Refresh once a second for as long as the supervisor lives."""
        while True:
            await asyncio.sleep(PERIOD)
            if is_needed():
                await self.refresh()
                self._sample()

    async def _ask(self) -> None:
        if self.link is None:
            return
        try:
            answer = await self.link.ask("changed", since=self._since)
        except (KeeperGone, KeeperRefused):
            return
        self._since = answer["seq"]
        for row in answer["runs"]:
            self._note(row)

    def _note(self, row: dict[str, Any]) -> None:
        self.set(row["run"], row["out"], row["err"], row["last"])

    def _sample(self) -> None:
        now = self._clock.mono()
        for run, extent in self._extents.items():
            samples = self._samples.setdefault(run, deque(maxlen=RATE_WINDOW))
            samples.append((now, extent.out + extent.err))
