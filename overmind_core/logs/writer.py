"""The writer of one run's log, used by the keeper alone: every byte at once, in segments, with a time index.

Nothing is buffered, so what the keeper has read survives its death. What the disk refuses is kept and tried again.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from overmind_core.logs import time_index
from overmind_core.logs.layout import (
    ERR,
    INDEX_SEGMENT,
    OUT,
    data_name,
    data_starts,
    index_name,
    index_numbers,
    mission_folder,
    run_folder,
    split_run,
)
from overmind_core.logs.retention import trim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Held = Callable[[str], dict[int, tuple[int, int]]]
    """Mission id → run number → offsets (out, err) that a parser has not passed yet."""

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
_TIMES = 1000
"""Milliseconds in a second."""
LOOKED_AT = 64
"""Earlier runs that each new one may look at for room: of twice as many each second run looks, and so on."""


def _nothing_held(_mission: str) -> dict[int, tuple[int, int]]:
    return {}


class RunLogWriter:
    """Appends to one run's folder; files open at the first byte.

    `append` and `record_resize` raise OSError when the disk refuses; what is not written yet is kept. From then on
    `blocked` is true, and nothing may be appended until `retry` has succeeded.
    """

    __slots__ = (
        "_files",
        "_folder",
        "_held",
        "_index",
        "_index_due",
        "_index_number",
        "_index_size",
        "_limit",
        "_logs",
        "_pace",
        "_run",
        "_segment",
        "_starts",
        "_unwritten",
        "offsets",
    )  # fmt: skip

    def __init__(self, logs: str, run: str, *, limit: int, segment: int, held: Held = _nothing_held) -> None:
        """`logs`: the folder of all logs; `limit` and `segment`: bytes of the mission's logs and of one segment."""
        self._logs = logs
        self._run = run
        self._folder = ""
        self._limit = limit
        self._segment = segment
        self._held = held
        self._files = [-1, -1]
        self._starts = [0, 0]
        self._index = -1
        self._index_due = b""
        self._index_number = -1
        self._index_size = 0
        self._pace = time_index.IndexPolicy()
        self._unwritten: tuple[int, bytes] | None = None
        self.offsets = [0, 0]
        """Bytes of `out` and `err` that are in the files."""

    @property
    def blocked(self) -> bool:
        """The disk refused, and something is still to be written."""
        return self._unwritten is not None

    def kept(self, stream: int) -> bytes:
        """What was read of `stream` but is not in the file yet."""
        return self._unwritten[1] if self._unwritten is not None and self._unwritten[0] == stream else b""

    def append(self, stream: int, data: bytes | memoryview, wall: float) -> None:
        """Write `data` at the end of `stream`, and note when; `wall` in seconds since the epoch. Raises OSError."""
        self.write(stream, data)
        self.note_growth(stream, wall)

    def write(self, stream: int, data: bytes | memoryview) -> None:
        """Write `data` at the end of `stream`; `note_growth` has to follow. Raises OSError."""
        at = 0
        length = len(data)
        try:
            file = self._files[stream]
            if file < 0:
                file = self._open(stream)
            at = os.write(file, data)
            while at < length:
                at += os.write(file, data[at:])
        except OSError:
            self._unwritten = (stream, bytes(data[at:]))
            self.offsets[stream] += at
            raise
        self.offsets[stream] += length

    def note_growth(self, stream: int, wall: float) -> None:
        """Note in the index that `stream` has grown, and begin a new segment where that is due. Raises OSError."""
        offset = self.offsets[stream]
        records = self._pace.on_growth(stream, offset, int(wall * _TIMES))
        if records:
            self._write_index(records, stream)
        if offset - self._starts[stream] >= self._segment:
            self._rotate(stream, wall)

    def retry(self, wall: float) -> None:
        """Write what was refused before. Raises OSError while it still is."""
        stream, data = self._unwritten or (OUT, b"")
        self._unwritten = None
        if data:
            self.append(stream, data, wall)
        if self._index_due:
            self._write_index(b"", stream)

    def record_resize(self, columns: int, rows: int, wall: float) -> None:
        """Note the terminal's new size. Raises OSError."""
        extra = time_index.resize_extra(columns, rows)
        record = time_index.pack(int(wall * _TIMES), self.offsets[OUT], time_index.RESIZE, extra)
        self._index_due += self._pace.flush() + record
        if not self.blocked:
            self._write_index(b"", OUT)

    def record_end(self, wall: float) -> None:
        """The root process has ended and all it wrote is here: note that moment. Raises OSError."""
        if self._index >= 0 and not self.blocked:
            at = int(wall * _TIMES)
            ends = [time_index.pack(at, self.offsets[stream], stream) for stream in (OUT, ERR)]
            self._write_index(self._pace.flush() + b"".join(ends), OUT)

    def close(self) -> None:
        """Let go of all files."""
        for file in (*self._files, self._index):
            if file >= 0:
                os.close(file)
        self._files = [-1, -1]
        self._index = -1

    def _write_index(self, records: bytes, stream: int) -> None:
        due = self._index_due + records
        at = 0
        try:
            if self._index < 0 or self._index_size >= INDEX_SEGMENT:
                due = self._next_index() + due
            while at < len(due):
                wrote = os.write(self._index, due[at:])
                at += wrote
                self._index_size += wrote
        except OSError:
            self._index_due = due[at:]
            self._unwritten = (stream, b"")
            raise
        self._index_due = b""

    def _open(self, stream: int) -> int:
        """Open the segment that begins at the current offset, and an index segment beside it."""
        folder = self._make_folder()
        file = os.open(f"{folder}/{data_name(stream, self.offsets[stream])}", _FLAGS, 0o600)
        self._files[stream] = file
        self._starts[stream] = self.offsets[stream]
        self._close_index()
        self._write_index(b"", stream)
        return file

    def _make_folder(self) -> str:
        folder = self._folder or run_folder(self._logs, self._run)
        # Each time: a later run may have removed that of one of which something still writes in the background.
        os.makedirs(folder, 0o700, exist_ok=True)
        if not self._folder:
            names = os.listdir(folder)
            self._index_number = max(index_numbers(names), default=-1)
            # Only after a keeper that died between its spawn and the supervisor's commit: go on behind what is there.
            self.offsets = [_end(folder, names, stream) for stream in (OUT, ERR)]
            self._folder = folder
            self._trim_earlier()
        return folder

    def _next_index(self) -> bytes:
        """Open the next index segment; return what it has to begin with."""
        folder = self._make_folder()
        index = os.open(f"{folder}/{index_name(self._index_number + 1)}", _FLAGS, 0o600)
        self._close_index()
        self._index = index
        self._index_number += 1
        self._index_size = 0
        wall = int(time.time() * _TIMES)
        return b"".join(time_index.pack(wall, self.offsets[stream], stream) for stream in (OUT, ERR))

    def _close_index(self) -> None:
        if self._index >= 0:
            os.close(self._index)
            self._index = -1

    def _rotate(self, stream: int, wall: float) -> None:
        """The next byte of `stream` opens a new segment; make room for it."""
        os.close(self._files[stream])
        self._files[stream] = -1
        self._starts[stream] = self.offsets[stream]
        # What can't be deleted now is tried again at the next rotation; the bytes themselves are safe.
        with suppress(OSError):
            self._trim(wall)

    def _trim_earlier(self) -> None:
        """Bring the earlier runs within the limit: each may have been too short to rotate."""
        mission, number = split_run(self._run)
        if number == 1:
            return
        with suppress(OSError):
            kept = len(os.listdir(mission_folder(self._logs, mission)))
            if number % (kept // LOOKED_AT + 1) == 0:
                self._trim(time.time())

    def _trim(self, wall: float) -> None:
        mission, number = split_run(self._run)
        folder = mission_folder(self._logs, mission)
        writing = {number: (self._starts[OUT], self._starts[ERR])}
        trim(folder, self._limit, held=self._held(mission), writing=writing, wall=int(wall * _TIMES))


def _end(folder: str, names: list[str], stream: int) -> int:
    starts = data_starts(names, stream)
    return starts[-1] + os.stat(f"{folder}/{data_name(stream, starts[-1])}").st_size if starts else 0
