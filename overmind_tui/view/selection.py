"""What a person has selected on a terminal, between two ends, and the text that it is."""

from __future__ import annotations

from typing import NamedTuple

from overmind_tui.view.grid import Grid, cells_of


class Place(NamedTuple):
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

    anchor: Place
    head: Place
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
    return selection._replace(head=Place(row, column), whole=selection.whole and not columns)


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
    whole = Selection(Place(grid.top, 0), Place(grid.end - 1, 0))
    return selected_text(whole, grid).rstrip("\n")


def _cut(text: str, columns: range) -> str:
    return "".join(cells_of(text)[columns.start : columns.stop])
