"""The rows of a database file whose trees can't be followed: each page is looked at by itself. Reads only.

A page that holds rows says so, and where they lie; what SQLite needs beside it (the first page, the pages that lead to
it, the file's end) may be damaged. Newer pages in the write-ahead log count in the place of the file's: those before
its first damage, as SQLite has them, or each that is whole. What was deleted is not there: our files overwrite it.

Whose tree a page belongs to is told from above, by the pages that lead to it, and from below: our files vacuum by
themselves, so each page's parent is named in a page of pointers.

Source: sqlite.org/fileformat2.html
"""

from __future__ import annotations

import os
import struct
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Self

from overmind_core.kernel.database import PAGE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import TracebackType

    from overmind_core.kernel.database import Value

MAGIC = b"SQLite format 3\x00"
SMALLEST_PAGE = 512
LARGEST_ROW = 1 << 22
"""Bytes: whoever tells of a larger one is no row of ours."""
_FIRST_HEADER = 100
"""Bytes of the file's own header, in front of the first page's."""
_ROWS, _ROWS_ABOVE, _KEYS, _KEYS_ABOVE = 13, 5, 10, 2
"""Kinds of pages: the rows of a table, and the pages above them; the rows of an index, or of a table without rowid, and
the same higher in the tree."""
_HEADERS = {_ROWS: 8, _KEYS: 8, _ROWS_ABOVE: 12, _KEYS_ABOVE: 12}
"""Bytes of a page's own header, by its kind."""
_LOG_HEADER = struct.Struct(">8I")
LOG_MAGIC = 0x377F0682
"""Of a log whose sums are of little-endian words; one more: of big-endian ones."""
_FRAME = struct.Struct(">6I")
_POINTER = 5
"""Bytes of a page's entry in a page of pointers: its kind, and the page above it."""
_FIRST_POINTERS = 2
"""The first page of pointers."""
_IS_ROOT, _IS_BELOW = 1, 5
"""Kinds of entries: the page is a tree's root; another page of a tree."""
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Bytes of an integer, by its type."""
_KINDS = {bytes([kind]) for kind in _HEADERS}
_DEEPEST = 20
"""Pages from a leaf to its root, at the most."""
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


class Undecodable(bytes):
    """A text that is damaged: its bytes are no UTF-8."""


class Page(NamedTuple):
    """A page that holds rows."""

    owner: int | None
    """The root of the tree that it belongs to; None where nothing tells."""
    rows: list[Row]
    broken: int
    """How many of its rows can't be read."""


