"""The table panel of the missions screen: its filter, its order, its tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from overmind_core.view import columns, row_filter
from overmind_core.view.arrangement import Arrangement, ritual_of
from overmind_core.view.cells import Row, safe
from overmind_core.view.columns import MISSIONS, MISSIONS_OF_HIVES, ORDERS, Order
from overmind_core.view.row_filter import NOTHING, BrokenFilter, Filter
from overmind_tui.pages.table_rows import SortKeys

if TYPE_CHECKING:
    from overmind_tui.missions.main_screen import MainScreen
    from overmind_tui.pages.page import Handler
    from overmind_tui.pages.table_rows import Marks
    from overmind_tui.shell.remembered import Remembered


class TablePanel(SortKeys):
    """What the table of the main screen shows, and in which order."""

    def __init__(self, screen: MainScreen, marks: Marks, remembered: Remembered) -> None:
        super().__init__(screen, ORDERS)
        self._screen = screen
        self._marks = marks
        self._remembered = remembered
        self.filter = NOTHING
        self.folded: set[str] = set()
        self._opened: set[str] = set()
        """Rituals whose older runs are shown."""
        self._beneath: Mapping[str, str] = {}
        """Older runs → the newest one, below which they stand."""
        self.flat = False
        self.attention = False
        self.order = Order()
        self.handlers: dict[str, Handler] = {
            **self.sort_handlers,
            "filter": self.do_filter,
            "clear-filter": self.do_clear_filter,
            "attention": self.do_attention,
            "flat": self.do_flat,
            "wide": self.do_wide,
            "parent": self.do_parent,
            "fold": self.do_fold,
            "unfold": self.do_unfold,
        }

    def recall(self) -> None:
        """As it was the last time."""
        known = self._remembered
        self.order = Order.read(known.get("order", ""))
        self.flat = known.get("flat", default=False)
        self._screen.table.wide = known.get("wide", default=False)

    def rearrange(self, *, asked: bool = False) -> None:
        """Show the rows as they are now; `asked`: a key of the person changed the arrangement."""
        table, fleet = self._screen.table, self._screen.shell.fleet
        if self.filter.slow:  # with a row that came later
            self._screen.shell.flash(f"/{safe(self.filter.text)} takes too long: the filter is off", "bad")
            self.filter = NOTHING
        wish = Arrangement(self.order, self.filter, self.attention, self.flat, self.folded, self._opened)
        branches, self._beneath = wish.of(fleet.rows.values(), self._screen.shell.now(), asked_about=fleet.asked_about)
        table.marked &= set(fleet.rows)
        table.columns = MISSIONS_OF_HIVES if fleet.has_hives else MISSIONS
        table.empty = self._screen.empty()
        table.sorted_by = (self.order.by, self.order.rises)
        table.show(branches, asked=asked)
        self._screen.retitle()
        self._screen.tick()

    def targets(self) -> list[Row]:
        """The marked rows that are shown, else the cursor's."""
        table = self._screen.table
        shown = {branch.id: branch.row for branch in table.branches if branch.meant}
        marked = [shown[one] for one in shown if one in table.marked]
        if marked or table.marked:
            return marked
        return [] if table.current is None else [table.current.row]

    def shown_text(self) -> str:
        """All rows that are shown, with every column."""
        table = self._screen.table
        return columns.text(table.columns, table.branches, table.now(), ascii_only=self._screen.shell.ascii_only)

    # filter

    def narrow(self, text: str) -> None:
        """Show only what matches; a broken filter is told and changes nothing."""
        try:
            self.filter = self._parsed(text)
        except BrokenFilter as broken:
            self._screen.shell.flash(f"/{safe(text)}: {broken}", "bad")
        self.rearrange(asked=True)

    def type(self, text: str) -> bool:
        """Show what matches so far; False keeps the last good rows, for the text is broken."""
        try:
            self.filter = self._parsed(text)
        except BrokenFilter:
            return False
        self.rearrange(asked=True)
        return True

    def _parsed(self, text: str) -> Filter:
        shell = self._screen.shell
        return row_filter.tried(text, shell.fleet.rows.values(), now=shell.now)

    def do_filter(self) -> None:
        """Type a filter."""
        self._screen.table.keep_place()
        self._screen.open_bar("/", self.filter.text)

    def do_clear_filter(self) -> None:
        """Show everything again."""
        self.filter, self.attention = NOTHING, False
        self.rearrange(asked=True)

    def do_attention(self) -> None:
        """Only who needs attention, and back."""
        self.attention = not self.attention
        self.rearrange(asked=True)

    # order

    def do_flat(self) -> None:
        """Tree or not."""
        self.flat = not self.flat
        self._screen.shell.remember(flat=self.flat)
        self.rearrange(asked=True)

    def do_wide(self) -> None:
        """More columns, or fewer."""
        table = self._screen.table
        table.wide = not table.wide
        self._screen.shell.remember(wide=table.wide)
        self.rearrange(asked=True)

    def by_column(self, by: str) -> None:
        """Sort by this; by the same again: the other way round."""
        self.order = self.order.asked(by)
        self._screen.shell.remember(order=str(self.order))
        self.rearrange(asked=True)

    # the tree

    def unfold_above(self, mission: str) -> None:
        """Have everything above a mission open."""
        rows, known = self._screen.shell.fleet.rows, self.folded.copy()
        if mission in self._beneath and self._ritual(mission) not in self._opened:
            self._opened.add(self._ritual(mission))
            known.add(mission)  # it is shown from now on
        parent = rows[mission]["parent"]
        while parent in rows:
            self.folded.discard(parent)
            parent = rows[parent]["parent"]
        if self.folded != known:
            self.rearrange(asked=True)

    def _ritual(self, run: str) -> str:
        """The name of a run's ritual."""
        return ritual_of(str(self._screen.shell.fleet.rows[run]["name"]))

    def do_parent(self) -> None:
        """To who started it."""
        current = self._screen.table.current
        if current is not None and not self._screen.table.select(current.row["parent"] or ""):
            self._screen.shell.flash(f"{safe(current.row['name'])} has no parent in the list", "slow")

    def do_fold(self) -> None:
        """Hide what is below, or go to the parent."""
        table = self._screen.table
        current = table.current
        if current is None:
            return
        brood = any(row["parent"] == current.id for row in self._screen.shell.fleet.rows.values())
        if current.id in self._beneath.values() and self._ritual(current.id) in self._opened:
            self._opened.discard(self._ritual(current.id))
            self.rearrange(asked=True)
        elif brood and current.id not in self.folded and not self.flat:
            self.folded.add(current.id)
            self.rearrange(asked=True)
        else:
            table.select(self._beneath.get(current.id) or current.row["parent"] or "")

    def do_unfold(self) -> None:
        """Show what is below."""
        cursor = self._screen.table.cursor_id or ""
        self.folded.discard(cursor)
        if cursor in self._beneath.values():
            self._opened.add(self._ritual(cursor))
        self.rearrange(asked=True)

    def close_one(self) -> bool:
        """Close one thing; whether there was any."""
        if self._screen.table.marked:
            self._marks.do_mark_none()
        elif self.filter or self.attention:
            self.do_clear_filter()
        else:
            return False
        return True
