"""Retention: keeps a mission's logs below their limit by dropping the oldest bytes, and records in the index what went.

Only the keeper calls this, at each rotation and as a run begins to write. What is being written and what a parser still
has to read stays; the latter only up to four times the limit. An earlier run that has lost all loses its folder, too.
"""

from __future__ import annotations

import os
from itertools import pairwise

from overmind_core.logs import time_index
from overmind_core.logs.layout import STREAMS, data_name, data_starts, index_name, index_numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Offsets = tuple[int, int]
    """Of out and err, in bytes."""

HELD_FACTOR = 4
"""A held cursor is respected up to this many times the limit."""
_KINDS = (time_index.DROPPED_OUT, time_index.DROPPED_ERR)
_HEADERS = 2
"""Records that every index segment begins with: where out and err were then."""


def trim(mission: str, limit: int, *, held: Mapping[int, Offsets], writing: Mapping[int, Offsets], wall: int) -> None:
    """Delete the oldest data segments until the folder `mission` holds at most `limit` bytes.

    Args:
        mission: the folder of all runs of one mission.
        limit: bytes.
        held: run number → offsets that a parser has not passed yet.
        writing: run number → first offsets of the segments that are being written.
        wall: milliseconds since the epoch, for the record in the index.
    """
    total = _size(mission)
    for number in sorted(int(name) for name in os.listdir(mission) if name.isdigit()):
        if total <= limit:
            return
        run = _RunFolder(f"{mission}/{number:06d}", held.get(number), writing.get(number))
        total -= run.trim(total - limit, total - HELD_FACTOR * limit, wall)
        total -= run.trim_index()


class _RunFolder:
    """One run's folder."""

    __slots__ = ("_folder", "_held", "_writing")

    def __init__(self, folder: str, held: Offsets | None, writing: Offsets | None) -> None:
        self._folder = folder
        self._held = held
        self._writing = writing

    def trim(self, excess: int, hard_excess: int, wall: int) -> int:
        """Free `excess` bytes, the oldest first, of held ones only `hard_excess`; return how many were freed."""
        left = [self._segments(stream) for stream in range(len(STREAMS))]
        dropped = [-1] * len(STREAMS)
        freed = 0
        while any(left):
            stream = self._oldest(left)
            start, end = left[stream].pop(0)
            is_held = self._held is not None and end > self._held[stream]
            if freed >= (hard_excess if is_held else excess):
                left[stream].clear()  # what follows is held as well, or not needed either
                continue
            freed += self._unlink(data_name(stream, start))
            dropped[stream] = end
        for kind, end in zip(_KINDS, dropped, strict=True):
            if end >= 0:
                self._record(time_index.pack(wall, end, kind))
        return freed

    def trim_index(self) -> int:
        """Drop index segments that speak only of bytes that are gone; return how many bytes were freed.

        Those of a run that has ended and has lost all go with its folder: of thousands of runs they would grow too.
        """
        names = os.listdir(self._folder)
        starts = [data_starts(names, stream) for stream in range(len(STREAMS))]
        freed = 0
        if self._writing is None and not any(starts):
            freed = sum(map(self._unlink, names))
            os.rmdir(self._folder)
            return freed
        kept = [(found or [1 << 63])[0] for found in starts]
        for number, successor in pairwise(index_numbers(names)):
            first = self._first_offsets(index_name(successor))
            if not first or any(offset > oldest for offset, oldest in zip(first, kept, strict=True)):
                break
            freed += self._unlink(index_name(number))
        return freed

    def _segments(self, stream: int) -> list[tuple[int, int]]:
        """(start, end) of every segment that nobody writes any more, oldest first."""
        starts = data_starts(os.listdir(self._folder), stream)
        if self._writing is not None:
            return [(start, end) for start, end in pairwise(starts) if start < self._writing[stream]]
        ends = [start + os.stat(f"{self._folder}/{data_name(stream, start)}").st_size for start in starts[-1:]]
        return list(zip(starts, [*starts[1:], *ends], strict=True))

    def _oldest(self, left: list[list[tuple[int, int]]]) -> int:
        """The stream whose first segment was written to the longest ago; one of these has a segment."""

        def written_at(stream: int) -> int:
            return os.stat(f"{self._folder}/{data_name(stream, left[stream][0][0])}").st_mtime_ns

        return min((stream for stream, segments in enumerate(left) if segments), key=written_at)

    def _first_offsets(self, name: str) -> list[int]:
        """What the segment's first records say; empty when they are torn."""
        with open(f"{self._folder}/{name}", "rb", buffering=0) as file:
            records = time_index.unpack(file.read(_HEADERS * time_index.RECORD.size))
        return [record.offset for record in records] if len(records) == _HEADERS else []

    def _record(self, record: bytes) -> None:
        numbers = index_numbers(os.listdir(self._folder))
        with open(f"{self._folder}/{index_name(numbers[-1] if numbers else 0)}", "ab", buffering=0) as file:
            file.write(record)

    def _unlink(self, name: str) -> int:
        path = f"{self._folder}/{name}"
        size = os.stat(path).st_size
        os.unlink(path)
        return size


def _size(mission: str) -> int:
    total = 0
    for name in os.listdir(mission):
        if name.isdigit():
            with os.scandir(f"{mission}/{name}") as files:
                total += sum(file.stat().st_size for file in files)
    return total
