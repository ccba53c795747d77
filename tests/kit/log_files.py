"""Writes a run's log as the keeper does, at the times and with the segments that a test wants."""

from __future__ import annotations

import os
from pathlib import Path

from overmind_core.logs.layout import ERR, OUT, data_name, index_name
from overmind_core.logs.time_index import RESIZE, pack, resize_extra


class LogFiles:
    """One run's folder. Every write gets a record of its own; a stream's segment ends at `segment` bytes."""

    def __init__(self, folder: Path, *, segment: int = 1 << 20) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.segment = segment
        self.ends = [0, 0]
        self._starts = [-1, -1]
        self._index = -1

    @property
    def path(self) -> str:
        return str(self.folder)

    def write(self, stream: int, data: bytes, wall: float = 0.0, *, indexed: bool = True) -> None:
        """Append `data` at `wall` (seconds since the epoch)."""
        if self._starts[stream] < 0 or self.ends[stream] - self._starts[stream] >= self.segment:
            self._starts[stream] = self.ends[stream]
            self._next_index(wall)
        self._append(data_name(stream, self._starts[stream]), data)
        self.ends[stream] += len(data)
        if indexed:
            self._note(wall, self.ends[stream], stream)

    def out(self, data: bytes, wall: float = 0.0) -> None:
        self.write(OUT, data, wall)

    def err(self, data: bytes, wall: float = 0.0) -> None:
        self.write(ERR, data, wall)

    def resize(self, columns: int, rows: int, wall: float) -> None:
        self._note(wall, self.ends[OUT], RESIZE, resize_extra(columns, rows))

    def drop(self, stream: int, count: int) -> None:
        """Delete the oldest `count` data segments, as retention does."""
        prefix = "out." if stream == OUT else "err."
        for name in sorted(name for name in os.listdir(self.folder) if name.startswith(prefix))[:count]:
            (self.folder / name).unlink()

    def drop_index(self) -> None:
        for path in self.folder.glob("index.*"):
            path.unlink()

    def tear_index(self, count: int) -> None:
        """Cut `count` bytes off the index's end, as a crash of the machine does."""
        path = self.folder / index_name(self._index)
        path.write_bytes(path.read_bytes()[:-count])

    def _next_index(self, wall: float) -> None:
        self._index += 1
        for stream in (OUT, ERR):
            self._note(wall, self.ends[stream], stream)

    def _note(self, wall: float, offset: int, kind: int, extra: int = 0) -> None:
        self._append(index_name(max(self._index, 0)), pack(int(wall * 1000), offset, kind, extra))

    def _append(self, name: str, data: bytes) -> None:
        with (self.folder / name).open("ab") as file:
            file.write(data)
