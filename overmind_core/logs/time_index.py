"""The time index of a log: when each byte was written, and in which order `out` and `err` came, in records of 24 bytes.

A record says that a stream had reached `offset` by `wall`. Records stand in the order of events, so walking them
merges the two streams exactly as the keeper read them.
"""

from __future__ import annotations

import struct
from collections import namedtuple

OUT = 0
"""`out` reached `offset`."""
ERR = 1
RESIZE = 2
"""offset: of `out`; extra: columns << 16 | rows."""
DROPPED_OUT = 3
"""Retention dropped what lay before `offset`."""
DROPPED_ERR = 4

INTERVAL = 50
"""Milliseconds; within them output of one stream shares a record."""

RECORD = struct.Struct("<QQBxxxI")

Record = namedtuple("Record", ("wall", "offset", "kind", "extra"))  # noqa: PYI024 - typing costs the keeper 1 MB
"""wall in milliseconds since the epoch."""


def pack(wall: int, offset: int, kind: int, extra: int = 0) -> bytes:
    """One record; `wall` in milliseconds since the epoch."""
    return RECORD.pack(wall, offset, kind, extra)


def unpack(data: bytes) -> list[Record]:
    """Every whole record of an index segment; a torn last one is left out."""
    whole = len(data) - len(data) % RECORD.size
    return [Record(*fields) for fields in RECORD.iter_unpack(data[:whole])]


def resize_extra(columns: int, rows: int) -> int:
    """The `extra` of a RESIZE record."""
    return (columns & 0xFFFF) << 16 | (rows & 0xFFFF)


def resize_size(extra: int) -> tuple[int, int]:
    """Return (columns, rows) of a RESIZE record's `extra`."""
    return extra >> 16, extra & 0xFFFF


class IndexPolicy:
    """Decides which records output makes; no IO.

    At most one per `INTERVAL`, but always one after the first bytes and at each switch between the streams.
    """

    __slots__ = ("_first", "_last", "_offset", "_recorded", "_recorded_at", "_stream")

    def __init__(self) -> None:
        self._stream = -1
        self._offset = 0
        self._first = 0
        self._last = 0
        self._recorded = 0
        self._recorded_at = 0

    def on_growth(self, stream: int, offset: int, wall: int) -> bytes:
        """Records to write now that `stream` has grown to `offset` at `wall` (ms); often none."""
        if stream != self._stream:
            records = self.flush() + pack(wall, offset, stream)
        elif abs(wall - self._recorded_at) < INTERVAL:
            if self._offset == self._recorded:
                self._first = wall
            self._offset = offset
            self._last = wall
            return b""
        else:
            # Bytes from before a silence keep their own time.
            late = abs(wall - self._first) > INTERVAL
            records = (self.flush() if late else b"") + pack(wall, offset, stream)
        self._stream = stream
        self._offset = self._recorded = offset
        self._last = self._recorded_at = wall
        return records

    def flush(self) -> bytes:
        """The record of what was not noted yet; before a switch, a new index segment and the end."""
        if self._stream < 0 or self._offset == self._recorded:
            return b""
        self._recorded = self._offset
        return pack(self._last, self._offset, self._stream)
