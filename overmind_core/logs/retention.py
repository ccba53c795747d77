"""Keeps a mission's logs below its limit by dropping the oldest bytes, and says in the index what went.

Only the keeper calls this, at each rotation. What is being written and what a parser still has to read stays; the
latter only up to four times the limit.
"""

from __future__ import annotations

import os

from overmind_core.logs import timeindex
from overmind_core.logs.layout import STREAMS, data_name, data_starts, index_name, index_numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE = 4
"""A held cursor is respected up to this many times the limit."""
_KINDS = (timeindex.DROPPED_OUT, timeindex.DROPPED_ERR)


def trim(mission: str, limit: int, held: Mapping[int, tuple[int, int]], open_runs: Mapping[int, tuple[int, int]], wall: int) -> None:
    """Delete the oldest data segments until the folder `mission` holds at most `limit` bytes.

    Args:
        mission: the folder of all runs of one mission.
        limit: bytes.
        held: run number → offsets (out, err) that a parser has not passed yet.
        open_runs: run number → first offsets (out, err) of the segments being written.
        wall: milliseconds since the epoch, for the record in the index.
    """
    total = _size(mission)
    for number in sorted(int(name) for name in os.listdir(mission) if name.isdigit()):
        if total <= limit:
            return
        folder = f"{mission}/{number:06d}"
        for stream in range(len(STREAMS)):
            total -= _trim_stream(folder, stream, total - limit, total - PATIENCE * limit,
                                  held.get(number), open_runs.get(number), wall)
        total -= _trim_index(folder)


def _trim_stream(
    folder: str,
    stream: int,
    excess: int,
    hard_excess: int,
    held: tuple[int, int] | None,
    writing: tuple[int, int] | None,
    wall: int,
) -> int:
    starts = data_starts(os.listdir(folder), stream)
    ends = starts[1:]
    if starts and writing is None:
        ends = [*ends, starts[-1] + os.stat(f"{folder}/{data_name(stream, starts[-1])}").st_size]
    freed = 0
    dropped = -1
    for start, end in zip(starts, ends, strict=False):
        if freed >= excess or (writing is not None and start >= writing[stream]):
            break
        if held is not None and end > held[stream] and freed >= hard_excess:
            break
        path = f"{folder}/{data_name(stream, start)}"
        size = os.stat(path).st_size
        os.unlink(path)
        freed += size
        dropped = end
    if dropped >= 0:
        _note(folder, timeindex.pack(wall, dropped, _KINDS[stream]))
    return freed


def _trim_index(folder: str) -> int:
    """Drop index segments that speak only of bytes that are gone; return the bytes freed."""
    names = os.listdir(folder)
    kept = [(data_starts(names, stream) or [1 << 63])[0] for stream in range(len(STREAMS))]
    numbers = index_numbers(names)
    freed = 0
    for number, successor in zip(numbers, numbers[1:], strict=False):
        first = _first_offsets(f"{folder}/{index_name(successor)}")
        if first is None or any(first[stream] > kept[stream] for stream in range(len(STREAMS))):
            break
        path = f"{folder}/{index_name(number)}"
        freed += os.stat(path).st_size
        os.unlink(path)
    return freed


def _first_offsets(path: str) -> tuple[int, int] | None:
    """The two records that every index segment begins with."""
    with open(path, "rb", buffering=0) as file:
        records = timeindex.unpack(file.read(2 * timeindex.RECORD.size))
    return (records[0].offset, records[1].offset) if len(records) == 2 else None


def _note(folder: str, record: bytes) -> None:
    numbers = index_numbers(os.listdir(folder))
    path = f"{folder}/{index_name(numbers[-1] if numbers else 0)}"
    with open(path, "ab", buffering=0) as file:
        file.write(record)


def _size(mission: str) -> int:
    total = 0
    for name in os.listdir(mission):
        if name.isdigit():
            with os.scandir(f"{mission}/{name}") as files:
                total += sum(file.stat().st_size for file in files)
    return total
