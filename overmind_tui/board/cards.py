"""A page of cards in columns, whatever the cards are about."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from overmind_core.view import board as board_rows
from overmind_core.view.cells import Row
from overmind_core.view.missions import Branch
from overmind_core.view.registry import View
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.table import TablePage
from overmind_tui.widgets.board import BoardTable

if TYPE_CHECKING:
    from overmind_core.view.actions import Context
    from overmind_tui.pages.page import Handler


class CardsPage(TablePage):
    """Cards in columns; where a card stands follows from what it shows alone."""

    table: BoardTable

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show)
        self._counts: Sequence[int] = (0,) * len(board_rows.NAMES)
        self._by = 0
        """The place of what lanes are made of."""

    def make_table(self) -> BoardTable:
        """The cards."""
        return BoardTable(ascii_only=self.shell.ascii_only, id="table")

    @property
    def by(self) -> str:
        """What lanes are made of; "" is none."""
        return board_rows.LANES[self._by]

    def take(self, rows: list[Row]) -> None:
        """Show the cards of the answer."""
        found = board_rows.counted(*rows)
        self._counts = found.counts
        super().take(found.rows)

    def branches(self, rows: Sequence[Row]) -> list[Branch]:
        """In the order of columns and lanes; with a filter the numbers of columns are those of what matches."""
        counts = self._counts
        if self.filtering.filter:
            columns = [row[board_rows.COLUMN] for row in rows]
            counts = tuple(columns.count(place) for place in range(len(counts)))
        self.table.by, self.table.counts = self.by, counts
        return [Branch(row["id"], row) for row in board_rows.ordered(rows, self.by)]

    @property
    def shown_count(self) -> int:
        """How many cards there are."""
        return sum(self.table.counts)

    def subtitle(self) -> str:
        """What the lanes are made of."""
        return f"lanes by {self.by}" if self.by else ""

    def shown_text(self) -> str:
        """All columns, below each other."""
        cards, now = [branch.row for branch in self.table.branches], self.clock()
        return board_rows.text(cards, self.table.counts, now, by=self.by, ascii_only=self.shell.ascii_only)

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also the columns and the lanes."""
        return super().handlers(context) | {
            "column-left": partial(self._step, -1),
            "column-right": partial(self._step, 1),
            "sort-left": partial(self._step, -1),
            "sort-right": partial(self._step, 1),
            "sort-chosen": self.do_sort_chosen,
            "lanes": self.do_lanes,
        }

    def _step(self, step: int) -> None:
        """To the column beside this one."""
        self.table.step(step)

    def do_lanes(self) -> None:
        """By spec, by group, by priority, and none again; what no card has makes no lanes."""
        kinds = board_rows.LANES
        following = [(self._by + step) % len(kinds) for step in range(1, len(kinds) + 1)]
        self._by = next(at for at in following if not at or any(row.get(kinds[at]) for row in self.rows))
        self.rearrange(asked=True)

    def do_sort_chosen(self) -> None:
        """Its order is not a matter of taste."""
        self.shell.flash("the board has one order: queued cards by their turn, all others the newest first", "slow")

    def do_wide(self) -> None:
        """A board has no more columns."""
        self.shell.flash("the board shows all its columns", "quiet")
