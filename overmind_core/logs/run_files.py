"""The files of a run's log: those in a folder of this machine, or those that another hive serves.

A reader gets the path of a log's folder from a daemon. The path of another hive's log begins with `hive://NAME`. The
holder of a connection to that hive registers how its files are reached (`serve_hive`), so that no reader has to know.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable
from typing import Protocol, Self

from overmind_core.logs.layout import data_name, data_starts, index_name, index_numbers

SCHEME = "hive://"
"""How the path of a run's folder on another hive begins; behind it the hive's name, and the path there."""


class RunFiles(Protocol):
    """The files of one run. Streams are `layout.OUT` and `ERR`; offsets count from the run's first byte."""

    def start(self, stream: int) -> int:
        """The offset of the first byte that is kept; 0 when there is none."""
        ...

    def end(self, stream: int) -> tuple[int, float]:
        """The offset behind the last byte, and when it was written (seconds since the epoch); zeros without one."""
        ...

    def read(self, stream: int, start: int, limit: int) -> tuple[int, bytes]:
        """Some of the `limit` bytes from the offset `start` on, and where they really begin; b"": none is there."""
        ...

    def index_numbers(self) -> list[int]:
        """The numbers of the index segments, ascending."""
        ...

    def read_index(self, number: int, limit: int = -1) -> bytes:
        """The first `limit` bytes of an index segment, -1: all; b"" when it is gone."""
        ...


class FilePart:
    """Bytes of an open file from an offset on, which stay when it is removed. As a context it closes the file."""

    __slots__ = ("at", "descriptor", "length")

    def __init__(self, descriptor: int, at: int, length: int) -> None:
        self.descriptor = descriptor
        self.at = at
        self.length = length

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def read(self) -> bytes:
        """Return the bytes."""
        return os.pread(self.descriptor, self.length, self.at)


class LocalRunFiles:
    """A run's folder on this machine, which needs not exist yet. Retention may remove files between two reads."""

    __slots__ = ("_folder",)

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def start(self, stream: int) -> int:
        """As in `RunFiles`."""
        starts = self._starts(stream)
        return starts[0] if starts else 0

    def end(self, stream: int) -> tuple[int, float]:
        """As in `RunFiles`."""
        while starts := self._starts(stream):
            try:
                status = os.stat(self._path(stream, starts[-1]))
            except FileNotFoundError:
                continue
            return starts[-1] + status.st_size, status.st_mtime
        return 0, 0.0

    def read(self, stream: int, start: int, limit: int) -> tuple[int, bytes]:
        """As in `RunFiles`: what one segment holds of that."""
        start, part = self.part(stream, start, limit)
        if part is None:
            return start, b""
        with part:
            return start, part.read()

    def part(self, stream: int, start: int, limit: int) -> tuple[int, FilePart | None]:
        """The same as a part of its file, None: there is none; for who passes bytes on without a look at them."""
        while True:
            starts = self._starts(stream)
            at = bisect_right(starts, start) - 1
            if not starts:
                return start, None
            if at < 0:
                at, start = 0, starts[0]
            try:
                part = self._part_of(self._path(stream, starts[at]), start - starts[at], limit)
            except FileNotFoundError:
                continue
            if part is not None or at + 1 == len(starts):
                return start, part
            start = starts[at + 1]

    def index_numbers(self) -> list[int]:
        """As in `RunFiles`."""
        try:
            return index_numbers(os.listdir(self._folder))
        except FileNotFoundError:
            return []

    def read_index(self, number: int, limit: int = -1) -> bytes:
        """As in `RunFiles`."""
        try:
            with open(f"{self._folder}/{index_name(number)}", "rb", buffering=0) as file:
                return file.read(limit) or b""
        except FileNotFoundError:
            return b""

    @staticmethod
    def _part_of(path: str, at: int, limit: int) -> FilePart | None:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe in its place keeps nobody waiting
        length = min(os.fstat(file).st_size - at, limit)
        if length > 0:
            return FilePart(file, at, length)
        os.close(file)
        return None

    def _starts(self, stream: int) -> list[int]:
        try:
            return data_starts(os.listdir(self._folder), stream)
        except FileNotFoundError:
            return []

    def _path(self, stream: int, segment: int) -> str:
        return f"{self._folder}/{data_name(stream, segment)}"


_HIVES: dict[str, Callable[[str], RunFiles]] = {}


def serve_hive(name: str, files: Callable[[str], RunFiles]) -> None:
    """From now on the logs of that hive are read by `files`, which gets the path of a run's folder there."""
    _HIVES[name] = files


def address(hive: str, path: str) -> str:
    """Return the path by which readers here know the folder `path` of another hive."""
    return f"{SCHEME}{hive}{path}"


def files_of(path: str) -> RunFiles:
    """Return the files of the run whose folder has this path.

    Raises:
        KeyError: it is on a hive that nobody here is connected to.
    """
    if not path.startswith(SCHEME):
        return LocalRunFiles(path)
    hive, _, folder = path.removeprefix(SCHEME).partition("/")
    return _HIVES[hive](f"/{folder}")
