"""The missions screen: the tree of missions, the log of the one under the cursor, and its load."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen

from overmind_core.view import inbox as inbox_rows
from overmind_core.view import missions as missions_rows
from overmind_core.view.actions import Action, Context
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import MISSIONS
from overmind_tui.command_line.parse import Show
from overmind_tui.log.follow import LogFollower
from overmind_tui.log.panel import LogPanel
from overmind_tui.missions.header import Header
from overmind_tui.missions.panels import Panels
from overmind_tui.missions.table import TablePanel
from overmind_tui.notes.panel import NotesPanel
from overmind_tui.pages.page import Handler, Page, joined
from overmind_tui.pages.table_rows import Marks
from overmind_tui.render.layout import Panel
from overmind_tui.shell.remembered import Remembered
from overmind_tui.shell.user_state import AwaySummary
from overmind_tui.terminal.pane import LEFT_SECONDS, TerminalPanel
from overmind_tui.widgets.lines import CursorTextView, Lines, LinesPanel
from overmind_tui.widgets.log import LogView
from overmind_tui.widgets.table import ResourceTable
from overmind_tui.widgets.terminal import TerminalView

FRESH = 0.9
"""Seconds in which times that were drawn are still true."""


class MainParts(NamedTuple):
    """What the main screen alone needs of the program.

    Attributes:
        remembered: How the table was arranged the last time.
        log_follower: Reads logs.
        away: What happened while nobody was here.
        version: Of the program.
        open_first: Opens the view that the program begins with, if that is another one, once this one is there.
    """

    remembered: Remembered
    log_follower: LogFollower
    away: AwaySummary
    version: str
    open_first: Callable[[], None]


class MissionsScreen(Page):
    """Three panels; the keys go to the one with the focus."""

    def __init__(self, parts: MainParts) -> None:
        super().__init__()
        self._parts = parts
        self.marks = Marks(self)
        self.table_panel = TablePanel(self, self.marks, parts.remembered)
        self.log_panel = LogPanel(self, parts.log_follower)
        self.terminal_panel = TerminalPanel(self)
        self.notes_panel = NotesPanel(self)
        panels = self.table_panel, self.log_panel, self.terminal_panel
        self.panels = Panels(self, *panels, self.notes_panel, parts.away)
        self.header = Header(self, self.panels, *panels, parts.away, parts.version)
        self._wanted = ""
        """A mission that the cursor goes to once it has come."""
        self._left = False
        self._lost = 0
        """How many were lost with their keeper."""
        self._arranged = 0.0

    # layout

    def compose(self) -> ComposeResult:
        """What fits is known before the first frame, so that nothing flashes."""
        settings = self.shell.settings
        self.head = Lines(self.header.head, id="header")
        self.banner = Lines(self.header.banner, id="banner")
        self.table = ResourceTable(MISSIONS, ascii_only=self.shell.ascii_only, id="missions")
        self.table.now = self.shell.now
        self.table.dims = True
        self.stats = LinesPanel(self.header.stats, press=self.table.press, id="stats")
        self.log_view = LogView(zone=self.shell.zone, id="log")
        self._log_defaults = settings.log_time, settings.log_wrap
        self.log_view.times, self.log_view.wrap = self._log_defaults
        self.notes_view = CursorTextView(id="given", shows_cut=True)
        self.left = Vertical(self.table, self.stats, self.notes_view, id="left")
        self.terminal_view = TerminalView(self.terminal_panel.keys.point, id="terminal")
        self.room = Horizontal(self.left, self.log_view, self.terminal_view, id="panels")
        self.too_small = Lines(self.header.small, id="too-small")
        self.panels.fold()
        yield self.head
        yield self.banner
        yield self.room
        yield self.too_small
        yield from self.compose_bottom()
        self.bottom.display = self.shell.shows_crumbs

    def settings_changed(self) -> None:
        """The configuration was saved; how the log is shown counts when it says something else than before."""
        super().settings_changed()
        found = self.shell.settings
        if (found.log_time, found.log_wrap) != self._log_defaults:
            self._log_defaults = found.log_time, found.log_wrap
            self.log_view.show_as(times=found.log_time, wrap=found.log_wrap)

    def take_keys(self) -> None:
        """Unless another view is opening before it."""
        if self.app.screen is self:
            super().take_keys()

    def begin(self) -> None:
        """The table has the keys."""
        self.table_panel.recall()
        self.rearrange(asked=True)
        self.panels.refocus()
        self._parts.open_first()

    def on_resize(self, event: events.Resize) -> None:
        """Fold what doesn't fit."""
        self.panels.resized(event.size)

    def on_unmount(self) -> None:
        """The program ends."""
        self.terminal_panel.hang_up()

    # what came

    def rearrange(self, *, asked: bool = False) -> None:
        """Show the rows as they are now."""
        self._arranged = time.monotonic()
        self.table_panel.rearrange(asked=asked)
        self.terminal_panel.rows_changed()
        self.log_panel.rows_changed()

    def rows_came(self) -> None:
        """Show the rows that came; one that was waited for gets the cursor."""
        lost = len(missions_rows.lost(self.shell.fleet.home_rows))
        if lost != self._lost:
            self._lost = lost
            self.panels.fold()
            self.banner.refresh()
        if self._wanted in self.shell.fleet.rows:
            self.rearrange(asked=True)
            self.table.select(self._wanted)
            self._wanted = ""
        else:
            self.rearrange()

    def targets(self) -> list[Row]:
        """The marked rows that are shown, else the cursor's; in a terminal its own."""
        return (self.terminal_panel if self.panels.current is Panel.TERMINAL else self.table_panel).targets()

    @property
    def restless(self) -> bool:
        """Whether the cursor's row has just moved."""
        return self.panels.current is not Panel.TERMINAL and self.table.restless

    def tick(self) -> None:
        """A second went by; rows that have just come are drawn with their times already."""
        if time.monotonic() - self._arranged > FRESH:
            self.table.tick()
        self.head.refresh_if_changed()
        self.stats.refresh_if_changed()

    def changed_connection(self) -> None:
        """The supervisor came or went."""
        self.panels.fold()
        self.banner.refresh()
        self.table.empty = self.header.empty()
        self.table.refresh()

    @on(ResourceTable.Selected)
    def look_at(self, message: ResourceTable.Selected) -> None:
        """Another mission under the cursor, another log."""
        self.log_panel.look_at(message.row)
        self.notes_panel.look_at(message.row)
        self.stats.refresh()
        self.refresh_status()

    def standing(self) -> Cell:
        """What the mission under the cursor asks."""
        fleet, typing = self.shell.fleet, self.context is Context.TYPING
        return inbox_rows.strip(fleet.of(self.table.cursor_id), fleet.questions, typing=typing)

    @on(ResourceTable.Opened)
    def opened(self) -> None:
        """Two clicks on a row."""
        self.do_open()

    @on(ResourceTable.Headed)
    def headed(self, message: ResourceTable.Headed) -> None:
        """A click on the heading of a column."""
        self.table_panel.sort(message.column)

    @on(LogView.Changed)
    def log_changed(self) -> None:
        """Who reads back is not disturbed by what comes."""
        self._parts.log_follower.hold(back=not self.log_view.following)
        self.log_panel.rows_changed()
        self.retitle()

    def retitle(self) -> None:
        """What the borders say."""
        self.table.set_title(self.header.table_title())
        self.stats.set_title(self.header.stats_title())
        self.notes_view.set_title(self.notes_panel.title(), "enter opens it · u closes")
        if self.terminal_panel.is_open:
            self.terminal_view.set_title(*self.terminal_panel.titles())
        self.log_view.set_title(self.header.log_title(), self.header.log_subtitle())

    # keys

    @property
    def context(self) -> Context:
        """The keys of the panel with the focus."""
        return self.panels.context

    @property
    def contexts(self) -> Sequence[Context]:
        """Those of all its panels."""
        return (Context.MISSIONS, Context.LOG, Context.GIVEN, Context.LOOKING, Context.TYPING)

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also the panel with the keys, which goes before, who marks rows, and who arranges the panels."""
        own = super().handlers(context) | {"open": self.do_open, "log": self.do_log, "previous": self.do_previous}
        return joined(own | self.panels.panel_of(context).handlers, self.marks.handlers, self.panels.handlers)

    def chosen_of(self, view: str) -> list[Row]:
        """The note under the cursor, where the panel of notes has the keys."""
        return self.notes_panel.chosen() if view == "notes" and self.context is Context.GIVEN else []

    @property
    def verbs(self) -> Mapping[str, Handler]:
        """What `:` does here that no key does."""
        return {"keep": self.terminal_panel.keep} if self.panels.current is Panel.TERMINAL else {}

    def press(self, key: str, character: str | None) -> None:
        """A key, for the terminal where one is typed into."""
        if not (self.panels.at_terminal and self.terminal_panel.keys.press(key, character)):
            super().press(key, character)

    def paste(self, text: str) -> None:
        """A paste, the same."""
        if self.panels.at_terminal:
            self.terminal_panel.keys.paste(text)
        else:
            super().paste(text)

    def act(self, action: Action) -> None:
        """Enter, where nothing else was pressed before, shows what happened while nobody was here."""
        if self._parts.away.answers(action.name):
            self.panels.fold()
            self.shell.commands.run("events")
        else:
            super().act(action)

    def on_screen_suspend(self) -> None:
        """Another page, or a question that stands before this one."""
        self._left = isinstance(self.app.screen, Page)

    def on_screen_resume(self) -> None:
        """Who comes back to the list sees no missions that were killed before."""
        if self._left:
            self.shell.fleet.forget_killed()
            self.rearrange(asked=True)
        self._left = False
        self.terminal_panel.session.seen_again()

    # for those that stand before it

    @property
    def shows_header(self) -> bool:
        """Whether there is a header where there is room."""
        return self.panels.shows_header

    def do_header(self) -> None:
        """Show or hide it."""
        self.panels.do_header()

    def head_of(self, context: Context, cells: int, lines: int) -> list[list[Cell]]:
        """The header of a page with the keys of this context."""
        return self.header.head_of(context, cells, lines)

    def empty(self) -> Sequence[Sequence[Cell]]:
        """Why no mission is shown."""
        return self.header.empty()

    def to_front(self, *, for_good: bool = False) -> None:
        """Close all that stands before it; `for_good`: nobody goes back to what was put away for a log, either."""
        if for_good or len(self.app.screen_stack) > 1:
            self.panels.page_history.forget(self.app)
        while len(self.app.screen_stack) > 1:
            self.app.pop_screen()

    def select(self, mission: str) -> bool:
        """Put the cursor on a mission; False where it is not shown."""
        return self.table.select(mission)

    def select_soon(self, mission: str) -> None:
        """Put the cursor on a mission that may not have come yet."""
        self._wanted = mission

    def go_to(self, name: str) -> bool:
        """Come to the front with the cursor on the mission that is named; False where there is none."""
        found = self.shell.fleet.named(name)
        if found is None:
            return False
        self.to_front()
        if not self.select(found["id"]):
            self.table_panel.do_clear_filter()
            self.table_panel.unfold_above(found["id"])
        return self.select(found["id"])

    def give(self, panel: Panel, *, zoomed: bool | None = None) -> None:
        """Give the keys to a panel; alone, beside the others, or as it was."""
        if zoomed is not None:
            self.panels.zoomed = zoomed
        self.panels.give(panel)

    @property
    def zoomed(self) -> bool:
        """Whether the panel with the keys stands alone."""
        return self.panels.zoomed

    def refocus(self) -> None:
        """The panel with the keys may have others now."""
        self.panels.refocus()

    def close_terminal(self) -> None:
        """From the terminal back to the list."""
        self.panels.close_terminal()

    def join(self, row: Row) -> None:
        """Type into a mission's terminal; where nothing may be typed, look at it."""
        self.terminal_panel.join(row)

    def narrow(self, text: str) -> None:
        """Show only the missions that match."""
        self.table_panel.narrow(text)

    def show_panel(self, panel: Panel, show: Show) -> None:
        """Come to the front with the keys on this panel, the log alone, filtered as it was asked for."""
        self.to_front()
        if show.words:
            self.go_to(show.words[0])
        self.give(panel, zoomed=panel is Panel.LOG)
        if show.filter is None:
            return
        if panel is Panel.TABLE:
            self.narrow(show.filter)
        elif not self.log_panel.type(show.filter):
            self.shell.flash(f"/{safe(show.filter)} is not a valid filter", "bad")

    def show_log(self, mission: str | None, gone: str) -> None:
        """Show it, with the cursor on its mission, until it is closed; `gone` is said where there is none."""
        if mission is None or self.shell.fleet.of(mission) is None:
            self.shell.flash(gone, "slow")
            return
        self.table_panel.unfold_above(mission)
        self.panels.page_history.leave(self.app)
        if self.go_to(mission):
            self.give(Panel.LOG)

    def show_notes(self, mission: str | None, gone: str) -> None:
        """Show its notes, with the cursor on its mission, until they are closed; `gone` is said where there is none."""
        if mission is None or self.shell.fleet.of(mission) is None:
            self.shell.flash(gone, "slow")
            return
        self.table_panel.unfold_above(mission)
        self.panels.page_history.leave(self.app)
        if self.go_to(mission):
            self.panels.open_notes(to_keys=True)

    # being seen

    @property
    def in_view(self) -> str | None:
        """The mission whose newest lines a person sees now."""
        if not self.app.app_focus:
            return None
        if self.terminal_panel.is_open:
            session = self.terminal_panel.session
            return session.mission if session.in_sight else None
        top = self.app.screen_stack[-1] if self.app.screen_stack else None
        return self.log_view.mission if top is self and self.log_view.display and self.log_view.following else None

    @property
    def unread(self) -> set[str]:
        """The missions whose newest lines came since the supervisor was told that they were seen."""
        return self.log_panel.unread

    def shown_text(self) -> str:
        """What the panel with the keys shows."""
        if self.panels.current is Panel.TERMINAL:
            return self.terminal_panel.shown_text()
        own = self.panels.current in {Panel.LOG, Panel.NOTES}
        return super().shown_text() if own else self.table_panel.shown_text()

    @property
    def in_sight(self) -> bool:
        """Whether nothing but a question stands before this screen."""
        stack = self.app.screen_stack
        return self in stack and all(isinstance(one, ModalScreen) for one in stack[stack.index(self) + 1 :])

    def typing(self, sign: str, text: str) -> None:
        """Each key filters; a broken one colours the prompt and keeps the last good rows."""
        if sign == "/":
            self.bar.broken = not self.panels.panel_keys.type(text)

    def do_open(self) -> None:
        """Its terminal, to look at; its log, where it has none."""
        current = self.table.current
        if current is not None and missions_rows.has_terminal(current.row):
            self.terminal_panel.look(current.row)
        else:
            self.do_log()

    def do_log(self) -> None:
        """Its log; of all marked ones together."""
        rows = self.targets()
        if len(rows) > 1:
            self.log_panel.look_at_all(rows)
        if rows:
            self.panels.give(Panel.LOG)

    def do_previous(self) -> None:
        """The log of the run before."""
        if self.table.current is not None:
            self.panels.give(Panel.LOG)
            self.log_panel.do_previous()

    def turn_prompt(self) -> bool:
        """Tab behind `/`: the panel may know two meanings of it."""
        return self.panels.current is Panel.LOG and self.log_panel.turn_prompt()

    def do_leave(self) -> None:
        """Leave the program; not by a key that was meant for the terminal that was left just now."""
        if time.monotonic() < self.terminal_panel.left_at + LEFT_SECONDS:
            self.shell.flash("ctrl-c: not sent, the terminal is no longer open · press it again to quit", "slow")
        else:
            super().do_leave()

    @on(TerminalView.Sized)
    def terminal_sized(self) -> None:
        """The pane has another size."""
        self.terminal_panel.resized()

    @on(TerminalView.Changed)
    def terminal_changed(self) -> None:
        """Another part of it is seen."""
        self.retitle()

    def close_one(self) -> bool:
        """Close one thing of the panel with the keys, or the panel."""
        closed = self.panels.close_one()
        if closed:
            self.shell.commands.closed()
        return closed

    def do_back(self) -> None:
        """Close one thing; with nothing open, what is said of an absence."""
        away = self._parts.away
        if not self.close_one() and away.text:
            away.text = ""
            self.panels.fold()
