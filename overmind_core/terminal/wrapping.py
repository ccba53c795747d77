"""Rows joined to the line that somebody wrote, and the line cut into rows of another width."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from overmind_core.terminal.packed import Entry, pack, unpack, wrap_of
from overmind_core.terminal.row import Row, Wrap, cells_of
from overmind_core.terminal.style import DEFAULT, Style


class Line:
    """The cells of one line, however many rows it took, and where the cursor stands in it (None: elsewhere)."""

    __slots__ = ("cells", "cursor", "styles")

    def __init__(self) -> None:
        self.cells: list[str] = []
        self.styles: list[Style] = []
        self.cursor: int | None = None

    def add(self, row: Row, cursor: int | None = None) -> None:
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

    def rows(self, columns: int) -> Iterator[tuple[int, Row]]:
        """The line in rows of this width, each behind the place of its first cell; an empty one is one row."""
        start = 0
        while True:
            end, wrapped = self._end(start, columns)
            blanks = columns - (end - start)
            cells = self.cells[start:end] + [" "] * blanks
            styles = self.styles[start:end] + [DEFAULT] * blanks
            if columns == 1:
                cells[0] = cells[0] if len(cells_of(cells[0])) == 1 else " "
            yield start, Row(cells, styles, plain=False, wrapped=wrapped)
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
    line: Line | None = None
    for entry in entries:
        if line is None and isinstance(entry, str) and _fits(entry, columns):
            yield entry
            continue
        line = line or Line()
        line.add(unpack(entry))
        if not wrap_of(entry):
            yield from (pack(row) for _, row in line.rows(columns))
            line = None
    if line:
        yield from _going_on(line, columns)


def _going_on(line: Line, columns: int) -> Iterator[Entry]:
    """A line whose last row goes on elsewhere."""
    rows = [row for _, row in line.rows(columns)]
    rows[-1].wrapped = Wrap.YES
    yield from map(pack, rows)


def _fits(text: str, columns: int) -> bool:
    """Whether the text certainly fits; a wide character takes two cells."""
    return len(text) <= columns if text.isascii() else 2 * len(text) <= columns


def _without_blanks(row: Row) -> int:
    """The number of cells before the blanks at the end."""
    kept = len(row.cells)
    while kept and row.cells[kept - 1] == " " and row.styles[kept - 1] is DEFAULT:
        kept -= 1
    return kept
