"""The bytes of one stream of a run, addressed by offset, whichever segment holds them.

The keeper appends and deletes meanwhile: every read looks at the folder anew, and what retention dropped is skipped.
"""

from __future__ import annotations

import os
from bisect import bisect_right

from overmind_core.logs.layout import data_name, data_starts


class Segments:
    """One stream (`layout.OUT` or `layout.ERR`) in one run's folder, which needs not exist yet."""

    def __init__(self, folder: str, stream: int) -> None:
        self._folder = folder
        self._stream = stream

    @property
    def start(self) -> int:
        """The offset of the first byte that is kept; 0 when there is none."""
        starts = self._starts()
        return starts[0] if starts else 0

    @property
    def end(self) -> int:
        """The offset behind the last byte that is written."""
        return self._end()[0]

    @property
    def grown_at(self) -> float:
        """When the last byte was written, in seconds since the epoch; 0.0 when there is none."""
        return self._end()[1]

    def read(self, start: int, limit: int) -> tuple[int, bytes]:
        """The `limit` bytes from the offset `start` on, and the offset at which they really begin.

        That is a later one when retention dropped what was asked for. Fewer bytes: no more are written yet (or, with
        retention at work, what follows begins later).
        """
        if limit <= 0:
            return start, b""
        start, data = self._read_some(start, limit)
        pieces = [data]
        end = start + len(data)
        while data and end < start + limit:
            at, data = self._read_some(end, start + limit - end)
            if at != end:
                break
            pieces.append(data)
            end += len(data)
        return start, b"".join(pieces)

    def _read_some(self, start: int, limit: int) -> tuple[int, bytes]:
        """What one segment holds of that."""
        while True:
            starts = self._starts()
            at = bisect_right(starts, start) - 1
            if not starts:
                return start, b""
            if at < 0:
                at, start = 0, starts[0]
            try:
                data = self._read_from(starts[at], start, limit)
            except FileNotFoundError:
                continue
            if data or at + 1 == len(starts):
                return start, data
            start = starts[at + 1]

    def _read_from(self, segment: int, start: int, limit: int) -> bytes:
        file = os.open(self._path(segment), os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(file, limit, start - segment)
        finally:
            os.close(file)

    def _end(self) -> tuple[int, float]:
        while starts := self._starts():
            try:
                status = os.stat(self._path(starts[-1]))
            except FileNotFoundError:
                continue
            return starts[-1] + status.st_size, status.st_mtime
        return 0, 0.0

    def _starts(self) -> list[int]:
        try:
            return data_starts(os.listdir(self._folder), self._stream)
        except FileNotFoundError:
            return []

    def _path(self, segment: int) -> str:
        return f"{self._folder}/{data_name(self._stream, segment)}"
