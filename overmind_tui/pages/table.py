"""The page of any view of the registry that is a table: rows with a cursor, marks, an order and a filter.

Its rows are fetched by one request at a time, every so often, and soon after events.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from textual import on
from textual.app import ComposeResult

from overmind_core.errors import OvermindError
from overmind_core.view import first_run, hints, last_word, numbers, row_filter, tables
from overmind_core.view.actions import Action, Context
from overmind_core.view.cells import Row, safe
from overmind_core.view.keymap import meaning
from overmind_core.view.mission_list import marks_text
from overmind_core.view.missions import Branch
from overmind_core.view.prompt import Filtered
from overmind_core.view.registry import View
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.page import FILLING_SECONDS, Page, joined
from overmind_tui.pages.table_rows import Marks, Sorting, TableFilter
from overmind_tui.pages.text import TextPage
from overmind_tui.render import texts
from overmind_tui.shell import clipboard
from overmind_tui.widgets.table import ResourceTable

if TYPE_CHECKING:
    from textual.timer import Timer

    from overmind_core.view.registry import Fetch
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell


GATHER = 0.2
"""Seconds in which events are gathered into one question."""
SHARE = 0.2
"""Of the time that an answer may take: one that takes long, of a plan of thousands, is asked for less often."""
LONGEST_PAUSE = 15.0
"""Seconds between two questions at most: one answer may have been late because something stood still meanwhile."""


class FetchingPage(Protocol):
    """A page whose rows are asked for."""

    @property
    def shell(self) -> Shell:
        """Who asks the supervisor."""

    @property
    def is_attached(self) -> bool:
        """Whether it is still shown, or put away."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What the supervisor is asked with."""

    def ask(self) -> None:
        """Ask for the rows anew."""

    def take(self, rows: list[Row]) -> None:
        """Show these."""

    def refused(self, why: str) -> None:
        """There is no answer."""

    def set_timer(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call a function after so many seconds, unless the page is closed."""


class TableSource:
    """Fetches the rows of a page.

    Args:
        page: Whose.
        fetch: Where they come from.
    """

    def __init__(self, page: FetchingPage, fetch: Fetch) -> None:
        self._page = page
        self.fetch = fetch
        self.asking = False
        """Whether an answer is to come, or a question is about to be asked."""
        self._refusal = ""
        """What the last answer said instead of rows."""
        self._connected_since = False
        """Whether a supervisor came after the question was asked."""
        self._asked_at = 0.0
        self._took = 0.0

    def ask(self) -> None:
        """Ask for them anew, unless they are asked for."""
        if self.asking:
            return
        self.asking, self._asked_at = True, time.monotonic()
        self._connected_since = False
        self._page.shell.request(self.fetch.request, [self._page.arguments], self._on_result)

    def _on_result(self, answers: Sequence[Any | OvermindError]) -> None:
        (answer,) = answers
        self.asking, self._took = False, time.monotonic() - self._asked_at
        if not self._page.is_attached:
            return
        if isinstance(answer, OvermindError):
            self._refused(answer)
        else:
            self._refusal = ""
            self._page.take(self.fetch.shape(answer))

    def _refused(self, error: OvermindError) -> None:
        self._refusal = error.message
        if self._connected_since:
            self._page.ask()
        elif error.code != "daemon_not_running" or not self._page.shell.fleet.awaits_supervisor:
            self._page.refused(self._refusal)

    def connected(self) -> None:
        """A supervisor answers: what was refused before is asked again."""
        self._connected_since = True
        if self._refusal:
            self._page.ask()

    def disconnected(self) -> None:
        """No supervisor answers, and none is expected any more: what was refused is said."""
        if self._refusal:
            self._page.refused(self._refusal)

    def happened(self, kinds: Collection[str]) -> None:
        """Events of these kinds came."""
        wanted = self.fetch.events
        if ("*" in wanted or wanted & set(kinds)) and not self.asking:
            self.asking = True
            self._page.set_timer(max(GATHER, self._pause), self.ask_again)

    def tick(self) -> None:
        """Another period of `every` is over; where answers take a large part of one, some are left out."""
        if time.monotonic() - self._asked_at >= self._pause:
            self._page.ask()

    @property
    def _pause(self) -> float:
        """Seconds from one question to the next at least."""
        return min(self._took / SHARE, LONGEST_PAUSE)

    def ask_again(self) -> None:
        """Have the page ask, whatever is asked already."""
        self.asking = False
        self._page.ask()


def as_now(page: object, rows: Sequence[Row]) -> list[Row]:
    """These rows of a page as it has them now; as they were, where it has them no more."""
    known = {row["id"]: row for row in page.rows} if isinstance(page, TablePage) else {}
    return [known.get(row["id"], row) for row in rows]


OF_THE_TREE = frozenset({"fold", "unfold", "parent", "flat", "attention"})
"""Actions that arrange the main screen's table."""


def open_table(shell: Shell, view: View, show: Show) -> None:
    """Open the page of a table, filtered as it was asked for."""
    shell.open(TablePage(view, show))


class TablePage(Page):
    """The page of one table.

    Args:
        view: The row of the registry that says all about it.
        show: What was asked for: its filter, and the way in which the view sums up.
    """

    def __init__(self, view: View, show: Show) -> None:
        super().__init__()
        self.view = view.name
        self.row = view
        self.way = next(iter(show.words), "")
        self.way_here = ("missions", " ".join(filter(None, (view.name, self.way))))
        self._wanted = show.filter
        assert view.fetch is not None
        self.source = TableSource(self, view.fetch)
        self.filtering = TableFilter(self)
        self.sorting = Sorting(self, view.orders, by=view.order)
        self.marks = Marks(self)
        self.rows: list[Row] = []
        self._loaded = False
        self._opened_at = time.monotonic()

    def compose_body(self) -> ComposeResult:
        """The table below its title."""
        self.table = self.make_table()
        self.table.now = self.clock
        yield self.table.title_line
        yield self.table

    def make_table(self) -> ResourceTable:
        """The list."""
        return ResourceTable(self.row.columns, ascii_only=self.shell.ascii_only, id="table")

    def begin(self) -> None:
        """Ask for the rows."""
        self.set_focus(self.table)
        self.rearrange(asked=True)
        if self._wanted is not None:
            self.narrow(self._wanted)
        self.ask()
        if self.source.fetch.every:
            self.set_interval(self.source.fetch.every, self.source.tick)

    def refresh_status(self) -> None:
        """A second went by, or something was said."""
        super().refresh_status()
        self._age()
        self.table.tick()

    # what a daemon told last, while none answers

    of_daemon: ClassVar = True
    """Whether its rows come from the daemon of this home."""

    @property
    def stale_since(self) -> float | None:
        """Since when nobody answers who knows of these rows, in seconds since the epoch; None while somebody does."""
        return self.shell.fleet.lost_since if self.of_daemon else None

    def clock(self) -> float:
        """The moment that the rows are about: now, or when a daemon answered last."""
        since = self.stale_since
        return self.shell.now() if since is None else since

    def _age(self) -> None:
        """The rows may be otherwise by now, or are as they are shown again."""
        is_stale, was_stale = self.stale_since is not None, self.table.stale
        self.table.stale = is_stale
        if is_stale or was_stale:
            self.retitle()

    # rows

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What the supervisor is asked with."""
        fetch = self.source.fetch
        return fetch.ways.get(self.way, fetch.arguments)

    def ask(self) -> None:
        """Ask for them anew."""
        self.source.ask()

    def refused(self, why: str) -> None:
        """There is no answer."""
        self.shell.flash(why, "bad")
        if not self._loaded:
            self.table.empty = (safe(why),)
            self.table.refresh()

    def take(self, rows: list[Row]) -> None:
        """Show these; those of missions with all that is known of them."""
        known = self.shell.fleet.rows
        self.rows = [known[row["id"]] | row for row in rows if row["id"] in known] if self.row.missions else rows
        self._loaded = True
        self.rearrange()
        for top in self.app.screen_stack[-1:]:
            if isinstance(top, Dialog) and top.is_mounted:
                top.renew()

    def happened(self, kinds: Collection[str]) -> None:
        """Events of these kinds came."""
        self.source.happened(kinds)

    def swarm_changed(self) -> None:
        """The swarm stands otherwise than before."""

    def missions_changed(self) -> None:
        """Rows of missions came, went or changed."""

    def rearrange(self, *, asked: bool = False) -> None:
        """Show the rows as they are now; `asked`: a key of the person changed the arrangement."""
        table = self.table
        at_end = self.row.at_end and table.at >= len(table.branches) - 1
        rows = self.filtering.of(self.sorting.of(self.rows))
        table.marked &= {row["id"] for row in self.rows}
        table.sorted_by = (self.sorting.by, self.sorting.rises)
        table.empty = texts.in_place(self._empty())
        table.show(self.branches(rows), asked=asked or at_end)
        if at_end and rows and not self.sorting.by:
            table.move_to(len(rows) - 1)
        self.retitle()

    def branches(self, rows: Sequence[Row]) -> list[Branch]:
        """How they stand in the table."""
        return [Branch(row["id"], row) for row in rows]

    def looked_in(self, row: Row) -> str:
        """What a plain word of a filter is looked for in."""
        return row_filter.searched(row) if self.row.missions else tables.looked_in(row)

    def _empty(self) -> tuple[str, ...]:
        """A sentence for a table without rows, and what to type then."""
        if not self._loaded:
            return texts.LOADING
        if self.rows:
            return (first_run.nothing_matches(self.filtering.filter.text, len(self.rows)),)
        return tuple(self.row.empty.split("\n"))

    def retitle(self) -> None:
        """What the border says."""
        title = self.counted + self.narrowed if self.table.branches else ""  # else a sentence stands below it
        if self.table.marked:
            hidden = len(self.table.marked - {branch.id for branch in self.table.branches})
            title = ", ".join(filter(None, (title, marks_text(len(self.table.marked), hidden))))
        if self.stale_since is not None:
            title = " ".join(filter(None, (title, last_word.no_daemon(self.stale_since, self.shell.now()))))
        self.table.set_title(title, self.subtitle())
        self.refresh_line()

    @property
    def counted(self) -> str:
        """How many rows there are; with a filter, how many of all are shown."""
        of = f"{self.shown_count:,} of " if self.filtering.filter else ""
        return of + numbers.counted(len(self.rows) if of else self.shown_count, self.row.noun)

    @property
    def narrowed(self) -> str:
        """Why not all rows were asked for."""
        return ""

    @property
    def filtered(self) -> Filtered | None:
        """The filter, and how many of all rows it shows."""
        text = self.filtering.filter.text
        return Filtered(text, self.shown_count, len(self.rows)) if self.filtering.filter else None

    @property
    def shown_count(self) -> int:
        """How many rows there are, as far as the filter lets them be."""
        return sum(not branch.dimmed for branch in self.table.branches)

    def subtitle(self) -> str:
        """What the lower border says: what all that is shown comes to, where that can be summed up."""
        if self.view != "cost" or self.way == "label" or not self.table.branches:
            return ""
        summed = tables.total(branch.row for branch in self.table.branches)
        return f"total {numbers.cost_of(summed) or '-'} · {summed['turns']:.0f} turns"

    # keys

    @property
    def context(self) -> Context:
        """Those of missions, where the rows are missions."""
        return self.row.context

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also who filters, who sorts and who marks."""
        own = super().handlers(context) | {
            "header": self.do_header,
            "open-row": self.do_open_row,
            "copy": self.do_copy,
            "wide": self.do_wide,
        }
        return joined(own, self.filtering.handlers, self.sorting.sort_handlers, self.marks.handlers)

    @property
    def is_filling(self) -> bool:
        """Whether its first rows are about to come."""
        return not self._loaded and self.is_new

    @property
    def is_new(self) -> bool:
        """Whether it has just opened."""
        return time.monotonic() < self._opened_at + FILLING_SECONDS

    @property
    def restless(self) -> bool:
        """Whether the cursor's row has just moved."""
        return self.table.restless

    def chosen(self) -> list[Row]:
        """The marked rows that are shown, else the cursor's."""
        if not self.table.marked:
            return [] if self.table.current is None else [self.table.current.row]
        return [branch.row for branch in self.table.branches if branch.id in self.table.marked]

    def targets(self) -> list[Row]:
        """The missions that an action would meet."""
        return self.chosen() if self.row.missions else []

    def unusable(self) -> frozenset[str]:
        """Also what is done to a row, where there is none."""
        has_row = self.table.current is not None
        refused = self.shell.actions.refused_actions(self, self.context)
        return hints.unusable(self.hinted_rows(), self.shell.fleet.asked, self.context, has_row=has_row) | refused

    def chosen_of(self, view: str) -> list[Row]:
        """The rows that the verbs of a view mean here."""
        return self.chosen() if (self.row.rows_of or self.view) == view else []

    def act(self, action: Action) -> None:
        """What only the main screen does to a mission is done there; there is no tree here."""
        if action.name in OF_THE_TREE:
            return
        if action.context is Context.MISSIONS and not self._does(action):
            current, main = self.table.current, self.shell.main
            if current is not None and main.go_to(current.id):
                main.act(action)
            elif current is not None:
                self.shell.flash(f"{safe(current.row['name'])} has been removed", "slow")
            return
        super().act(action)

    def _does(self, action: Action) -> bool:
        return action.name in self._handlers[self.context] or self.shell.actions.does(action.name)

    @on(ResourceTable.Selected)
    def row_changed(self) -> None:
        """Another row stands otherwise, and may be of other use."""
        self.refresh_line()

    @on(ResourceTable.Opened)
    def opened(self) -> None:
        """Two clicks on a row."""
        action = meaning(self.context, "enter", None)
        if action is not None:
            self.act(action)

    @on(ResourceTable.Headed)
    def headed(self, message: ResourceTable.Headed) -> None:
        """A click on the heading of a column."""
        self.sorting.sort(message.column)

    def do_open_row(self) -> None:
        """What is under the cursor, whole; of a mission all that is known."""
        current = self.table.current
        known = self.shell.fleet.of(current.id) if current is not None else None
        if known is not None:
            self.shell.act("describe", [known])
        elif current is not None:
            shown = {key: value for key, value in current.row.items() if key not in {"id", "named", "clock", "day"}}
            lines = texts.plain(json.dumps(shown, ensure_ascii=False, indent=2))
            self.shell.open(TextPage(self.view, safe(current.row["name"]) or current.id, lambda: lines))

    def shown_text(self) -> str:
        """All that is shown, as text."""
        shown = [column for column in self.row.columns if self.table.wide or not column.wide]
        return tables.text(shown, (branch.row for branch in self.table.branches), self.clock())

    def do_copy(self) -> None:
        """The ids of missions; of all others the rows."""
        rows = self.chosen()
        if not rows:
            self.shell.flash("there is no row to copy", "quiet")
        elif self.row.missions:
            clipboard.copy(self.shell, "\n".join(row["id"] for row in rows), numbers.counted(len(rows), "id"))
        else:
            text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
            clipboard.copy(self.shell, text, numbers.counted(len(rows), "row"))

    def do_refresh(self) -> None:
        """Ask anew."""
        self.source.ask_again()
        self.shell.flash("refreshing …", "quiet")

    def do_wide(self) -> None:
        """More columns, or fewer."""
        self.table.wide = not self.table.wide
        self.rearrange(asked=True)

    def narrow(self, text: str) -> None:
        """Show only what matches."""
        self.filtering.narrow(text)

    def typing(self, sign: str, text: str) -> None:
        """Each key filters."""
        if sign == "/":
            self.bar.broken = not self.filtering.type(text)

    def returned(self) -> None:
        """It is open again: with the rows as they are now."""
        super().returned()
        self.source.ask_again()

    def close_one(self) -> bool:
        """First the marks, then the filter, then the view."""
        if self.table.marked:
            self.marks.do_mark_none()
        elif self.filtering.filter:
            self.filtering.do_clear_filter()
        else:
            self.close()
        return True
