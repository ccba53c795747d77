"""The rows of a database file whose trees can't be followed: each page is looked at by itself. Reads only.

A page that holds rows says so, and where they lie; what SQLite needs beside it (the first page, the pages that lead to
it, the file's end) may be damaged. Newer pages in the write-ahead log count in the place of the file's. What was
deleted is not there: our files overwrite it.

Source: sqlite.org/fileformat2.html
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Self

from overmind_core.kernel.database import PAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from overmind_core.kernel.database import Value

MAGIC = b"SQLite format 3\x00"
SMALLEST_PAGE = 512
LARGEST_ROW = 1 << 22
"""Bytes: whoever tells of a larger one is no row of ours."""
_FIRST_HEADER = 100
"""Bytes of the file's own header, in front of the first page's."""
_ROWS, _KEYS, _KEYS_ABOVE = 13, 10, 2
"""Kinds of pages: the rows of a table; those of an index, or of a table without rowid; the same higher in the tree."""
_LOG_HEADER = struct.Struct(">8I")
_LOG_MAGIC = 0x377F0682
"""Of a log whose sums are of little-endian words; one more: of big-endian ones."""
_FRAME = struct.Struct(">6I")
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Bytes of an integer, by its type."""
_CONTINUED = 0x80
"""The bit of a byte of a number that another one follows."""
_REAL, _ZERO, _ONE, _FIRST_BYTES = 7, 8, 9, 12


class _Broken(Exception):
    """Here is no row."""


class Row(NamedTuple):
    """A row of any table or index."""

    values: tuple[Value, ...]
    """None in the place of a column that is the rowid."""
    rowid: int | None
    """None: it is one of an index, or of a table without rowid."""


class DatabasePages:
    """A database file, page by page. To be used as a context manager."""

    def __init__(self, path: str) -> None:
        """Open it.

        Raises:
            OSError: it can't be read.
        """
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._log: int | None = None
        with suppress(FileNotFoundError):
            self._log = os.open(f"{path}-wal", os.O_RDONLY | os.O_CLOEXEC)
        self._frames: dict[int, int] = {}
        """Page → where the log has it."""
        self._size = self._page_size()
        self._count = -(-os.fstat(self._file).st_size // self._size)
        if self._log is not None:
            self._read_log(self._log)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)
        if self._log is not None:
            os.close(self._log)

    def rows(self) -> Iterator[Row]:
        """Every row of every table and index that is whole, in the order of the pages."""
        for number in range(1, self._count + 1):
            yield from self._rows_of(self._page(number), _FIRST_HEADER if number == 1 else 0)

    def _page_size(self) -> int:
        header = os.pread(self._file, _FIRST_HEADER, 0)
        if header.startswith(MAGIC):
            size = int.from_bytes(header[16:18], "big")
            if size >= SMALLEST_PAGE and not size & (size - 1):
                return size
        return PAGE

    def _page(self, number: int) -> bytes:
        offset = self._frames.get(number)
        if offset is not None and self._log is not None:
            return os.pread(self._log, self._size, offset)
        return os.pread(self._file, self._size, (number - 1) * self._size)

    def _read_log(self, log: int) -> None:
        """Find the pages of the transactions that the log holds whole."""
        header = os.pread(log, _LOG_HEADER.size, 0)
        if len(header) < _LOG_HEADER.size:
            return
        magic, _, size, _, *salts, first, second = _LOG_HEADER.unpack(header)
        if magic & ~1 != _LOG_MAGIC or size != self._size:
            return
        words = struct.Struct(f"{'>' if magic & 1 else '<'}{size // 4}I")
        sums = _sums(struct.unpack(words.format[0] + "6I", header[:24]), (0, 0))
        if sums != (first, second):
            return
        found: dict[int, int] = {}
        offset = _LOG_HEADER.size
        while len(frame := os.pread(log, _FRAME.size + size, offset)) == _FRAME.size + size:
            page, pages, *of, first, second = _FRAME.unpack_from(frame)
            sums = _sums(struct.unpack_from(words.format[0] + "2I", frame), sums)
            sums = _sums(words.unpack_from(frame, _FRAME.size), sums)
            if of != salts or sums != (first, second):
                return
            found[page] = offset + _FRAME.size
            if pages:  # the last of a transaction
                self._frames.update(found)
                found.clear()
                self._count = pages
            offset += len(frame)

    def _rows_of(self, page: bytes, start: int) -> Iterator[Row]:
        kind = page[start] if len(page) > start else 0
        if kind not in {_ROWS, _KEYS, _KEYS_ABOVE}:
            return
        count = int.from_bytes(page[start + 3 : start + 5], "big")
        places = start + (12 if kind == _KEYS_ABOVE else 8)
        for place in range(places, min(places + 2 * count, len(page) - 1), 2):
            with suppress(_Broken, IndexError, struct.error, UnicodeDecodeError):
                yield self._row(page, int.from_bytes(page[place : place + 2], "big"), kind)

    def _row(self, page: bytes, at: int, kind: int) -> Row:
        rowid = None
        if kind == _KEYS_ABOVE:
            at += 4
        size, at = _varint(page, at)
        if kind == _ROWS:
            rowid, at = _varint(page, at)
        if not 0 < size <= LARGEST_ROW:
            raise _Broken
        most = self._size - 35 if kind == _ROWS else (self._size - 12) * 64 // 255 - 23
        return Row(_values(self._payload(page, at, size, most)), rowid)

    def _payload(self, page: bytes, at: int, size: int, most: int) -> bytes:
        """The bytes of a row, of which at most so many lie in its page."""
        if size <= most:
            return page[at : at + size]
        least = (self._size - 12) * 32 // 255 - 23
        here = least + (size - least) % (self._size - 4)
        here = here if here <= most else least
        parts, missing = [page[at : at + here]], size - here
        following = int.from_bytes(page[at + here : at + here + 4], "big")
        while missing > 0:
            if not 0 < following <= self._count:
                raise _Broken
            more = self._page(following)
            parts.append(more[4 : 4 + missing])
            if len(parts[-1]) < min(missing, self._size - 4):
                raise _Broken
            missing -= len(parts[-1])
            following = int.from_bytes(more[:4], "big")
        return b"".join(parts)


def _sums(words: tuple[int, ...], before: tuple[int, int]) -> tuple[int, int]:
    """The checksum of the log, gone on with."""
    one, other = before
    for index in range(0, len(words), 2):
        one = (one + words[index] + other) & 0xFFFFFFFF
        other = (other + words[index + 1] + one) & 0xFFFFFFFF
    return one, other


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends."""
    value = 0
    for place in range(8):
        byte = data[at + place]
        value = value << 7 | byte & ~_CONTINUED
        if byte < _CONTINUED:
            return value, at + place + 1
    return value << 8 | data[at + 8], at + 9


def _values(row: bytes) -> tuple[Value, ...]:
    end, at = _varint(row, 0)
    body = end
    found: list[Value] = []
    while at < end:
        kind, at = _varint(row, at)
        size = _INTEGERS.get(kind, 8 if kind == _REAL else max(0, kind - _FIRST_BYTES) // 2)
        part = row[body : body + size]
        if len(part) < size or kind in {10, 11}:
            raise _Broken
        body += size
        if kind in _INTEGERS:
            found.append(int.from_bytes(part, "big", signed=True))
        elif kind == _REAL:
            found.append(struct.unpack(">d", part)[0])
        elif kind in {0, _ZERO, _ONE}:
            found.append(None if kind == 0 else kind - _ZERO)
        else:
            found.append(part.decode() if kind % 2 else part)
    return tuple(found)
