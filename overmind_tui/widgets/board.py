"""The board as a table of cards: five columns side by side, or one at a time where there is no room for all.

The cursor is on a card. Columns are scrolled apart, and together where lanes go through them; only what is in sight is
drawn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rich.style import Style
from textual import events
from textual.strip import Strip

from overmind_core.domain.text.cells import width
from overmind_core.view import board as board_rows
from overmind_core.view.board import GUIDE, NAMES, Grid
from overmind_core.view.cells import Cell, clipped
from overmind_core.view.missions import Branch
from overmind_tui.render.layout import NARROW
from overmind_tui.widgets.canvas import Run
from overmind_tui.widgets.table import DIM, ResourceTable

MOST_DRAWN = 4096
"""Lines, and parts of lines, that are remembered."""


class BoardTable(ResourceTable):
    """Cards in columns.

    Attributes:
        by: What lanes are made of, see `rows.LANES`.
        counts: How many quests each column has.
        column: The one that the cursor is in.
    """

    def __init__(self, *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002
        super().__init__((), ascii_only=ascii_only, id=id)
        self.by = ""
        self.counts: Sequence[int] = (0,) * len(NAMES)
        self.column = 0
        self._grid = Grid()
        self._tops = [0] * len(NAMES)
        """The first line of each column that is in sight."""
        self._names = [0] * len(NAMES)
        """Cells that the longest name of each column takes."""
        self._cards: dict[object, Strip] = {}
        """Cards that were drawn, by their places; they say the same until a second has gone by."""
        self._laid: tuple[int, list[int]] = (-1, [])
        """Cells of all columns, and of each."""

    # what is shown

    def show(self, branches: list[Branch], *, asked: bool = False) -> None:
        """Show these, which stand in the order of columns and lanes."""
        stood, wanted = self._stands, self._wanted(branches)
        self._grid = self._arranged(branches)
        self.column, self.at = board_rows.cursor_place(branches, self._grid, wanted, self.column, stood[1])
        self.branches = branches
        self._forget()
        if not asked and self.cursor_id is not None and (self.current_id, self._stands) != (self.cursor_id, stood):
            self._moved_at = time.monotonic()
        self._names = [
            max((width(board_rows.short_name(branches[card].row, self.by)) for card in cards), default=0)
            for cards in self._grid.cards
        ]
        self.hold_rows(1)
        self._settle()
        self._redraw()

    def _arranged(self, branches: Sequence[Branch]) -> Grid:
        return board_rows.grid([branch.row for branch in branches], self.by, apart=self.one_at_a_time)

    def on_resize(self) -> None:
        """Another width, other lanes."""
        self._grid = self._arranged(self.branches)

    @property
    def current_id(self) -> str | None:
        """The id of the card under the cursor."""
        return None if self.current is None else self.current.id

    @property
    def _stands(self) -> tuple[int, int]:
        """The column of the cursor, and which of its cards it is on."""
        cards = self._grid.cards[self.column]
        return self.column, self.at - cards[0] if cards else 0

    @property
    def place(self) -> int:
        """Which card of its column the cursor is on, from 0."""
        return self._stands[1]

    @property
    def missing(self) -> int:
        """How many quests of the cursor's column are not there as cards."""
        return max(self.counts[self.column] - len(self._grid.cards[self.column]), 0)

    @property
    def one_at_a_time(self) -> bool:
        """Whether only the column of the cursor has room."""
        return self.app.size.width < NARROW

    def hold_rows(self, count: int) -> None:
        """Columns have no scrollbar: each is scrolled by itself."""
        super().hold_rows(min(count, 1))

    # the cursor

    def move_to(self, at: int) -> None:
        """Put the cursor on a card."""
        self._place = None
        self.at = max(0, min(at, len(self.branches) - 1))
        if self.branches:
            self.column = self._grid.place(self.at)[0]
        self._moved_at = float("-inf")
        self._settle()
        self._redraw()

    def press(self, action: str) -> bool:
        """Move the cursor within its column; False when the action is none of that."""
        cards = self._grid.cards[self.column]
        page = max(self._rows_shown - 1, 1)
        steps = {"down": 1, "up": -1, "page-down": page, "page-up": -page, "first": -len(cards), "last": len(cards)}
        if action not in steps:
            return False
        if cards:
            self.move_to(max(cards[0], min(self.at + steps[action], cards[-1])))
        return True

    def step(self, step: int) -> None:
        """To the next column to the right (1) or to the left (-1) that has cards, as high on the screen."""
        places = range(self.column + step, len(NAMES) if step > 0 else -1, step)
        found = next((place for place in places if self._grid.cards[place]), None)
        if found is None or not self.branches:
            return
        line = self._line_of_cursor - self._top(self.column) + self._top(found)
        card = self._grid.beside(found, line)
        if card is not None:
            self.move_to(card)

    @property
    def _line_of_cursor(self) -> int:
        return self._grid.lines[self.column][self._stands[1]]

    def _top(self, column: int) -> int:
        return self._tops[0 if self._grid.aligned else column]

    def _scroll(self, column: int, top: int) -> None:
        """Have this line of a column at the top, or as near to it as its end allows."""
        height = self._grid.height(column) + bool(self._more(column))
        self._tops[0 if self._grid.aligned else column] = max(0, min(top, height - self._rows_shown))

    def _settle(self) -> None:
        """Tell who listens where the cursor is, and have its card in sight, with the lane that it begins."""
        current = self.current_id
        if current != self.cursor_id:
            self.cursor_id = current
            self.post_message(self.Selected(current))
        for column in range(len(NAMES)):
            self._scroll(column, self._top(column))
        if current is None:
            return
        line, top = self._line_of_cursor, self._top(self.column)
        lead = line - ((line - 1) in self._grid.headings[self.column])
        if lead < top:
            self._scroll(self.column, lead)
        elif line >= top + self._rows_shown > 0:
            self._scroll(self.column, line - self._rows_shown + 1)

    # the mouse

    def heading_clicked(self, x: int) -> None:
        """Go to the column whose heading that is."""
        if self.one_at_a_time:
            ends, x = board_rows.heading_ends(self.counts, self._cells), x - 1
        else:
            ends = self._ends()
        found = next((place for place, end in enumerate(ends) if x < end), None)
        if found is not None and self._grid.cards[found]:
            self.move_to(self._grid.cards[found][0] if found != self.column else self.at)

    def row_at(self, x: int, y: int) -> int | None:
        """The place of the card that is drawn there."""
        column = self.column
        if not self.one_at_a_time:
            found = next((place for place, end in enumerate(self._ends()) if x < end), None)
            if found is None:
                return None
            column = found
        return self._grid.at(column, y - 1 + self._top(column))

    def _ends(self) -> list[int]:
        """Where each column ends, with what stands behind it."""
        found, end = [], 0
        for cells in self._widths(self._cells):
            end += cells + len(GUIDE)
            found.append(end)
        return found

    def wheel(self, event: events.MouseEvent, lines: int) -> None:
        """Scroll the column below the mouse."""
        event.stop()
        place = event.get_content_offset(self)
        column = self.column
        if place is not None and not self.one_at_a_time:
            column = next((at for at, end in enumerate(self._ends()) if place.x < end), column)
        self._scroll(column, self._top(column) + lines)
        self._redraw()

    # drawing

    def _redraw(self) -> None:
        """Draw what is no longer as it is; lines are known by their parts, so both are forgotten together."""
        if len(self._drawn) > MOST_DRAWN:
            self.wipe()
        super()._redraw()

    def wipe(self) -> None:
        """Draw everything anew, the cards too."""
        super().wipe()
        self._forget()

    def tick(self) -> None:
        """Times go on."""
        self._forget()
        super().tick()

    def _forget(self) -> None:
        """Cards may say something else now, and need other widths."""
        self._cards.clear()
        self._laid = -1, []

    def _widths(self, cells: int) -> list[int]:
        if self._laid[0] != cells:
            shown = [len(cards) for cards in self._grid.cards]
            self._laid = cells, board_rows.widths(self.counts, shown, cells - len(GUIDE) * (len(NAMES) - 1))
        return self._laid[1]

    def _line(self, y: int) -> Strip:
        cells = self._cells
        if not self.branches and self.empty:
            return self._empty_line(y, cells)
        if self.one_at_a_time:
            return self._heads(cells) if y == 0 else self._part(self.column, y - 1, cells)
        if y and self._grid.aligned and (lane := self._grid.headings[0].get(y - 1 + self._top(0))) is not None:
            return self._lane(lane, cells)
        parts = [
            self._head(column, room) if y == 0 else self._part(column, y - 1, room)
            for column, room in enumerate(self._widths(cells))
        ]
        guide = self._piece((Cell(GUIDE, "guide"),), len(GUIDE))
        joined = [strip for place, part in enumerate(parts) for strip in ((guide, part) if place else (part,))]
        return self._kept((cells, *map(id, joined)), lambda: Strip.join(joined))

    def _kept(self, key: object, draw: Callable[[], Strip]) -> Strip:
        """A line, or a part of one, that was drawn before, or `draw` it."""
        strip = self._drawn.get(key)
        if strip is None:
            strip = self._drawn[key] = draw()
        return strip

    def _piece(self, cells: tuple[Cell, ...], width: int, ground: str = "") -> Strip:
        """Cells as a strip of this width."""
        rests = self.rests
        return self._kept((cells, width, ground, rests), lambda: self._strip(cells, width, ground, rests=rests))

    def _strip(self, cells: tuple[Cell, ...], width: int, ground: str, *, rests: bool) -> Strip:
        dim = DIM if rests else Style.null()
        runs: list[Run] = [(cell.text, self.tone(cell.tone) + dim) for cell in cells]
        return self.strip(runs, width, ground=self.tone(ground) if ground else None)

    def _heads(self, cells: int) -> Strip:
        """All columns with their counts, of which one is shown."""
        return self._piece(tuple(board_rows.headings(self.counts, self.column, cells)), cells)

    def _head(self, column: int, cells: int) -> Strip:
        """The heading of a column, with arrows where it goes on."""
        top, lines = self._top(column), self._grid.lines[column]
        arrows = ("↑" if top and lines else "") + ("↓" if lines and lines[-1] >= top + self._rows_shown else "")
        text = " ".join(filter(None, (board_rows.title(column, self.counts), arrows)))
        tone = "accent" if column == self.column else "title" if self.counts[column] else "quiet"
        return self._piece((Cell(clipped(f" {text}", cells), tone),), cells)

    def _lane(self, name: str, cells: int) -> Strip:
        text = f" {clipped(name, cells - 6)} "
        line = (Cell("──", "guide"), Cell(text, "title"), Cell("─" * (cells - 2 - width(text)), "guide"))
        return self._piece(line, cells)

    def _more(self, column: int) -> str:
        return "" if self.by else board_rows.more(self.counts[column], len(self._grid.cards[column]))

    def _part(self, column: int, y: int, cells: int) -> Strip:
        """What a column shows on a line of the screen."""
        line = y + self._top(column)
        at = self._grid.at(column, line)
        if at is None:
            if (lane := self._grid.headings[column].get(line)) is not None:
                return self._lane(lane, cells)
            more = self._more(column)
            text = f" {more}" if more and line == len(self._grid.lines[column]) else ""
            return self._piece((Cell(clipped(text, cells), "faint"),), cells)
        marked = self.branches[at].id in self.marked
        ground = ("cursor" if self.has_focus else "cursor-rest") if at == self.at else ""
        key = at, cells, marked, ground, self.rests
        strip = self._cards.get(key)
        if strip is None:
            row, names = self.branches[at].row, self._names[column]
            card = board_rows.card(row, cells - 1, self.now(), by=self.by, names=names, ascii_only=self._ascii)
            edge = Cell("*", "mark") if marked else self.edge if ground else Cell(" ")
            strip = self._cards[key] = self._piece((edge, *card), cells, ground)
        return strip
