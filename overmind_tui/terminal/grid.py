"""The grid of a terminal: what scrolled away, then what its screen shows, as one list of rows; and selections in it.

Numbers of rows stay as rows come and go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from overmind_core.terminal.cells import Run
    from overmind_core.terminal.screen import Screen


class Grid:
    """Rows by number: the first row that was ever written is 0, and lost ones keep theirs."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen

    @property
    def first(self) -> int:
        """The number of the oldest row that is still there."""
        return self.top if self.screen.modes.alternate else self.screen.scrollback.dropped

    @property
    def top(self) -> int:
        """The number of the screen's first row."""
        scrollback = self.screen.scrollback
        return scrollback.dropped + len(scrollback)

    @property
    def end(self) -> int:
        """One more than the number of the last row."""
        return self.top + self.screen.rows

    def runs(self, number: int) -> list[Run]:
        """A row as (text, style); blanks at its end may be missing. There is one for each number before `end`."""
        top = self.top
        if number >= top:
            return self.screen.runs(number - top)
        return self.screen.scrollback.runs(number - self.screen.scrollback.dropped)

    def text(self, number: int) -> str:
        """A row's text without the blanks at its end."""
        top = self.top
        if number >= top:
            return self.screen.line(number - top)
        return self.screen.scrollback.text(number - self.screen.scrollback.dropped)

    def wrapped(self, number: int) -> bool:
        """Whether a row's text goes on in the next one."""
        top = self.top
        if number >= top:
            return self.screen.wrapped(number - top)
        return self.screen.scrollback.wrapped(number - self.screen.scrollback.dropped)

    def cell(self, row: int, column: int) -> range:
        """The columns of the character that stands there: two of a wide one."""
        cells = cells_of(self.text(row))
        start = column - 1 if 0 < column < len(cells) and cells[column] == "" else column
        wide = start + 1 < len(cells) and cells[start + 1] == ""
        return range(start, start + 1 + wide)

    def full_text(self, number: int) -> str:
        """A row's text; of one whose text goes on, as wide as the screen, for a blank at its end joins no words."""
        text = self.text(number)
        return text + " " * (self.screen.columns - width(text)) if self.wrapped(number) else text


def width(text: str) -> int:
    """Cells of a text that a terminal holds."""
    if text.isascii():
        return len(text)
    return len(cells_of(text))


def cells_of(text: str) -> list[str]:
    """The character of each cell; "" is the second cell of a wide one."""
    from overmind_core.terminal import cells as terminal_cells  # noqa: PLC0415 - not before the first frame

    return terminal_cells.cells_of(text)


class GridPlace(NamedTuple):
    """A cell: the row's number, and the column from 0."""

    row: int
    column: int


class Selection(NamedTuple):
    """From one end to the other, both included; whole rows until somebody goes sideways.

    Attributes:
        anchor: The end that stays.
        head: The end that moves.
        whole: All columns of all rows between them.
    """

    anchor: GridPlace
    head: GridPlace
    whole: bool = True

    def turned(self) -> Selection:
        """With the other end to move."""
        return self._replace(anchor=self.head, head=self.anchor)

    def columns(self, row: int, width: int) -> range:
        """The selected cells of a row that is so wide."""
        first, last = sorted((self.anchor, self.head))
        if not first.row <= row <= last.row:
            return range(0)
        if self.whole:
            return range(width)
        start = first.column if row == first.row else 0
        end = last.column + 1 if row == last.row else width
        return range(min(start, width), min(end, width))


def moved(selection: Selection, grid: Grid, *, rows: int = 0, columns: int = 0) -> Selection:
    """With the head so much further, as far as there are rows and columns; sideways it leaves whole rows."""
    row = max(grid.first, min(selection.head.row + rows, grid.end - 1))
    column = max(0, min(selection.head.column + columns, grid.screen.columns - 1))
    return selection._replace(head=GridPlace(row, column), whole=selection.whole and not columns)


def selected_text(selection: Selection, grid: Grid) -> str:
    """The selected text: rows that one line was wrapped into are one line, blanks at the ends of lines are none."""
    first, last = sorted((selection.anchor.row, selection.head.row))
    lines = [""]
    for row in range(max(first, grid.first), min(last, grid.end - 1) + 1):
        chosen = selection.columns(row, grid.screen.columns)
        text = grid.full_text(row)
        lines[-1] += text if len(chosen) == grid.screen.columns else _cut(text, chosen)
        if not (grid.wrapped(row) and chosen.stop == grid.screen.columns):
            lines.append("")
    return "\n".join(line.rstrip(" ") for line in lines).removesuffix("\n")


def all_text(grid: Grid) -> str:
    """What the screen shows."""
    whole = Selection(GridPlace(grid.top, 0), GridPlace(grid.end - 1, 0))
    return selected_text(whole, grid).rstrip("\n")


def _cut(text: str, columns: range) -> str:
    return "".join(cells_of(text)[columns.start : columns.stop])
