"""The scrollback: packed rows that left the screen at its top, and their logical lines wrapped to another width."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from overmind_core.terminal.cells import (
    DEFAULT,
    CellRow,
    Entry,
    Run,
    Style,
    Wrap,
    cells_of,
    pack,
    text_of,
    unpack,
    wrap_of,
)


class LogicalLine:
    """The cells of one line, however many rows it took, and where the cursor stands in it (None: elsewhere)."""

    __slots__ = ("cells", "cursor", "styles")

    def __init__(self) -> None:
        self.cells: list[str] = []
        self.styles: list[Style] = []
        self.cursor: int | None = None

    def add(self, row: CellRow, cursor: int | None = None) -> None:
        """The line's next row; blanks at the end of its last one are dropped, up to the cursor."""
        kept = len(row.cells)
        if row.wrapped is Wrap.WIDE:
            kept -= 1
        elif not row.wrapped:
            kept = max(_without_blanks(row), min(cursor or 0, kept))
        if cursor is not None:
            self.cursor = len(self.cells) + cursor
        self.cells += row.cells[:kept]
        self.styles += row.styles[:kept]

    def rows(self, columns: int) -> Iterator[tuple[int, CellRow]]:
        """The line in rows of this width, each behind the place of its first cell; an empty one is one row."""
        start = 0
        while True:
            end, wrapped = self._end(start, columns)
            blanks = columns - (end - start)
            cells = self.cells[start:end] + [" "] * blanks
            styles = self.styles[start:end] + [DEFAULT] * blanks
            if columns == 1:
                cells[0] = cells[0] if len(cells_of(cells[0])) == 1 else " "
            yield start, CellRow(cells, styles, plain=False, wrapped=wrapped)
            if not wrapped:
                return
            start = end

    def _end(self, start: int, columns: int) -> tuple[int, Wrap]:
        end = start + columns
        if end >= len(self.cells):
            return len(self.cells), Wrap.NO
        if columns > 1 and self.cells[end] == "":
            return end - 1, Wrap.WIDE
        return end, Wrap.YES


def rewrapped(entries: Iterable[Entry], columns: int) -> Iterator[Entry]:
    """Packed rows for a screen of this width."""
    line: LogicalLine | None = None
    for entry in entries:
        if line is None and isinstance(entry, str) and _fits(entry, columns):
            yield entry
            continue
        line = line or LogicalLine()
        line.add(unpack(entry))
        if not wrap_of(entry):
            yield from (pack(row) for _, row in line.rows(columns))
            line = None
    if line:
        yield from _going_on(line, columns)


def _going_on(line: LogicalLine, columns: int) -> Iterator[Entry]:
    """A line whose last row goes on elsewhere."""
    rows = [row for _, row in line.rows(columns)]
    rows[-1].wrapped = Wrap.YES
    yield from map(pack, rows)


def _fits(text: str, columns: int) -> bool:
    """Whether the text certainly fits; a wide character takes two cells."""
    return len(text) <= columns if text.isascii() else 2 * len(text) <= columns


def _without_blanks(row: CellRow) -> int:
    """The number of cells before the blanks at the end."""
    kept = len(row.cells)
    while kept and row.cells[kept - 1] == " " and row.styles[kept - 1] is DEFAULT:
        kept -= 1
    return kept


class Scrollback:
    """At most `limit` rows, 0 is the oldest; older ones are lost, and counted in `dropped`."""

    def __init__(self, limit: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._pushed = 0
        self._columns = 0

    def __len__(self) -> int:
        self._settle()
        return len(self._entries)

    @property
    def dropped(self) -> int:
        """How many rows were lost at the top since the beginning: keeps a place steady while rows come."""
        self._settle()
        return self._pushed - len(self._entries)

    def text(self, index: int) -> str:
        """Row `index` without the blanks at its end; -1 is the newest.

        Raises:
            IndexError: there is none.
        """
        return text_of(self._entry(index)).rstrip(" ")

    def wrapped(self, index: int) -> bool:
        """Whether the text of row `index` goes on in the next row."""
        return bool(wrap_of(self._entry(index)))

    def runs(self, index: int) -> list[Run]:
        """Row `index` as (text, style), neighbours of the same style in one; blanks at its end may be missing."""
        return unpack(self._entry(index)).runs()

    def push(self, row: CellRow) -> None:
        """Append a row, which its giver doesn't change any more."""
        self._pushed += 1
        self._entries.append(pack(row))

    def push_entries(self, entries: Iterable[Entry]) -> None:
        """The next rows, packed; plain text without blanks at its end is its own entry."""
        found = list(entries)
        self._pushed += len(found)
        self._entries.extend(found)

    def take_unfinished(self, limit: int) -> list[CellRow]:
        """Take the newest rows out again as long as their text goes on on the screen, at most `limit`."""
        rows: list[CellRow] = []
        while len(rows) < limit and self._entries and wrap_of(self._entries[-1]):
            rows.append(unpack(self._entries.pop()))
        self._pushed -= len(rows)
        return rows[::-1]

    def take_newest(self, count: int) -> list[CellRow]:
        """Take rows out again, at most `count`."""
        self._settle()
        rows = [unpack(self._entries.pop()) for _ in range(min(count, len(self._entries)))]
        self._pushed -= len(rows)
        return rows[::-1]

    def clear(self) -> None:
        """Forget all rows."""
        self._entries.clear()

    def resize(self, columns: int) -> None:
        """From now on rows have this width; the old ones are wrapped anew once somebody looks."""
        self._columns = columns

    def _entry(self, index: int) -> Entry:
        self._settle()
        return self._entries[index]

    def _settle(self) -> None:
        columns, self._columns = self._columns, 0
        if columns:
            entries = list(rewrapped(self._entries, columns))
            self._pushed += len(entries) - len(self._entries)
            self._entries = deque(entries, maxlen=self._entries.maxlen)
