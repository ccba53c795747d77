"""Which cells of a terminal a smaller or larger pane shows: around the cursor, until somebody scrolls."""

from __future__ import annotations

from typing import NamedTuple


class Window(NamedTuple):
    """The pane's first row and column in the terminal."""

    row: int = 0
    column: int = 0


def following(
    before: Window, *, pane: tuple[int, int], terminal: tuple[int, int], top: int, cursor: tuple[int, int]
) -> Window:
    """The window that shows the cursor, moved no further than it must be.

    Args:
        before: Where it was.
        pane: Columns and rows of the pane.
        terminal: The same of the terminal.
        top: The number of the terminal's first row.
        cursor: Its column and row on the terminal.
    """
    column = _along(before.column, pane[0], terminal[0], cursor[0])
    row = _along(before.row - top, pane[1], terminal[1], cursor[1])
    return Window(top + row, column)


def scrolled(before: Window, rows: int, *, first: int, last: int) -> Window:
    """The window so many rows further down, between the first row that there is and the last that may be on top."""
    return before._replace(row=max(first, min(before.row + rows, last)))


def _along(start: int, room: int, size: int, wanted: int) -> int:
    """Where to begin to show `room` of `size` cells, so that `wanted` is among them."""
    start = min(max(start, wanted - room + 1), wanted)
    return max(0, min(start, size - room))
