"""The main screen: the tree of missions, the log of the one under the cursor, and its load."""

from __future__ import annotations

import time
from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen

from overmind_tui.inbox import rows as inbox_rows
from overmind_tui.log.panel import LogSide
from overmind_tui.missions import rows as missions_rows
from overmind_tui.missions.columns import MISSIONS
from overmind_tui.missions.header import Surroundings
from overmind_tui.missions.panels import Panels
from overmind_tui.missions.table import TableSide
from overmind_tui.pages.page import Page
from overmind_tui.pages.table_rows import Marks
from overmind_tui.render.cells import Cell, Row
from overmind_tui.render.layout import Panel
from overmind_tui.shell.actions import Action, Context
from overmind_tui.terminal.pane import LEFT_SECONDS, TerminalSide
from overmind_tui.widgets.lines import Lines, LinesPanel
from overmind_tui.widgets.log import LogView
from overmind_tui.widgets.table import ResourceTable
from overmind_tui.widgets.terminal import TerminalView

FRESH = 0.9
"""Seconds in which times that were drawn are still true."""


class MissionsScreen(Page):
    """Three panels; the keys go to the one with the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.around = Surroundings(self)
        self.table_side = TableSide(self)
        self.marks = Marks(self)
        self.log_side = LogSide(self)
        self.terminal_side = TerminalSide(self)
        self.panels = Panels(self)
        self._left = False
        self._arranged = 0.0

    # layout

    def compose(self) -> ComposeResult:
        """What fits is known before the first frame, so that nothing flashes."""
        settings = self.program.settings
        self.head = Lines(self.around.head, id="header")
        self.banner = Lines(self.around.banner, id="banner")
        self.table = ResourceTable(MISSIONS, ascii_only=self.program.ascii_only, id="missions")
        self.table.now = self.program.now
        self.stats = LinesPanel(self.around.stats, press=self.table.press, id="stats")
        self.log_view = LogView(zone=self.program.zone, id="log")
        self._log_defaults = settings.log_time, settings.log_wrap
        self.log_view.times, self.log_view.wrap = self._log_defaults
        self.left = Vertical(self.table, self.stats, id="left")
        self.terminal_view = TerminalView(self.terminal_side.keys.point, id="terminal")
        self.room = Horizontal(self.left, self.log_view, self.terminal_view, id="panels")
        self.too_small = Lines(self.around.small, id="too-small")
        self.panels.fold()
        yield self.head
        yield self.banner
        yield self.room
        yield self.too_small
        yield from self.compose_bottom()
        self.bottom.display = self.program.shows_crumbs

    def settings_changed(self) -> None:
        """The configuration was saved; how the log is shown counts when it says something else than before."""
        super().settings_changed()
        found = self.program.settings
        if (found.log_time, found.log_wrap) != self._log_defaults:
            self._log_defaults = found.log_time, found.log_wrap
            self.log_view.show_as(times=found.log_time, wrap=found.log_wrap)

    def begin(self) -> None:
        """The table has the keys."""
        self.table_side.recall()
        self.rearrange(asked=True)
        self.panels.refocus()

    def on_resize(self, event: events.Resize) -> None:
        """Fold what doesn't fit."""
        self.panels.resized(event.size)

    def on_unmount(self) -> None:
        """The program ends."""
        self.terminal_side.hang_up()

    # what came

    def rearrange(self, *, asked: bool = False) -> None:
        """Show the rows as they are now."""
        self._arranged = time.monotonic()
        self.table_side.rearrange(asked=asked)
        self.terminal_side.rows_changed()

    def targets(self) -> list[Row]:
        """The marked rows that are shown, else the cursor's; in a terminal its own."""
        return (self.terminal_side if self.panels.current is Panel.TERMINAL else self.table_side).targets()

    @property
    def restless(self) -> bool:
        """Whether the cursor's row has just moved."""
        return self.panels.current is not Panel.TERMINAL and self.table.restless

    def tick(self) -> None:
        """A second went by; rows that have just come are drawn with their times already."""
        if time.monotonic() - self._arranged > FRESH:
            self.table.tick()
        self.head.say()
        self.stats.say()

    def changed_connection(self) -> None:
        """The supervisor came or went."""
        self.panels.fold()
        self.banner.refresh()
        self.table.empty = self.around.empty()
        self.table.refresh()

    @on(ResourceTable.Selected)
    def look_at(self, message: ResourceTable.Selected) -> None:
        """Another mission under the cursor, another log."""
        self.log_side.look_at(message.row)
        self.stats.refresh()
        self.say()

    def standing(self) -> Cell:
        """What the mission under the cursor asks."""
        fleet, typing = self.program.fleet, self.context is Context.TYPING
        return inbox_rows.strip(fleet.of(self.table.cursor_id), fleet.questions, typing=typing)

    @on(ResourceTable.Opened)
    def opened(self) -> None:
        """Two clicks on a row."""
        self.do_open()

    @on(LogView.Changed)
    def log_changed(self) -> None:
        """Who reads back is not disturbed by what comes."""
        self.program.log_feed.hold(back=not self.log_view.following)
        self.retitle()

    def retitle(self) -> None:
        """What the borders say."""
        self.table.entitle(self.around.table_title())
        self.stats.entitle(self.around.stats_title())
        if self.terminal_side.is_open:
            self.terminal_view.entitle(*self.terminal_side.titles())
        self.log_view.entitle(self.around.log_title(), self.around.log_subtitle())

    # keys

    @property
    def context(self) -> Context:
        """The keys of the panel with the focus."""
        return self.panels.context

    @property
    def sides(self) -> Sequence[object]:
        """The panel with the focus, who marks rows, and who arranges the panels."""
        return (self.panels.side, self.marks, self.panels)

    def press(self, key: str, character: str | None) -> None:
        """A key, for the terminal where one is typed into."""
        if not (self.panels.at_terminal and self.terminal_side.keys.press(key, character)):
            super().press(key, character)

    def paste(self, text: str) -> None:
        """A paste, the same."""
        if self.panels.at_terminal:
            self.terminal_side.keys.paste(text)
        else:
            super().paste(text)

    def act(self, action: Action) -> None:
        """Enter, where nothing else was pressed before, shows what happened while nobody was here."""
        if self.program.absence.answers(action.name):
            self.panels.fold()
            self.program.commands.run("events")
        else:
            super().act(action)

    def on_screen_suspend(self) -> None:
        """Another page, or a question that stands before this one."""
        self._left = isinstance(self.app.screen, Page)

    def on_screen_resume(self) -> None:
        """Who comes back to the list sees no missions that were killed before."""
        if self._left:
            self.program.fleet.forget_killed()
            self.rearrange(asked=True)
        self._left = False
        self.terminal_side.stay.seen_again()

    @property
    def in_sight(self) -> bool:
        """Whether nothing but a question stands before this screen."""
        stack = self.app.screen_stack
        return self in stack and all(isinstance(one, ModalScreen) for one in stack[stack.index(self) + 1 :])

    def typing(self, sign: str, text: str) -> None:
        """Each key filters; a broken one colours the prompt and keeps the last good rows."""
        if sign == "/":
            self.bar.broken = not self.panels.side.type(text)

    def do_open(self) -> None:
        """Its terminal, to look at; its log, where it has none."""
        current = self.table.current
        if current is not None and missions_rows.has_terminal(current.row):
            self.terminal_side.look(current.row)
        else:
            self.do_log()

    def do_log(self) -> None:
        """Its log; of all marked ones together."""
        rows = self.targets()
        if len(rows) > 1:
            self.log_side.look_at_all(rows)
        if rows:
            self.panels.give(Panel.LOG)

    def do_previous(self) -> None:
        """The log of the run before."""
        if self.table.current is not None:
            self.panels.give(Panel.LOG)
            self.log_side.do_previous()

    def turn_prompt(self) -> bool:
        """Tab behind `/`: the panel may know two meanings of it."""
        return self.panels.current is Panel.LOG and self.log_side.turn_prompt()

    def do_leave(self) -> None:
        """Leave the program; not by a key that was meant for the terminal that was left just now."""
        if time.monotonic() < self.terminal_side.left_at + LEFT_SECONDS:
            self.program.flash("ctrl-c: the terminal was left already · again leaves the program", "slow")
        else:
            super().do_leave()

    @on(TerminalView.Sized)
    def terminal_sized(self) -> None:
        """The pane has another size."""
        self.terminal_side.resized()

    @on(TerminalView.Changed)
    def terminal_changed(self) -> None:
        """Another part of it is seen."""
        self.retitle()

    def do_back(self) -> None:
        """Close one thing; with nothing open, what is said of an absence."""
        if self.panels.close_one():
            self.program.commands.closed()
        elif self.program.absence.said:
            self.program.absence.said = ""
            self.panels.fold()

    def do_quit(self) -> None:
        """Close one thing; with nothing open, leave."""
        if self.panels.close_one():
            self.program.commands.closed()
        else:
            self.program.ask_leave()
