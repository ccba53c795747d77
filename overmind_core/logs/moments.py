"""The moments at which something changed in a run: what its time index says, as one ascending list.

A clock that was set back stands still here, so that positions in a run never jump back.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.reader import Resize, RunLog
from overmind_core.logs.screen_history import Place
from overmind_core.logs.time_index import RESIZE, resize_size
from overmind_core.logs.time_order import Offsets


class Moment(NamedTuple):
    """What a run had written by a time."""

    wall: float
    """Seconds since the epoch."""
    offsets: Offsets
    sizes: int
    """How many resizes its terminal had got."""

    @property
    def place(self) -> Place:
        """The same for the run's terminal."""
        return Place(self.offsets[OUT], self.sizes)


class Moments:
    """The moments of one run as its log holds them now; the first one is before its first byte that is kept.

    Args:
        log: The run's.
        began_at: When the run began, in seconds since the epoch; None: that is not known.
    """

    def __init__(self, log: RunLog, began_at: float | None = None) -> None:
        self.resizes: list[Resize] = []
        self._walls = array("q")
        self._offsets = array("q"), array("q")
        self._sizes = array("q")
        self._read(log, began_at)

    def __len__(self) -> int:
        return len(self._walls)

    def __getitem__(self, number: int) -> Moment:
        out, err = (offsets[number] for offsets in self._offsets)
        return Moment(self._walls[number] / 1000, (out, err), self._sizes[number])

    @property
    def begin(self) -> float:
        """When it begins, in seconds since the epoch."""
        return self._walls[0] / 1000

    @property
    def end(self) -> float:
        """When the last change was, in seconds since the epoch."""
        return self._walls[-1] / 1000

    def wall(self, number: int) -> float:
        """When a moment was, in seconds since the epoch."""
        return self._walls[number] / 1000

    def by(self, wall: float) -> int:
        """The number of the last moment that is not after a time; 0 when all are."""
        return max(bisect_right(self._walls, int(wall * 1000)) - 1, 0)

    def _read(self, log: RunLog, began_at: float | None) -> None:
        # The end before the index: then nothing that it tells stands behind that end.
        ends, start = log.end, log.start
        reached, is_cut = list(start), any(start)
        for wall, offset, kind, extra in log.records():
            if kind == RESIZE:
                self.resizes.append((wall / 1000, offset, *resize_size(extra)))
            elif kind not in {OUT, ERR} or offset <= reached[kind]:
                continue
            if kind == RESIZE and offset < start[OUT]:
                continue  # before all that is kept
            if not self._walls:
                first = wall if is_cut or began_at is None else min(wall, began_at * 1000)
                self._append(first, start, len(self.resizes) - (kind == RESIZE))
            if kind != RESIZE:
                reached[kind] = min(offset, ends[kind])
            self._append(wall, reached, len(self.resizes))
        if not self._walls:
            self._append(log.grown_at * 1000 if began_at is None else began_at * 1000, start, len(self.resizes))
        if tuple(reached) != ends:  # the index does not know of it yet, or any more
            self._append(log.grown_at * 1000, ends, len(self.resizes))

    def _append(self, wall: float, reached: Sequence[int], sizes: int) -> None:
        self._walls.append(max(int(wall), self._walls[-1] if self._walls else 0))
        for kind in (OUT, ERR):
            self._offsets[kind].append(reached[kind])
        self._sizes.append(sizes)
