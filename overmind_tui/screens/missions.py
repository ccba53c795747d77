"""The main screen: the tree of missions, the log of the one under the cursor, and its load."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size

from overmind_tui import actions
from overmind_tui.actions import Context
from overmind_tui.messages import LogFailed, LogGrew, LogOlder, LogShown
from overmind_tui.screens.page import Page
from overmind_tui.screens.surroundings import Surroundings
from overmind_tui.view import filter as filtering
from overmind_tui.view import missions
from overmind_tui.view.cells import Row
from overmind_tui.view.columns import MISSIONS
from overmind_tui.view.filter import BrokenFilter, Filter
from overmind_tui.widgets.lines import Lines
from overmind_tui.widgets.log_view import LogView
from overmind_tui.widgets.resource_table import ResourceTable

NARROW, SHORT = 100, 30
"""Columns and rows below which list and log take turns, and the load is not shown."""
TINY = (60, 15)
SMALLEST = (40, 8)
NOTHING = Filter("", lambda _row: True)
ORDERS = {"sort-name": "name", "sort-age": "age", "sort-state": "state", "sort-cpu": "cpu", "sort-memory": "memory"}


class MissionsScreen(Page):
    """Three panels; the keys go to the one with the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.around = Surroundings(self)
        self._shown_run = 0
        self.at_log = False
        self.zoomed = False
        self.shows_header = True
        self.filter = NOTHING
        self.folded: set[str] = set()
        self.flat = False
        self.order = "age:down"

    # layout

    def compose(self) -> ComposeResult:
        """What fits is known before the first frame, so that nothing flashes."""
        settings = self.program.settings
        self.head = Lines(self.around.head, id="header")
        self.banner = Lines(self.around.banner, id="banner")
        self.table = ResourceTable(MISSIONS, ascii_only=self.program.ascii_only, id="missions")
        self.table.now = self.program.now
        self.load = Lines(self.around.load, id="load")
        self.load.border_title = "load"
        self.log_view = LogView(zone=self.program.zone, id="log")
        self.log_view.times, self.log_view.wrap = settings.log_time, settings.log_wrap
        self.left = Vertical(self.table, self.load, id="left")
        self.panels = Horizontal(self.left, self.log_view, id="panels")
        self.too_small = Lines(self.around.small, id="too-small")
        self.fold(self.app.size)
        yield self.head
        yield self.banner
        yield self.panels
        yield self.too_small
        yield from self.compose_bottom()
        self.bottom.display = self.program.shows_crumbs

    def begin(self) -> None:
        """The table has the keys."""
        self.rearrange(asked=True)
        self._focus()

    def on_resize(self, event: events.Resize) -> None:
        """Fold what doesn't fit."""
        self.fold(event.size)
        self._focus()

    def fold(self, size: Size) -> None:
        """Decide which panels are shown in a terminal of this size."""
        small = size.width < SMALLEST[0] or size.height < SMALLEST[1]
        tiny = size.width < TINY[0] or size.height < TINY[1]
        alone = self.zoomed or tiny or size.width < NARROW
        self.too_small.display = small
        self.panels.display = not small
        self.head.display = not small and self.shows_header
        self.banner.display = not small and bool(self.program.lost)
        self.log_view.display = self.at_log or not alone
        self.left.display = not self.at_log or not alone
        self.load.display = not self.zoomed and not tiny and size.height >= SHORT
        self.log_view.set_class(self.log_view.display and not self.left.display, "alone")

    def _focus(self) -> None:
        self.set_focus(self.log_view if self.at_log else self.table)
        self.crumbs = ("missions", "logs") if self.at_log else ("missions",)
        self.retitle()
        self.head.refresh()
        self.say()

    # what came

    def rearrange(self, *, asked: bool = False) -> None:
        """Show the rows as they are now; `asked`: a key of the person changed the arrangement."""
        fleet = self.program.fleet
        rows = self._ordered(fleet.rows.values())
        wanted = self.filter.matches if self.filter else None
        branches = missions.arranged(rows, wanted=wanted, folded=self.folded, flat=self.flat)
        self.table.marked &= {branch.id for branch in branches} if not self.filter else set(fleet.rows)
        self.table.empty = self.around.empty()
        self.table.sorted_by = self.order
        self.table.show(branches, asked=asked)
        self.retitle()
        self.tick()

    def tick(self) -> None:
        """A second went by."""
        self.table.tick()
        self.head.refresh()
        self.load.refresh()

    def changed_connection(self) -> None:
        """The supervisor came or went."""
        self.fold(self.app.size)
        self.banner.refresh()
        self.table.empty = self.around.empty()
        self.table.refresh()

    @on(ResourceTable.Selected)
    def look_at(self, message: ResourceTable.Selected) -> None:
        """Another mission under the cursor, another log."""
        self.program.log_feed.show(message.row)
        row = self.program.fleet.of(message.row)
        self.log_view.start(message.row, "" if row else "no mission is selected")
        self.load.refresh()

    @on(ResourceTable.Opened)
    def opened(self) -> None:
        """Two clicks on a row."""
        self.do_open()

    @on(LogView.WantsOlder)
    def look_back(self) -> None:
        """Somebody scrolled to the first lines."""
        self.run_worker(self.program.log_feed.load_older, thread=True, group="older")

    @on(LogView.Changed)
    def log_changed(self) -> None:
        """Who reads back is not disturbed by what comes."""
        self.program.log_feed.hold(back=not self.log_view.following)
        self.retitle()

    def retitle(self) -> None:
        """What the borders say."""
        self.table.entitle(self.around.table_title())
        self.log_view.entitle(self.around.log_title(self._shown_run), self.around.log_subtitle())

    def log_came(self, message: LogShown | LogGrew | LogOlder | LogFailed) -> None:
        """Something of the log that is looked at."""
        view = self.log_view
        if message.mission != view.mission:
            return
        match message:
            case LogShown():
                view.empty = "nothing was written" if message.ended else "nothing was written yet"
                view.show(message.lines, message.partial, more=message.more)
                self._shown_run = message.run
            case LogGrew():
                view.add(message.lines, message.partial)
                self._shown_run = message.run
            case LogOlder():
                view.put_before(message.lines, more=message.more)
            case LogFailed():
                view.start(message.mission, message.reason)
        self.retitle()

    # keys

    @property
    def context(self) -> Context:
        """The keys of the panel with the focus."""
        return Context.LOG if self.at_log else Context.MISSIONS

    def typing(self, sign: str, text: str) -> None:
        """Each key filters; a broken one colours the prompt and keeps the last good rows."""
        if sign != "/":
            return
        try:
            self.filter = filtering.parsed(text)
        except BrokenFilter:
            self.bar.broken = True
            return
        self.bar.broken = False
        self.rearrange(asked=True)

    def do_filter(self) -> None:
        """Type a filter for the table."""
        self.to_panel(log=False)
        self.open_bar("/", self.filter.text)

    def do_clear_filter(self) -> None:
        """Show everything again."""
        self.filter = NOTHING
        self.rearrange(asked=True)

    def do_open(self) -> None:
        """Its log."""
        if self.table.current is not None:
            self.to_panel(log=True)

    do_log = do_open

    def do_next_panel(self) -> None:
        """There are two that take keys."""
        self.to_panel(log=not self.at_log)

    do_previous_panel = do_next_panel

    def do_zoom(self) -> None:
        """One panel, or all."""
        self.zoomed = not self.zoomed
        self.fold(self.app.size)

    def do_header(self) -> None:
        """Show or hide it."""
        self.shows_header = not self.shows_header
        self.fold(self.app.size)

    def to_panel(self, *, log: bool) -> None:
        """Give the keys to a panel."""
        self.at_log = log
        self.fold(self.app.size)
        self._focus()

    def do_back(self) -> None:
        """Close one thing; whether there was any."""
        self._close_one()

    def do_quit(self) -> None:
        """Close one thing; with nothing open, leave."""
        if not self._close_one():
            self.program.ask_leave()

    def _close_one(self) -> bool:
        if self.table.marked:
            self.table.marked.clear()
            self.table.refresh()
            self.retitle()
        elif self.filter and not self.at_log:
            self.do_clear_filter()
        elif self.zoomed:
            self.do_zoom()
        elif self.at_log:
            self.to_panel(log=False)
        else:
            return False
        return True

    def do_flat(self) -> None:
        """Tree or not."""
        self.flat = not self.flat
        self.rearrange(asked=True)

    def do_wide(self) -> None:
        """More columns, or fewer."""
        self.table.wide = not self.table.wide
        self.rearrange(asked=True)

    def act(self, action: actions.Action) -> None:
        """Sorting is a table of its own; what is done to missions is elsewhere; the rest is here."""
        if action.name in ORDERS:
            order = ORDERS[action.name]
            self.order = f"{order}:up" if self.order == f"{order}:down" else f"{order}:down"
            self.rearrange(asked=True)
        elif not self.program.deeds.act(self, action):
            super().act(action)

    def _ordered(self, rows: Iterable[Row]) -> list[Row]:
        name, _, way = self.order.partition(":")
        key = missions.sort_keys(self.program.now())[name]
        return sorted(rows, key=key, reverse=way == "up")
