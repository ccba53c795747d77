"""The shape of the main screen: which parts a terminal of a certain size shows, and how large they are. Pure.

The list holds a place for each group, so that nothing moves when somebody begins to need a person. Cells are columns,
lines are rows.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

SMALLEST = (40, 8)
"""Columns and rows below which nothing can be shown."""
TINY = (60, 15)
"""Below these there are header, hints, and either the list or the panel: the one that has the keys."""
BESIDE = 160
"""Columns from which the panel stands beside the list."""
ROOMY = 30
"""Rows from which the panel stands below the list without being opened, and blank lines part header and groups."""
WIDEST_LIST = 110
"""Cells of a list that has a panel beside it, at most."""
GROUP_LINES = 5
"""Lines of a list beside its rows: two names of groups, the fold, and a blank line before each group but the first."""
GROUP_LINES_CLOSE = 3
"""The same without blank lines."""
STEP = 4
"""Lines by which the list above a panel grows."""
LEAST, LEAST_SHORT, MOST_SHORT = 8, 6, 9
"""Lines of the list above a panel: at least; in fewer rows at least and at most."""
SHARE = 60
"""Percent of list and panel that the list takes at most."""
SPARE = 2
"""Blank lines between the list and the events below it."""


class Place(StrEnum):
    """Places of the panel: the setting `[tui] panel`."""

    AUTO = "auto"
    BELOW = "below"
    BESIDE = "beside"
    OFF = "off"


class Alone(StrEnum):
    """A part that has the screen to itself."""

    NOBODY = ""
    LIST = "list"
    PANEL = "panel"
    TYPING = "typing"
    """A terminal that is typed into: not even a header stands beside it."""


class Wish(NamedTuple):
    """How somebody wants to see the screen.

    Attributes:
        rows: Rows that the list has to show, those that are folded not counted.
        place: Of the panel.
        is_open: Whether the panel is opened, where it does not stand open by itself; None: nobody said.
        needs_only: Only who needs a person is listed.
        alone: The part that has the screen to itself.
        in_panel: The keys are in the panel: where there is room for one part only, it is that one.
        at_least: Lines that the list has had since the view was opened.
        header, hints: Whether they are shown.
    """

    rows: int = 0
    place: Place = Place.AUTO
    is_open: bool | None = None
    needs_only: bool = False
    alone: Alone = Alone.NOBODY
    at_least: int = 0
    header: bool = True
    hints: bool = True
    in_panel: bool = False


class Shape(NamedTuple):
    """The parts that are shown, from above; 0 lines: it is not.

    Attributes:
        small: The terminal is too small: that is all that is said.
        header: Lines of the header with the blank one below it.
        list_cells, list_lines: Size of the list.
        panel_cells, panel_lines: Size of the panel with its title.
        is_beside: Whether the panel stands at the right of the list, behind a rule of one cell.
        happened: Lines of the newest events below the list, with their title.
        line: Lines of the line that is typed into, at rest.
        hints: Lines of the hints.
    """

    small: bool = False
    header: int = 0
    list_cells: int = 0
    list_lines: int = 0
    panel_cells: int = 0
    panel_lines: int = 0
    is_beside: bool = False
    happened: int = 0
    line: int = 0
    hints: int = 0

    @property
    def body(self) -> int:
        """Lines of list and panel together."""
        return self.panel_lines if self.is_beside else self.list_lines + self.panel_lines


def is_too_small(columns: int, rows: int) -> bool:
    """Whether nothing can be shown in so many columns and rows."""
    return columns < SMALLEST[0] or rows < SMALLEST[1]


def is_tiny(columns: int, rows: int) -> bool:
    """Whether there is room for a list alone."""
    return columns < TINY[0] or rows < TINY[1]


def is_roomy(rows: int) -> bool:
    """Whether blank lines part groups, and a panel is open by itself."""
    return rows >= ROOMY


def shape(columns: int, rows: int, wish: Wish) -> Shape:
    """The parts of a terminal of so many columns and rows."""
    if is_too_small(columns, rows):
        return Shape(small=True)
    if wish.alone is Alone.TYPING:
        return Shape(panel_cells=columns, panel_lines=rows)
    tiny = is_tiny(columns, rows)
    header = int(wish.header) * (1 + is_roomy(rows))
    edges = Shape(header=header, line=int(not tiny), hints=int(wish.hints))
    body = rows - edges.header - edges.line - edges.hints
    if wish.alone is Alone.PANEL or (tiny and wish.in_panel and wish.alone is Alone.NOBODY):
        return edges._replace(panel_cells=columns, panel_lines=body)
    if tiny or wish.alone is Alone.LIST or not _has_panel(columns, rows, wish):
        return edges._replace(list_cells=columns, list_lines=body)
    if _is_beside(columns, wish):
        cells = min(columns // 2, WIDEST_LIST)
        lines = min(max(_lines(wish, SPARE), wish.at_least), body * SHARE // 100)
        return edges._replace(
            list_cells=cells, list_lines=lines, panel_cells=columns - cells - 1, panel_lines=body, is_beside=True,
            happened=body - lines,
        )  # fmt: skip
    lines = min(max(_lines_above(rows, wish), wish.at_least), _most_above(rows, body))
    return edges._replace(list_cells=columns, list_lines=lines, panel_cells=columns, panel_lines=body - lines)


def opens_by_itself(rows: int, listed: int) -> bool:
    """Whether the panel of a screen with so many rows is open at the start, above it `listed` rows in the list."""
    return is_roomy(rows) or listed + GROUP_LINES_CLOSE <= MOST_SHORT


def _has_panel(columns: int, rows: int, wish: Wish) -> bool:
    if wish.is_open is not None and (wish.place is Place.OFF or not is_roomy(rows)):
        return wish.is_open
    if wish.place is Place.OFF:
        return False
    return _is_beside(columns, wish) or opens_by_itself(rows, wish.rows)


def _is_beside(columns: int, wish: Wish) -> bool:
    if wish.place is Place.BESIDE:
        return columns >= 2 * TINY[0]
    return columns >= BESIDE and wish.place is not Place.BELOW


def _lines(wish: Wish, spare: int) -> int:
    """Lines of the list that no panel takes anything of."""
    if wish.needs_only:
        return max(wish.rows + GROUP_LINES_CLOSE, LEAST_SHORT)
    return wish.rows + GROUP_LINES + spare


def _lines_above(rows: int, wish: Wish) -> int:
    """Lines of the list above a panel."""
    if wish.needs_only or not is_roomy(rows):
        return max(wish.rows + GROUP_LINES_CLOSE, LEAST_SHORT)
    return max(-(-(wish.rows + GROUP_LINES) // STEP) * STEP, LEAST)


def _most_above(rows: int, body: int) -> int:
    """Lines of the list above a panel at most."""
    return body * SHARE // 100 if is_roomy(rows) else min(MOST_SHORT, body * SHARE // 100)
