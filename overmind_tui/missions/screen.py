"""The missions screen: who needs a person, who runs and who has ended, and a panel of the one under the cursor."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.geometry import Size
from textual.screen import ModalScreen

from overmind_core.log_pages.index import WantedLine
from overmind_core.view import missions as missions_rows
from overmind_core.view.actions import Action, Context
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.hints import Part
from overmind_core.view.inbox import Key
from overmind_core.view.prompt import Filtered, Where
from overmind_core.view.row_words import Facts
from overmind_tui.command_line.parse import Show
from overmind_tui.log.panel import LogPanel
from overmind_tui.missions.diff_panel import DiffPanel
from overmind_tui.missions.faces import Faces, lost_words
from overmind_tui.missions.faces import Parts as PartsShown
from overmind_tui.missions.following import Following
from overmind_tui.missions.main_parts import MainParts
from overmind_tui.missions.needs_you import NeedsYou
from overmind_tui.missions.page_history import close_all
from overmind_tui.missions.panels import Panels
from overmind_tui.missions.question import QuestionPanel
from overmind_tui.missions.question_view import QuestionView
from overmind_tui.missions.stats_panel import StatsPanel
from overmind_tui.missions.table import TablePanel
from overmind_tui.notes.panel import NotesPanel
from overmind_tui.pages.page import Handler, Page, joined
from overmind_tui.pages.table_rows import Marks
from overmind_tui.render.layout import Panel
from overmind_tui.terminal.pane import LEFT_SECONDS, TerminalPanel
from overmind_tui.widgets.canvas import Edge
from overmind_tui.widgets.lines import ComposedTextView, CursorTextView, Lines, LinesPanel, TextView
from overmind_tui.widgets.log import LogView
from overmind_tui.widgets.missions_list import MissionsList
from overmind_tui.widgets.terminal import TerminalView

FRESH = 0.9
"""Seconds in which times that were drawn are still true."""


class MissionsScreen(Page):
    """The list of missions, and a panel with faces of the one under the cursor; the keys go to one of them."""

    where = Where.LIST

    def __init__(self, parts: MainParts) -> None:
        super().__init__()
        self._parts = parts
        self.marks = Marks(self, self._keep)
        self.table_panel = TablePanel(self, self.marks, parts.remembered)
        self.log_panel = LogPanel(self, parts.log_follower)
        self.terminal_panel = TerminalPanel(self)
        self.notes_panel = NotesPanel(self)
        self.diff_panel = DiffPanel(self)
        self.stats_panel = StatsPanel(self)
        self.following = Following(self, self._follow)
        parts_with_keys = self.table_panel, self.log_panel, self.terminal_panel
        self.panels = Panels(self, *parts_with_keys, self.notes_panel)
        self.question = QuestionPanel(self, parts.answers, parts.messages)
        self.needs_you = NeedsYou(self)
        self.faces = Faces(self, PartsShown(self.panels, *parts_with_keys, self.diff_panel, self.stats_panel))
        self.folded_for: Size | None = None
        """The size for which the parts were arranged last."""
        self._wanted = ""
        """A mission that the cursor goes to once it has come."""
        self._left = False
        self._arranged = 0.0

    # layout

    def compose_body(self) -> ComposeResult:
        """What fits is known before the first frame, so that nothing flashes."""
        settings = self.shell.settings
        self.table = MissionsList(self._row_facts, ascii_only=self.shell.ascii_only, id="missions")
        self.happened_view = Lines(self.faces.happened, id="happened")
        self.left = Vertical(self.table, self.happened_view, id="left")
        self.edge = Edge(id="edge")
        self.title_view = Lines(self.faces.title, id="panel-title")
        self.question_view: LinesPanel = QuestionView(self.question, id="question")
        self.log_view = LogView(zone=self.shell.zone, id="log")
        self.log_view.times, self.log_view.wrap = self.log_panel.defaults = settings.log_time, settings.log_wrap
        self.diff_view = TextView(id="diff")
        self.stats = ComposedTextView(lambda: self.faces.stats(self.panels.shape.panel_cells), id="stats")
        self.notes_view = CursorTextView(id="given")
        self.terminal_view = TerminalView(self.terminal_panel.keys.point, id="terminal")
        views = self.log_view, self.diff_view, self.stats, self.notes_view, self.terminal_view
        self.side = Vertical(self.title_view, self.question_view, *views, id="side")
        self.room = Container(self.left, self.edge, self.side, id="room")
        self.too_small = Lines(self.faces.small, id="too-small")
        self.panels.fold()
        yield self.room
        yield self.too_small

    def show_edges(self, size: Size) -> None:
        """They are arranged with all other parts."""
        if hasattr(self, "room"):
            self.folded_for = None
            self.panels.fold(size)

    @property
    def shows_hints(self) -> bool:
        """Whether there are hints."""
        return self.shell.shows_hints

    @property
    def folder_shown(self) -> str:
        """The folder of the start, as people write it."""
        return self.shell.folder_shown

    @property
    def notes_title(self) -> str:
        """The title of the panel while it shows notes."""
        return self.notes_panel.title()

    def _row_facts(self) -> Facts:
        shell, session = self.shell, self.terminal_panel.session
        looked_at = session.mission or "" if session.asks and not session.typing else ""
        return Facts(
            shell.now(), shell.zone, shell.fleet.health, self.question.said, self.table_panel.paced, looked_at
        )  # fmt: skip

    def show_question(self) -> None:
        """Make room above the face for what its mission asks."""
        self.question.show()
        of_log = self.log_view.mission
        self.log_view.ask(sum(one["id"] == of_log for one in self.shell.fleet.questions))

    def settings_changed(self) -> None:
        """The configuration was saved."""
        super().settings_changed()
        self.log_panel.settings_changed()

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
        """Another shape."""
        self.panels.resized(event.size)

    def on_unmount(self) -> None:
        """The program ends."""
        self.terminal_panel.hang_up()

    # what came

    def rearrange(self, *, asked: bool = False, brings: str = "") -> None:
        """Show the rows as they are now, and the one that was just started (`brings`)."""
        self._arranged = time.monotonic()
        before = self.where
        self.where = Where.FIRST if self.shell.fleet.is_empty and self.shell.fleet.loaded else Where.LIST
        self.table_panel.rearrange(asked=asked, brings=brings)
        self.terminal_panel.rows_changed()
        self.log_panel.rows_changed()
        if self.where is not before:
            self.refresh_line()

    def forget_columns(self) -> None:
        """Choose the columns of the list anew: those that were shown need not stay."""
        self.table.forget_columns()

    def rows_came(self) -> None:
        """Show the rows that came; one that was waited for gets the cursor."""
        if self._wanted in self.shell.fleet.rows:
            self.rearrange(asked=True, brings=self._wanted)
            self.table.select(self._wanted)
            self._wanted = ""
        else:
            self.rearrange()

    def targets(self) -> list[Row]:
        """The marked rows that are shown, else the cursor's; in a terminal its own."""
        if self.panels.current is Panel.QUESTION:
            return self.table_panel.current
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
        self.faces.ask_happened()
        self.show_question()
        for lines in (self.title_view, self.stats, self.happened_view):
            lines.refresh_if_changed()

    def changed_connection(self) -> None:
        """The supervisor came or went."""
        self.panels.fold()
        self.head.refresh_if_changed()
        self.table.empty = self.empty()
        self.table.tick()
        self.refresh_line()

    @on(MissionsList.Selected)
    def look_at(self, message: MissionsList.Selected) -> None:
        """Another mission under the cursor: another panel, once it rests."""
        self.following.cursor_at(message.row)
        self.question.cursor_at(message.row)
        self.table_panel.cursor_moved()
        self.refresh_status()

    def _follow(self) -> None:
        """Another mission in the panel."""
        mission = self.following.mission
        self.log_panel.look_at(mission)
        self.notes_panel.look_at(mission)
        self.panels.show_face()
        self.refresh_status()

    def happened(self, kinds: Collection[str]) -> None:
        """What the mission of the panel has changed may be something else now."""
        self.diff_panel.happened(kinds)
        self.stats_panel.happened(kinds)
        self.question.explain()

    @on(Lines.Clicked)
    def part_clicked(self, message: Lines.Clicked) -> None:
        """A click on a face shows it; one on an event goes to its mission, as far as that is still there."""
        if message.lines is self.title_view:
            if (face := self.faces.face_at(message.x)) is not None:
                self.panels.turn_to(face)
        elif message.lines is self.question_view:
            self.question.click(message.x, message.y)
        elif message.lines is self.happened_view or (message.lines is self.stats and self.panels.shows_happened):
            mission = self.faces.mission_at(message.y - (message.lines is self.happened_view))
            if mission and not self.go_to(mission):
                self.shell.flash("its mission has been removed", "slow")

    @on(MissionsList.Opened)
    def opened(self) -> None:
        """Two clicks on a row."""
        self.do_open()

    @on(MissionsList.FoldClicked)
    def fold_clicked(self) -> None:
        """Show those that ended, or fold them away."""
        self.table_panel.turn_fold()

    @on(MissionsList.Headed)
    def headed(self, message: MissionsList.Headed) -> None:
        """A click on the heading of a column."""
        self.table_panel.sort(message.column)

    @on(LogView.Changed)
    def log_changed(self) -> None:
        """Somebody scrolled, or lines came."""
        self.log_panel.scrolled()
        self.retitle()

    def retitle(self) -> None:
        """What the panel says of itself may have changed."""
        self.title_view.refresh_if_changed()

    @property
    def filtered(self) -> Filtered | None:
        """The filter of the list, while there is one."""
        return self.table_panel.filtered

    def unusable(self) -> frozenset[str]:
        """Also by what is asked here, and by who else needs a person."""
        return self.panels.unusable(self.hinted_rows())

    @property
    def absence(self) -> str:
        """What happened while nobody was here; before it, which missions were lost."""
        away = self._parts.away
        told = f"{away.text}   {'enter' if away.fresh else ':events'} shows it" if away.text else ""
        return lost_words(self) or told

    @property
    def hint_part(self) -> Part | Context:
        """The hints of the list, or of what else has the keys."""
        if self.context is Context.NEEDS:
            return Part.QUESTION if self.table.listed else Part.NOBODY
        if self.context is not Context.MISSIONS:
            return self.context
        return Part.FIRST if self.shell.fleet.is_empty else Part.LIST

    # keys

    @property
    def context(self) -> Context:
        """The keys of the panel with the focus."""
        return self.panels.context

    @property
    def contexts(self) -> Sequence[Context]:
        """Those of all its panels."""
        return (Context.MISSIONS, Context.NEEDS, Context.LOG, Context.GIVEN, Context.LOOKING, Context.TYPING)

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also the panel with the keys, which goes before, who marks rows, and who arranges the panels."""
        own = super().handlers(context) | {"open": self.do_open, "log": self.do_log, "previous": self.do_previous}
        if context is Context.MISSIONS:
            own |= {"question": self.question.do_enter, "message": self.question.do_message}
        elif context is Context.NEEDS:
            own["filter"] = self.table_panel.do_filter
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
        self.table_panel.pressed()
        self.terminal_panel.hop.pressed(character or key)
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
            self.shell.commands.run("events")
        else:
            super().act(action)

    def on_screen_suspend(self) -> None:
        """Another page, or a question that stands before this one."""
        self._left = isinstance(self.app.screen, Page)
        if self._left:
            self.question.lost()
        self.table.tick()

    def on_screen_resume(self) -> None:
        """Whoever comes back to the list finds all in its place."""
        if self._left:
            self.forget_columns()
            self.panels.settle_anew()
            self.rearrange(asked=True)
        self._left = False
        self.show_question()
        self.table.tick()
        self.terminal_panel.session.seen_again()

    # for those that stand before it

    @property
    def shows_header(self) -> bool:
        """Whether there is a header."""
        return self.panels.shows_header

    @shows_header.setter
    def shows_header(self, shows: bool) -> None:
        self.panels.shows_header = shows

    def _keep(self) -> None:
        self.table_panel.remember()

    def close_bar(self) -> str:
        """Stop typing; a filter counts from now on."""
        text = super().close_bar()
        self._keep()
        return text

    def empty(self) -> Sequence[Sequence[Cell]]:
        """Why no mission is listed."""
        return self.faces.empty()

    def to_front(self, *, for_good: bool = False) -> None:
        """Close all that stands before it; `for_good`: nobody goes back to what was put away for a log, either."""
        if for_good or len(self.app.screen_stack) > 1:
            self.panels.page_history.forget(self.app)
        close_all(self.app)
        if for_good:
            self.needs_you.close(back=False)

    def select(self, mission: str) -> bool:
        """Put the cursor on a mission; False where it is not shown."""
        return self.table.select(mission)

    def select_soon(self, mission: str) -> None:
        """Put the cursor on a mission that may not have come yet."""
        self._wanted = mission
        if mission in self.shell.fleet.rows:  # it may have ended, too: nothing of it comes any more
            self.rows_came()

    def go_to(self, name: str) -> bool:
        """Come to the front with the cursor on the mission that is named; False where there is none."""
        found = self.shell.fleet.named(name)
        if found is None:
            return False
        self.to_front()
        if not self.select(found["id"]):
            self.needs_you.close(back=False)
            self.table_panel.do_clear_filter()
            self.table_panel.unfold_above(found["id"])
        return self.select(found["id"])

    def give(self, panel: Panel, *, zoomed: bool | None = None) -> None:
        """Give the keys to a panel; alone, beside the others, or as it was."""
        if panel is Panel.TABLE:
            self.needs_you.close(back=False)
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

    def show_log(self, mission: str | None, gone: str, line: WantedLine | None = None) -> None:
        """Show it, with the cursor on its mission, until it is closed; `gone` is said where there is none."""
        if self._leave_for(mission, gone):
            self.give(Panel.LOG)
            self.log_panel.look_at_line(line)

    def show_notes(self, mission: str | None, gone: str) -> None:
        """Show its notes, with the cursor on its mission, until they are closed; `gone` is said where there is none."""
        if self._leave_for(mission, gone):
            self.panels.open_notes(to_keys=True)

    def _leave_for(self, mission: str | None, gone: str) -> bool:
        """Put the cursor on a mission, with a way back to the page that is left; False where there is none."""
        if mission is None or self.shell.fleet.of(mission) is None:
            self.shell.flash(gone, "slow")
            return False
        self.table_panel.unfold_above(mission)
        self.panels.page_history.leave(self.app)
        return self.go_to(mission)

    def show_needs(self, first: Key | None = None) -> None:
        """Show only who needs a person, with the keys in this question, until that is closed."""
        self.needs_you.open(first)

    def next_need(self) -> None:
        """To the next that needs a person."""
        self.needs_you.do_next()

    @property
    def rests_on(self) -> str | None:
        """The mission under the cursor, unless it is read where the keys are: in its terminal, or in its log."""
        is_read = self.terminal_panel.is_open or self.panels.current is Panel.LOG
        return None if is_read else self.table.cursor_id

    @property
    def in_view(self) -> str | None:
        """The mission whose newest lines a person sees now."""
        return self.faces.in_view if self.app.app_focus else None

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
        """Its terminal, to look at; its log, where it has none. Those that ended are unfolded, or folded away."""
        if self.table.on_fold:
            self.table_panel.turn_fold()
            return
        current = self.table.current
        if current is not None and current.need is not None and current.need.asked is not None:
            self.question.do_enter()
        elif current is not None and missions_rows.has_terminal(current.row):
            self.terminal_panel.look(current.row)
        else:
            self.do_log()

    def do_log(self) -> None:
        """Its log; of all marked ones together."""
        rows = self.targets()
        if len(rows) > 1:
            self.log_panel.look_at_all(rows)
        if rows or self.shell.fleet.behind(self.table.cursor_id) is not None:
            self.panels.give(Panel.LOG)
        else:
            self.shell.flash(self.log_panel.nothing(), "slow")

    def do_previous(self) -> None:
        """The log of the run before."""
        if self.table.current is not None:
            self.panels.give(Panel.LOG)
            self.log_panel.do_previous()
        else:
            self.shell.flash(self.log_panel.nothing(), "slow")

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
        return self._noted(self.panels.close_one())

    def step_back(self) -> bool:
        """The same, but for a panel that only stands beside the list: nobody has to close it before they leave."""
        return self._noted(self.panels.step_back())

    def _noted(self, closed: bool) -> bool:  # noqa: FBT001 - whether there was anything
        if closed:
            self.shell.commands.closed()
        return closed

    def do_back(self) -> None:
        """Close one thing; with nothing open, what is said of an absence."""
        away = self._parts.away
        if not self.close_one() and away.text:
            away.text = ""
            self.refresh_line()
