"""The reader of the time index: from which record on, and what was written by a moment.

A torn last record is left out, a segment that vanishes is skipped, a missing index is an empty one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import partial

from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.run_files import RunFiles
from overmind_core.logs.time_index import DROPPED_ERR, RECORD

Entry = tuple[int, int, int, int]
"""wall (milliseconds since the epoch), offset, kind, extra."""
_KIND = 16
"""Where in a record its kind stands: behind two numbers of 8 bytes."""
LAST_MOMENT = 253_402_300_799_999
"""Milliseconds since the epoch: the end of the year 9999, the last that a date can show."""
Offsets = tuple[int, int]
"""Of `out` and `err`."""


class IndexReader:
    """The index of one run's log."""

    def __init__(self, files: RunFiles) -> None:
        self._files = files

    def entries(self, since: Offsets = (0, 0)) -> Iterator[Entry]:
        """The records in their order, from one on that stands before everything behind `since`."""
        numbers = self._numbers()
        first = bisect_right(numbers, False, key=lambda number: self._begins_behind(number, since))
        at = max(first - 1, 0)
        # A size that was given before the first byte stands in a segment of its own, which begins where the next does.
        while at > 0 and self._begin(numbers[at]) == self._begin(numbers[at - 1]):
            at -= 1
        for number in numbers[at:]:
            data = self._read(number)
            begin = _behind(data, since) * RECORD.size if number == numbers[at] and any(since) else 0
            for entry in RECORD.iter_unpack(data[begin:]):
                if entry[0] <= LAST_MOMENT and entry[2] <= DROPPED_ERR:  # else the file is damaged
                    yield entry

    def is_damaged(self, ends: Offsets | None) -> bool:
        """Whether times that it tells can't be relied on.

        Args:
            ends: What the streams have reached; None: it still grows, and the index with it.
        """
        numbers = self._numbers()
        if numbers and numbers[-1] - numbers[0] + 1 != len(numbers):
            return True
        reached = [0, 0]
        for number in numbers:
            for wall, offset, kind, _ in RECORD.iter_unpack(self._read(number)):
                if wall > LAST_MOMENT or kind > DROPPED_ERR:
                    return True
                if kind in {OUT, ERR}:
                    if offset < reached[kind]:
                        return True
                    reached[kind] = offset
        return ends is not None and tuple(reached) != ends

    def offsets_at(self, wall: float) -> Offsets | None:
        """What each stream had reached before `wall` (seconds since the epoch); None without an index.

        A clock that was set back makes this a guess; it is never off by more than that step.
        """
        moment = int(wall * 1000)
        numbers = self._numbers()
        following = bisect_left(numbers, moment, key=self._wall)
        if not numbers:
            return None
        return self._offsets_in(self._read(numbers[max(following - 1, 0)]), moment)

    def _offsets_in(self, data: bytes, moment: int) -> Offsets:
        """Search one segment; it begins with a record of each stream."""
        size = RECORD.size
        behind = bisect_left(range(len(data) // size), moment, key=lambda at: _wall_at(data, at * size))
        found: dict[int, int] = {}
        for at in range(min(max(behind, 2), len(data) // size) - 1, -1, -1):
            _, offset, kind, _ = RECORD.unpack_from(data, at * size)
            if kind in {OUT, ERR}:
                found.setdefault(kind, offset)
            if len(found) == len((OUT, ERR)):
                break
        return found.get(OUT, 0), found.get(ERR, 0)

    def _begins_behind(self, number: int, offsets: Offsets) -> bool:
        return any(offset > offsets[kind] for kind, offset in self._begin(number))

    def _begin(self, number: int) -> list[tuple[int, int]]:
        """The streams of which a segment says where it begins, and where that is."""
        head: list[Entry] = list(RECORD.iter_unpack(self._read(number, RECORD.size * 2)))
        return [(kind, offset) for _, offset, kind, _ in head if kind in {OUT, ERR}]

    def _wall(self, number: int) -> int:
        head = self._read(number, RECORD.size)
        return _wall_at(head, 0) if head else 0

    def _numbers(self) -> list[int]:
        return self._files.index_numbers()

    def _read(self, number: int, limit: int = -1) -> bytes:
        """Whole records of a segment; none when it is gone."""
        data = self._files.read_index(number, limit)
        return data[: len(data) - len(data) % RECORD.size]


def _behind(data: bytes, since: Offsets) -> int:
    """The first record that tells of bytes behind `since`; found without reading those before it."""
    size = RECORD.size
    kinds = data[_KIND::size]

    def reached(at: int, kind: int) -> int:
        last = kinds.rfind(kind, 0, at + 1)
        return int(RECORD.unpack_from(data, last * size)[1]) if last >= 0 else -1

    places = range(len(kinds))
    return min(bisect_right(places, since[kind], key=partial(reached, kind=kind)) for kind in (OUT, ERR))


def _wall_at(data: bytes, at: int) -> int:
    wall: int = RECORD.unpack_from(data, at)[0]
    return wall