class DatabasePages:
    """A database file, page by page. To be used as a context manager."""

    def __init__(self, path: str, *, past_damage: bool = False) -> None:
        """Open it.

        Args:
            path: Of the file.
            past_damage: Take what is whole in the log behind a damage, too, and of a damaged page what can be read. A
                file that is missing counts as empty: its log may be there.

        Raises:
            OSError: it can't be read.
        """
        self.log_is_damaged = False
        """Whether the log holds commits behind a damage, which SQLite passes over. Only looked for `past_damage`."""
        is_missing = past_damage and not os.path.exists(path)
        self._file = os.open(os.devnull if is_missing else path, os.O_RDONLY | os.O_CLOEXEC)
        self._log: int | None = None
        with suppress(FileNotFoundError):
            self._log = os.open(f"{path}-wal", os.O_RDONLY | os.O_CLOEXEC)
        self._frames: dict[int, int] = {}
        """Page → where the log has it."""
        self._damaged: dict[int, int] = {}
        """Page → where the log has a newer one that is damaged."""
        self._size = self._page_size()
        self._count = -(-os.fstat(self._file).st_size // self._size)
        if self._log is not None and past_damage:
            self._read_damaged_log(self._log)
        elif self._log is not None:
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

    @property
    def first(self) -> bytes:
        """The first page, with the file's header."""
        return self._page(1)

    def pages(self, roots: Collection[int]) -> Iterator[Page]:
        """Every page with rows, newest first: where two hold the same row, the first of them counts."""
        above = self._from_above(roots)
        numbers = range(1, self._count + 1)
        for number in sorted(numbers, key=lambda one: self._frames.get(one, -1), reverse=True):
            owner = above.get(number) or self._from_below(number, roots)
            start = _FIRST_HEADER if number == 1 else 0
            damaged = self._damaged.get(number)
            if damaged is not None and self._log is not None:
                yield self._read_rows(os.pread(self._log, self._size, damaged), start, owner)
            yield self._read_rows(self._page(number), start, owner)

    def _read_rows(self, page: bytes, start: int, owner: int | None) -> Page:
        found: list[Row] = []
        places, kind = self._places(page, start)
        broken = 0
        for place in places if kind != _ROWS_ABOVE else ():
            try:
                found.append(self._row(page, int.from_bytes(page[place : place + 2], "big"), kind, strict=False))
            except (_Broken, IndexError, struct.error):
                broken += 1
        return Page(owner, found, broken)

    def is_whole(self, root: int) -> bool:
        """Whether every page of a tree is there, and every row of it can be read."""
        todo, met = [root], set()
        while todo:
            number = todo.pop()
            page, start = self._page(number), _FIRST_HEADER if number == 1 else 0
            if number in met or not 0 < number <= self._count or page[start : start + 1] not in _KINDS:
                return False
            met.add(number)
            if self._read_rows(page, start, None).broken:
                return False
            todo += self._below(page, start)
        return True

    def _from_above(self, roots: Collection[int]) -> dict[int, int]:
        """Page → the root of its tree, as far as pages lead to it."""
        found: dict[int, int] = {}
        for root in roots:
            todo = [root]
            while todo:
                number = todo.pop()
                if number in found or not 0 < number <= self._count or (number in roots and number != root):
                    continue
                found[number] = root
                todo += self._below(self._page(number), _FIRST_HEADER if number == 1 else 0)
        return found

    def _below(self, page: bytes, start: int) -> list[int]:
        """The pages that a page leads to."""
        places, kind = self._places(page, start)
        if kind not in {_ROWS_ABOVE, _KEYS_ABOVE}:
            return []
        cells = [int.from_bytes(page[place : place + 2], "big") for place in places]
        return [int.from_bytes(page[at : at + 4], "big") for at in (*cells, start + 8)]

    def _from_below(self, number: int, roots: Collection[int]) -> int | None:
        """The root of a page's tree, as the pages of pointers name it."""
        span = self._size // _POINTER + 1
        for _ in range(_DEEPEST):
            if number in roots:
                return number
            pointers = (number - _FIRST_POINTERS) // span * span + _FIRST_POINTERS
            at = _POINTER * (number - pointers - 1)
            if at < 0 or pointers < _FIRST_POINTERS:
                return None
            entry = self._page(pointers)[at : at + _POINTER]
            if entry[:1] != bytes([_IS_BELOW]):
                return None
            number = int.from_bytes(entry[1:], "big")
        return None

    def _places(self, page: bytes, start: int) -> tuple[range, int]:
        """Where a page says where its rows lie, and its kind; nowhere in one that holds none."""
        kind = page[start] if len(page) > start else 0
        if kind not in _HEADERS:
            return range(0), 0
        count = int.from_bytes(page[start + 3 : start + 5], "big")
        places = start + _HEADERS[kind]
        return range(places, min(places + 2 * count, len(page) - 1), 2), kind

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
        if magic & ~1 != LOG_MAGIC or size != self._size:
            return
        words = struct.Struct(f"{'>' if magic & 1 else '<'}{size // 4}I")
        sums = log_sums(struct.unpack(words.format[0] + "6I", header[:24]), (0, 0))
        if sums != (first, second):
            return
        found: dict[int, int] = {}
        offset = _LOG_HEADER.size
        while len(frame := os.pread(log, _FRAME.size + size, offset)) == _FRAME.size + size:
            page, pages, *of, first, second = _FRAME.unpack_from(frame)
            sums = log_sums(struct.unpack_from(words.format[0] + "2I", frame), sums)
            sums = log_sums(words.unpack_from(frame, _FRAME.size), sums)
            if of != salts or sums != (first, second):
                return
            found[page] = offset + _FRAME.size
            if pages:  # the last of a transaction
                self._frames.update(found)
                found.clear()
                self._count = pages
            offset += len(frame)

    def _read_damaged_log(self, log: int) -> None:
        """Find each page that the log holds whole, up to its last commit, and those that are damaged.

        The sum of a page goes on from the one that is written with the page before it, so a damage ends nothing.
        """
        data = os.pread(log, os.fstat(log).st_size, 0)
        header, length = data[: _LOG_HEADER.size], _FRAME.size + self._size
        frames = [data[at : at + length] for at in range(_LOG_HEADER.size, len(data) - length + 1, length)]
        if not frames:
            return
        magic, _, size, _, *salts, first, second = _LOG_HEADER.unpack(header)
        order = {LOG_MAGIC: "<", LOG_MAGIC | 1: ">"}.get(magic, "<" if sys.byteorder == "little" else ">")
        is_whole = magic & ~1 == LOG_MAGIC and size == self._size
        is_whole = is_whole and log_sums(struct.unpack(order + "6I", header[:24]), (0, 0)) == (first, second)
        if not is_whole:
            salts = list(_FRAME.unpack_from(frames[0])[2:4])
        heads = [_FRAME.unpack_from(frame) for frame in frames]
        last = max((place for place, head in enumerate(heads) if head[1] and list(head[2:4]) == salts), default=-1)
        words = struct.Struct(f"{order}{self._size // 4}I")
        before = (first, second)
        for place in range(last + 1):
            page, pages, *of, first, second = heads[place]
            sums = log_sums(struct.unpack_from(order + "2I", frames[place]), before)
            sums = log_sums(words.unpack_from(frames[place], _FRAME.size), sums)
            before = (first, second)
            offset = _LOG_HEADER.size + place * length + _FRAME.size
            if of == salts and sums == before:
                self._frames[page] = offset
                self._damaged.pop(page, None)
                self._count = max(self._count, page, pages)
            else:
                self.log_is_damaged = True
                self._damaged[page] = offset
        self.log_is_damaged = self.log_is_damaged or (last >= 0 and not is_whole)

    def _rows_of(self, page: bytes, start: int) -> Iterator[Row]:
        places, kind = self._places(page, start)
        for place in places if kind != _ROWS_ABOVE else ():
            with suppress(_Broken, IndexError, struct.error, UnicodeDecodeError):
                yield self._row(page, int.from_bytes(page[place : place + 2], "big"), kind)

    def _row(self, page: bytes, at: int, kind: int, *, strict: bool = True) -> Row:
        rowid = None
        if kind == _KEYS_ABOVE:
            at += 4
        size, at = _varint(page, at)
        if kind == _ROWS:
            rowid, at = _varint(page, at)
        if not 0 < size <= LARGEST_ROW:
            raise _Broken
        most = self._size - 35 if kind == _ROWS else (self._size - 12) * 64 // 255 - 23
        return Row(_values(self._payload(page, at, size, most), strict=strict), rowid)

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


def log_sums(words: tuple[int, ...], before: tuple[int, int]) -> tuple[int, int]:
    """The checksum of a log, gone on with."""
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


def _values(row: bytes, *, strict: bool) -> tuple[Value, ...]:
    """The columns of a row; where that is not `strict`, texts that are damaged are among them."""
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
            found.append(_text(part, strict=strict) if kind % 2 else part)
    return tuple(found)


def _text(part: bytes, *, strict: bool) -> Value:
    try:
        return part.decode()
    except UnicodeDecodeError:
        if strict:
            raise
        return Undecodable(part)
