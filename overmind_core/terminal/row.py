"""One row of a screen: a text and a style for each cell.

The right half of a wide character is the empty text. Both lists always have as many entries as the screen columns.
"""

from __future__ import annotations

from enum import IntEnum
from itertools import compress
from operator import is_not

from overmind_core.terminal.style import DEFAULT, Style
from overmind_core.terminal.width import width

Run = tuple[str, Style]

EDGES = range(1, 1 << 16)
"""Where a run can begin; no screen is wider."""


class Wrap(IntEnum):
    """Whether the text of a row goes on in the next one."""

    NO = 0
    YES = 1
    WIDE = 2
    """Yes, with a wide character that had no room: the last cell is a filler, no space."""


class Row:
    """The cells from left to right; `plain`: all styles are DEFAULT (False promises nothing)."""

    __slots__ = ("cells", "plain", "styles", "wrapped")

    def __init__(self, cells: list[str], styles: list[Style], *, plain: bool, wrapped: Wrap = Wrap.NO) -> None:
        self.cells = cells
        self.styles = styles
        self.plain = plain
        self.wrapped = wrapped

    @property
    def text(self) -> str:
        """All cells, blanks at the end included."""
        return "".join(self.cells)

    def mend(self, start: int, end: int) -> None:
        """Blank the other halves of wide characters that writing into start..end would cut."""
        cells = self.cells
        if 0 < start < len(cells) and cells[start] == "":
            cells[start - 1] = cells[start] = " "
        if 0 < end < len(cells) and cells[end] == "":
            cells[end] = " "

    def mend_end(self) -> None:
        """Blank the last cell when it holds the left half of a wide character."""
        last = self.cells[-1]
        if last and not last.isascii() and width(last[0]) > 1:
            self.cells[-1] = " "

    def fill(self, start: int, end: int, text: str, style: Style) -> None:
        """The same narrow text and style in start..end."""
        self.mend(start, end)
        self.cells[start:end] = [text] * (end - start)
        self.styles[start:end] = [style] * (end - start)
        if style is not DEFAULT:
            self.plain = False
        elif start == 0 and end == len(self.cells):
            self.plain = True
        if end == len(self.cells):
            self.wrapped = Wrap.NO

    def insert(self, column: int, count: int, style: Style) -> None:
        """Blank cells at `column`; what they push over the edge is lost."""
        columns = len(self.cells)
        self.mend(column, column)
        self.cells[column:column] = [" "] * count
        self.styles[column:column] = [style] * count
        del self.cells[columns:], self.styles[columns:]
        self.mend_end()
        self.plain = self.plain and style is DEFAULT

    def delete(self, column: int, count: int, style: Style) -> None:
        """Cells away at `column`; blank ones come in at the end."""
        self.mend(column, column + count)
        del self.cells[column : column + count], self.styles[column : column + count]
        self.cells += [" "] * count
        self.styles += [style] * count
        self.plain = self.plain and style is DEFAULT
        self.wrapped = Wrap.NO

    def padded(self, columns: int) -> Row:
        """The row itself, as wide as a screen; its text still goes on where it did."""
        wrapped = self.wrapped
        self.clip(columns)
        self.wrapped = wrapped
        return self

    def clip(self, columns: int) -> None:
        """Another width: cut or padded on the right."""
        missing = columns - len(self.cells)
        if missing > 0:
            self.cells += [" "] * missing
            self.styles += [DEFAULT] * missing
        else:
            del self.cells[columns:], self.styles[columns:]
            self.mend_end()
        self.wrapped = Wrap.NO

    def runs(self) -> list[Run]:
        """All cells as (text, style), neighbours of the same style in one."""
        if not self.cells:
            return []
        ends = [*edges_of(self.styles), len(self.cells)]
        starts = [0, *ends[:-1]]
        return [("".join(self.cells[a:b]), self.styles[a]) for a, b in zip(starts, ends, strict=True)]


def blank_row(columns: int, style: Style) -> Row:
    """A row of blanks."""
    return Row([" "] * columns, [style] * columns, plain=style is DEFAULT)


def edges_of(styles: list[Style]) -> list[int]:
    """The columns at which another style begins, without column 0."""
    return list(compress(EDGES, map(is_not, styles[1:], styles)))


def cells_of(text: str) -> list[str]:
    """The cells that a row's text was joined from."""
    if text.isascii():
        return list(text)
    cells: list[str] = []
    for character in text:
        size = width(character)
        if size == 2:  # noqa: PLR2004 (a wide character)
            cells += (character, "")
        elif size == 1 or not cells:
            cells.append(character)
        else:
            cells[-1 if cells[-1] else -2] += character
    return cells
