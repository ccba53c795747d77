"""The exit journal: how runs ended, on disk before anybody is notified; it outlives the keeper."""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LARGE = 1 << 20
"""Bytes."""
_encode = json.JSONEncoder(separators=(",", ":")).encode


class ExitJournal:
    """Appends to `exits.ndjson`; its descriptor is opened at start, so a lack of them never matters."""

    __slots__ = ("_due", "_fd", "_size")

    def __init__(self, path: str) -> None:
        """Raises OSError: the file can't be opened."""
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._fd).st_size
        torn = self._size > 0 and os.pread(self._fd, 1, self._size - 1) != b"\n"
        self._due = b"\n" if torn else b""

    @property
    def is_due(self) -> bool:
        """Whether the disk refused something that has to be tried again."""
        return bool(self._due)

    def add(self, record: Mapping[str, object]) -> bytes:
        """Append one exit, and return its line. What the disk refuses is kept for `flush`; never raises."""
        line = _encode(record).encode() + b"\n"
        self._due += line
        self.flush()
        return line

    def flush(self) -> None:
        """Write what is due, as far as the disk takes it."""
        try:
            while self._due:
                wrote = os.write(self._fd, self._due)
                self._due = self._due[wrote:]
                self._size += wrote
        except OSError:
            return

    def truncate_if_large(self) -> None:
        """Empty the file once it has grown: all in it is committed elsewhere. Loses nothing that is due."""
        if self._size > LARGE and not self._due:
            os.ftruncate(self._fd, 0)
            self._size = 0
