"""The lines of one run's standard output, each once, by a cursor into its log.

The cursor stands at the beginning of a line; what has been read of the next one is held, so that a line of many
megabytes is read once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.reader import RunLog

if TYPE_CHECKING:
    from collections.abc import Iterator

WINDOW = 256 * 1024
"""Bytes read at once."""
LONGEST_LINE = 64 * 1024 * 1024
"""Bytes; of a longer line only the length is known."""
ERRORS = 4096
"""Bytes at the end of standard error that say why a run failed."""


class Line(NamedTuple):
    """A line without its newline, and the offset behind it."""

    data: bytes
    end: int


class LineReader:
    """`offset`: where in the stream the first line begins."""

    def __init__(self, path: str, offset: int) -> None:
        self._log = RunLog(path)
        self.offset = offset
        """Behind the last line that was handed out."""
        self._at = offset
        self._parts: list[bytes] = []
        self._held = 0

    def lines(self, until: int) -> Iterator[Line]:
        """The lines that are complete before `until` (an offset), reading at most one window."""
        start, data = self._log.read(OUT, self._at, min(WINDOW, until - self._at)) if until > self._at else (0, b"")
        if not data:
            return
        if start > self._at:  # retention dropped what lay between: the line that it cut means nothing
            self._parts, self._held = [], 0
        self._at, begin = start, 0  # a window may hold a hundred thousand lines: what is left is not copied for each
        while (newline := data.find(b"\n", begin)) >= 0:
            line = data[begin:newline]
            if self._held:
                self._hold(line)
                line = self._taken()
            begin = newline + 1
            self._at = self.offset = start + begin
            yield Line(line, self._at)
        self._hold(data[begin:])
        self._at = start + len(data)

    @property
    def position(self) -> int:
        """Behind the last byte that was read."""
        return self._at

    def remainder(self) -> Line | None:
        """What stands behind the last newline of a run that has ended."""
        data = self._taken()
        self.offset = self._at
        return Line(data, self._at) if data.strip() else None

    def last_bytes(self, end: int, most: int) -> bytes:
        """The output before `end`, of a longer one the last bytes."""
        return self._log.read(OUT, max(0, end - most), most)[1]

    def errors(self, end: int) -> str:
        """The end of standard error, which is `end` bytes long."""
        _, data = self._log.read(ERR, max(0, end - ERRORS), ERRORS)
        return data.decode("utf-8", "replace")

    def _hold(self, data: bytes) -> None:
        self._held += len(data)
        if self._held <= LONGEST_LINE:
            self._parts.append(data)

    def _taken(self) -> bytes:
        data, self._parts, self._held = b"".join(self._parts), [], 0
        return data
