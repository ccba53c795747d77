"""The layout of the missions screen: which parts a terminal of a certain size has room for, and how large they are."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

SMALLEST = (40, 8)
"""Columns and rows below which nothing can be shown."""
TINY = (60, 15)
"""Below these there is the list only."""
NARROW, SHORT = 100, 30
"""Below these list and log take turns, and the stats are not shown; a short header is one line."""
HEADER = 3
"""Lines of a header that has room."""
GRAPHS = ((90, 6), (70, 4), (55, 3), (42, 2))
"""Rows of the terminal → lines of each graph, the highest first."""
LEAST_NOTES = 9
"""Lines of the notes that stand in the place of the stats, with their border."""
AROUND_GRAPHS = 3
"""Lines of the stats beside their graphs: two of the border, one of facts."""
WIDEST_LIST = 140
"""Columns that the list takes at most beside a log: the rest is the log's."""


class Panel(StrEnum):
    """A part of the main screen that can have the keys; its value is its word in the crumbs."""

    TABLE = "missions"
    LOG = "logs"
    DIFF = "diff"
    TERMINAL = "terminal"
    """In the place of the log."""
    STATS = "stats"
    NOTES = "notes"
    """In the place of the stats where these have room, else alone."""


class Shape(NamedTuple):
    """Which parts are shown, and how large they are.

    Attributes:
        small: Only that the terminal is too small.
        header: Lines of the header.
        table: Whether the list is shown.
        side: Whether what stands beside it is shown: a log, or a terminal.
        stats: Whether the load is shown.
        notes: Whether notes are shown.
        list_cells: Columns of list and stats when something stands beside them, else 0: all.
        graph: Lines of each graph in the stats.
    """

    small: bool = False
    header: int = 1
    table: bool = False
    side: bool = False
    stats: bool = False
    list_cells: int = 0
    graph: int = 1
    notes: bool = False

    @property
    def stats_lines(self) -> int:
        """Lines of the stats with their border."""
        return 3 * self.graph + AROUND_GRAPHS

    @property
    def notes_lines(self) -> int:
        """Lines of the notes with their border."""
        return max(self.stats_lines, LEAST_NOTES)


def is_too_small(width: int, height: int) -> bool:
    """Whether nothing can be shown in so many columns and rows."""
    return width < SMALLEST[0] or height < SMALLEST[1]


def too_small(width: int, height: int, way: str) -> tuple[str, ...]:
    """What is said then instead of everything; `way`: out of it."""
    return f"{width}x{height}: too small", f"overmind needs {SMALLEST[0]}x{SMALLEST[1]}", way


def shape(width: int, height: int, panel: Panel, *, zoomed: bool = False, notes: bool = False) -> Shape:
    """What a terminal of `width` columns and `height` rows shows while `panel` has the keys; `notes`: they are open."""
    if is_too_small(width, height):
        return Shape(small=True)
    tiny = width < TINY[0] or height < TINY[1]
    header = HEADER if height >= SHORT and not tiny else 1
    roomy = has_stats(width, height)
    left = panel in {Panel.TABLE, Panel.STATS, Panel.NOTES}
    if zoomed or (panel is Panel.NOTES and not roomy):
        graph = max(1, (height - header - 1 - AROUND_GRAPHS) // 3)
        alone = panel is Panel.STATS, panel is Panel.NOTES
        return Shape(False, header, panel is Panel.TABLE, not left, alone[0], graph=graph, notes=alone[1])
    beside = width >= NARROW and not tiny
    below = roomy and (beside or left)
    return Shape(
        header=header,
        table=beside or left,
        side=beside or not left,
        stats=below and not notes,
        list_cells=min(width * 11 // 20, WIDEST_LIST) if beside else 0,
        graph=next((lines for rows, lines in GRAPHS if height >= rows), 1),
        notes=below and notes,
    )


def has_stats(width: int, height: int) -> bool:
    """Whether a terminal of this size has room for the stats."""
    return width >= TINY[0] and height >= SHORT
