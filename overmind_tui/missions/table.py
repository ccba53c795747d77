"""The table panel of the missions screen: its filter, its order, its tree."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from overmind_core.view import missions as missions_rows
from overmind_core.view import row_filter
from overmind_core.view.arrangement import ritual_of
from overmind_core.view.cells import Row, safe
from overmind_core.view.columns import ORDERS, Order
from overmind_core.view.grouping import grouped, ordered
from overmind_core.view.groups import Listing, Wish
from overmind_core.view.inbox import STANDS_FOR_NONE, unheard
from overmind_core.view.log_lines import NOBODY
from overmind_core.view.mission_list import ATTENTION
from overmind_core.view.missions import older_runs
from overmind_core.view.prompt import Filtered
from overmind_core.view.row_filter import NOTHING, BrokenFilter, Filter
from overmind_core.view.settling import BY_FIGURES, CALM_SECONDS, Pace, SettledOrder, Settling
from overmind_tui.pages.table_rows import SortKeys

if TYPE_CHECKING:
    from overmind_tui.missions.main_screen import MainScreen
    from overmind_tui.pages.page import Handler
    from overmind_tui.pages.table_rows import Marks
    from overmind_tui.shell.remembered import Remembered

NO_FOLD, NO_UNFOLD = "nothing to fold here", "nothing to unfold here"


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
        self._opened_roots: set[str] = set()
        """Whose members that ended are shown in place."""
        self._kept: dict[str, str] = {}
        """What is remembered of filter and marks."""
        self.flat = False
        self.grouped = True
        self.unfolded = False
        """Those that ended are shown."""
        self.wanted = Listing()
        """The list as it would be if nothing were held in its place."""
        self._shown = self.wanted
        self._settling = Settling()
        self._settled_order = SettledOrder()
        self._pace = Pace()
        self._paces = False
        """A timer is set for a sentence that is held back."""
        self._waits = False
        """A timer is set for what is held back."""
        self._was_empty = True
        """Nothing was listed when the line and the hints were drawn last: they are others then."""
        self.attention = False
        self._aside: tuple[Filter, bool] | None = None
        """How all missions were narrowed, while only those are listed who need a person."""
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
        self.grouped = known.get("grouped", default=True)
        self.unfolded = known.get("unfolded", default=False)
        self._screen.table.wide = known.get("wide", default=False)
        self._screen.table.marked = set(known.get("marks", default="").split())
        with contextlib.suppress(BrokenFilter):
            self.filter = self._parsed(known.get("filter", default=""))
        self._kept = self._keepable

    @property
    def _keepable(self) -> dict[str, str]:
        return {"filter": self.filter.text, "marks": " ".join(sorted(self._screen.table.marked))}

    def remember(self) -> None:
        """The filter and the marks are there again after a restart; what is being typed is no filter yet."""
        if self._screen.bar.sign or self._aside is not None:
            return
        found = self._keepable
        if found != self._kept:
            self._kept = found
            self._screen.shell.remember(**found)

    def cursor_moved(self) -> None:
        """The cursor left its row, which may have been held in its place: it goes where it belongs soon."""
        if self._shown is not self.wanted and not self._waits:
            self._waits = True
            self._screen.set_timer(CALM_SECONDS, self._rested)

    def pressed(self) -> None:
        """A key was pressed: for a moment nothing moves."""
        self._settling.press(time.monotonic())

    def list_needs(self, *, only: bool) -> None:
        """List only who needs a person, narrowed by a filter of its own, or all again."""
        if only:
            self._aside = self.filter, self.attention
            self.filter, self.attention = NOTHING, False
        elif self._aside is not None:
            (self.filter, self.attention), self._aside = self._aside, None
        self._settling = Settling()
        self._screen.forget_columns()
        self.rearrange(asked=True)

    @property
    def _wish(self) -> Wish:
        if self._aside is not None:
            return Wish(filter=self.filter)
        order = None if self.order == Order() else self.order
        return Wish(
            order, self.filter, self.attention, self.flat, self.grouped, self.unfolded, self.folded, self._opened_roots,
            self._opened,
        )  # fmt: skip

    def rearrange(self, *, asked: bool = False, brings: str = "") -> None:
        """Show the rows as they are now.

        Args:
            asked: A key of the person changed the arrangement.
            brings: The id of one that was just started: it is shown, though it has ended by now.
        """
        table, fleet = self._screen.table, self._screen.shell.fleet
        if self.filter.slow:  # with a row that came later
            self._screen.shell.flash(f"/{safe(self.filter.text)} takes too long: the filter is off", "bad")
            self.filter = NOTHING
        now, wish = self._screen.shell.now(), self._wish
        rows = ordered(fleet.rows.values(), wish.order, now)
        if wish.order is not None and wish.order.by in BY_FIGURES:
            rows = self._settled_order.settled(rows, asked=asked)
        questions = unheard(fleet.questions, fleet.lost_since)
        self.wanted = grouped(rows, questions, now, wish, sizes=fleet.plan_sizes)
        if self._aside is not None:
            self.wanted = self.wanted.only_needs
        self._shown = shown = self._settling.settled(
            self.wanted, fleet.rows, table.cursor_id, time.monotonic(), asked=asked, lets_go=self._aside is not None,
            brings=brings,
        )  # fmt: skip
        self._beneath = {} if self.flat or wish.narrows or wish.grouped else older_runs(rows)
        if fleet.loaded:
            table.marked &= set(fleet.rows)
            self.remember()
        table.empty = self._screen.empty() if not shown.needs else ()
        table.sorted_by = (self.order.by if wish.order is not None else "", self.order.rises)
        table.show(shown, wanted=self.filter.text, asked=asked)
        self._screen.panels.fold()
        self._screen.retitle()
        self._screen.tick()
        is_empty = fleet.is_empty
        if asked or self.filtered is not None or is_empty is not self._was_empty:
            self._was_empty = is_empty
            self._screen.refresh_line()
        self._wait_for_rest()

    def _wait_for_rest(self) -> None:
        """Ask again once what is held back may move."""
        due = self._settling.due
        if due is not None and not self._waits:
            self._waits = True
            self._screen.set_timer(max(due - time.monotonic(), 0.01), self._rested)

    def _rested(self) -> None:
        self._waits = False
        self.rearrange()

    def paced(self, one: str, text: str) -> str:
        """The sentence to show of a mission that would say this: it changes at most twice a second."""
        now = time.monotonic()
        said = self._pace.paced(one, text, now)
        if said != text and self._pace.due is not None and not self._paces:
            self._paces = True
            self._screen.set_timer(max(self._pace.due - now, 0.01), self._say_on)
        return said

    def _say_on(self) -> None:
        self._paces = False
        self._pace.keep(self._screen.shell.fleet.rows)
        self._screen.table.tick()

    @property
    def filtered(self) -> Filtered | None:
        """The filter, and how many of all it shows."""
        if not self.filter and not self.attention:
            return None
        counts, every = self.wanted.counts, self.wanted.every or self.wanted.counts
        return Filtered(self.filter.text or ATTENTION, sum(counts.values()), sum(every.values()))

    def targets(self) -> list[Row]:
        """The marked rows that are shown, else the cursor's."""
        table = self._screen.table
        if table.marked:
            shown = (one for one in table.branches if one.meant and not one.row.get(STANDS_FOR_NONE))
            return list({one.id: one.row for one in shown if one.id in table.marked}.values())
        current = table.current
        return [] if current is None or current.row.get(STANDS_FOR_NONE) else [current.row]

    @property
    def current(self) -> list[Row]:
        """The mission under the cursor, whatever is marked; none where that is something else."""
        row = self._screen.shell.fleet.of(self._screen.table.cursor_id)
        return [] if row is None else [row]

    def shown_text(self) -> str:
        """All rows that are shown."""
        return self._screen.table.shown_text()

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
        fleet, now = shell.fleet, shell.now
        return row_filter.tried(text, fleet.rows.values(), now=now, noted=lambda row: fleet.state_word(row, now()))

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
        if by == "age":
            self.grouped = not self.grouped
            self._screen.shell.remember(grouped=self.grouped)
            self.order = Order()
        else:
            self.order = self.order.asked(by)
        self._screen.shell.remember(order=str(self.order))
        self.rearrange(asked=True)

    # the fold and the tree

    def turn_fold(self) -> None:
        """Show those that ended, or fold them away."""
        self.unfolded = not self.unfolded
        self._screen.shell.remember(unfolded=self.unfolded)
        self.rearrange(asked=True)

    def unfold_above(self, mission: str) -> None:
        """Have everything above a mission open, and what it is a part of."""
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
        if mission not in {entry.id for entry in self._screen.table.branches}:
            self._open_family(mission)

    def _open_family(self, mission: str) -> None:
        """Show one that has ended: in place where its family lives, else behind the fold."""
        rows = self._screen.shell.fleet.rows
        above, top = rows[mission]["parent"], None
        while above in rows:
            top = above if missions_rows.is_live(rows[above]) else top
            above = rows[above]["parent"]
        if top is not None:
            self._opened_roots.add(top)
        else:
            self.unfolded = True
        self.rearrange(asked=True)

    def _ritual(self, run: str) -> str:
        """The name of a run's ritual."""
        return ritual_of(str(self._screen.shell.fleet.rows[run]["name"]))

    def do_parent(self) -> None:
        """To who started it."""
        current = self._screen.table.current
        if current is None:
            self._screen.shell.flash(NOBODY, "quiet")
        elif not self._screen.table.select(current.row["parent"] or ""):
            self._screen.shell.flash(f"{safe(current.row['name'])} has no parent in the list", "slow")

    def do_fold(self) -> None:
        """Hide what is below, or go to the parent."""
        table = self._screen.table
        if table.on_fold and self.unfolded:
            self.turn_fold()
            return
        current = table.current
        if current is None:
            self._screen.shell.flash(NO_FOLD, "quiet")
            return
        if current.id in self._opened_roots:
            shown = table.listed
            self._opened_roots.discard(current.id)
            self.rearrange(asked=True)
            if table.listed != shown:  # else what was below has gone since
                return
        brood = any(row["parent"] == current.id for row in self._screen.shell.fleet.rows.values())
        if current.id in self._beneath.values() and self._ritual(current.id) in self._opened:
            self._opened.discard(self._ritual(current.id))
            self.rearrange(asked=True)
        elif brood and current.id not in self.folded and not self.flat:
            self.folded.add(current.id)
            self.rearrange(asked=True)
        elif not table.select(self._beneath.get(current.id) or current.row["parent"] or ""):
            self._screen.shell.flash(NO_FOLD, "quiet")

    def do_unfold(self) -> None:
        """Show what is below, also what has ended there."""
        if self._screen.table.on_fold:
            if self.unfolded:
                self._screen.shell.flash(NO_UNFOLD, "quiet")
            else:
                self.turn_fold()
            return
        before = self._screen.table.listed
        cursor = self._screen.table.cursor_id or ""
        opened = {cursor} - self.folded - self._opened_roots
        self._opened_roots |= opened
        self.folded.discard(cursor)
        if cursor in self._beneath.values():
            self._opened.add(self._ritual(cursor))
        self.rearrange(asked=True)
        if self._screen.table.listed == before:
            self._opened_roots -= opened  # else the next fold would close what nobody sees
            self._screen.shell.flash(NO_UNFOLD, "quiet")

    def close_one(self) -> bool:
        """Close one thing; whether there was any."""
        if self._screen.table.marked:
            self._marks.do_mark_none()
        elif self.filter or self.attention:
            self.do_clear_filter()
        else:
            return False
        return True
