"""The parts of the missions screen: which of them there are and which has the keys, and the faces of the panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from overmind_core.view import hints, log_lines, panel_title, screen_shape
from overmind_core.view import missions as missions_rows
from overmind_core.view.actions import Context
from overmind_core.view.keymap import keymap
from overmind_core.view.screen_shape import Alone, Place, Shape, Wish
from overmind_tui.missions.page_history import PageHistory
from overmind_tui.render.layout import Panel

if TYPE_CHECKING:
    from textual.geometry import Size

    from overmind_core.view.cells import Row
    from overmind_tui.log.panel import LogPanel
    from overmind_tui.missions.main_screen import MainScreen
    from overmind_tui.missions.table import TablePanel
    from overmind_tui.notes.panel import NotesPanel
    from overmind_tui.pages.page import Handler
    from overmind_tui.terminal.pane import TerminalPanel

CONTEXTS = {Panel.TABLE: Context.MISSIONS, Panel.QUESTION: Context.NEEDS, Panel.LOG: Context.LOG,
            Panel.DIFF: Context.MISSIONS, Panel.STATS: Context.MISSIONS, Panel.NOTES: Context.GIVEN}  # fmt: skip
"""Part → whose keys count in it."""
AT_LIST = frozenset({Panel.TABLE, Panel.QUESTION})
"""Parts that have the keys while the panel only shows what is under the cursor."""
FACES = {panel_title.LOG: Panel.LOG, panel_title.DIFF: Panel.DIFF, panel_title.TERMINAL: Panel.TERMINAL,
         panel_title.STATS: Panel.STATS}  # fmt: skip
"""Word of a face → the face."""
_KEYS = keymap(Context.MISSIONS)
_WORDS = {face: word for word, face in FACES.items()}


NO_ROOM = "no room for a panel: l shows the log"
SCROLLED = 3
"""Lines that a key scrolls the panel by, while the keys are in the list."""


def lacking(row: Row) -> frozenset[str]:
    """The faces that a mission lacks now: one that has ended has no terminal any more."""
    lacks = panel_title.lacking(row)
    return lacks if missions_rows.is_live(row) else lacks | {panel_title.TERMINAL}


class _Made(NamedTuple):
    """The mission that made what a gate asks about, in the place of what is selected."""

    row: Row

    def targets(self) -> list[Row]:
        """That one."""
        return [self.row]

    def chosen(self) -> list[Row]:
        """The same."""
        return [self.row]


class PanelKeys(Protocol):
    """A part with keys."""

    handlers: dict[str, Handler]
    """Action → what it does."""

    def type(self, text: str) -> bool:
        """What is typed after `/` so far; False when it is broken."""

    def close_one(self) -> bool:
        """Close one thing; whether there was any."""


class Panels:
    """The arrangement of the parts.

    Attributes:
        current: The part that has the keys.
        face: The one that the panel is turned to.
        zoomed: Whether what has the keys stands alone.
        shows_header: Whether there is a header.
        shape: The parts that are shown, and how large they are.
        page_history: To the list that the log was opened from.
    """

    def __init__(
        self, screen: MainScreen, table: TablePanel, log: LogPanel, terminal: TerminalPanel, notes: NotesPanel
    ) -> None:
        self._screen = screen
        self._table_panel, self._log_panel, self._terminal_panel = table, log, terminal
        self._notes_panel = notes
        self.current = Panel.TABLE
        self.face = Panel.LOG
        self._turned = Panel.LOG
        """The face that a person turned to: it is shown again when another one has been left."""
        self.zoomed = False
        self.shows_header = True
        self.shape = Shape()
        self.page_history = PageHistory()
        self._is_open: bool | None = None
        """Whether a person opened the panel of a screen with few rows, or closed it."""
        self._began_open: bool | None = None
        """Whether it was open at the start, or when the screen got this size: no row that comes changes that."""
        self._list_lines = 0
        """The most lines that the list has had since the screen has this size."""
        self._was_open: bool | None = None
        """The same, when the notes were opened."""
        self._before_notes = Panel.TABLE
        """The part that had the keys when the notes were opened."""
        self.handlers: dict[str, Handler] = {
            "next-panel": self.do_next_panel,
            "previous-panel": self.do_previous_panel,
            "zoom": self.do_zoom,
            "panel-up": partial(self.scroll, down=False),
            "panel-down": partial(self.scroll, down=True),
            "header": self.do_header,
            "notes": self.do_notes,
            **{_KEYS[key].name: partial(self._view, key) for key in "dvE"},
        }

    @property
    def at_terminal(self) -> bool:
        """Whether the keys are for the terminal, and not for a line that is typed."""
        return self.current is Panel.TERMINAL and not self._screen.bar.sign

    @property
    def is_typing(self) -> bool:
        """Whether a terminal is typed into."""
        return self.context is Context.TYPING

    @property
    def context(self) -> Context:
        """Whose keys count."""
        return self._terminal_panel.context if self.current is Panel.TERMINAL else CONTEXTS[self.current]

    @property
    def panel_keys(self) -> PanelKeys:
        """Who does what the keys mean."""
        return self.panel_of(self.context)

    def panel_of(self, context: Context) -> PanelKeys:
        """Who does what the keys of a context mean."""
        if context in {Context.LOOKING, Context.TYPING}:
            return self._terminal_panel
        if context is Context.NEEDS:
            return self._screen.question
        if context is Context.GIVEN:
            return self._notes_panel
        return self._log_panel if context is Context.LOG else self._table_panel

    def _view(self, key: str) -> None:
        """Do what a key shows of missions; at a gate of the one that made what is asked about."""
        screen, action = self._screen, _KEYS[key]
        fleet, at = screen.shell.fleet, screen.table.cursor_id
        made = None if screen.targets() or at in fleet.rows else fleet.behind(at)
        screen.shell.actions.act(screen if made is None else _Made(made), action)

    def unusable(self, rows: Sequence[Row]) -> frozenset[str]:
        """Names of actions whose keys would do nothing now; `rows`: those that are meant."""
        screen, fleet = self._screen, self._screen.shell.fleet
        at_question = self.current is Panel.QUESTION
        others = fleet.asking - {screen.table.cursor_id}
        leads_on = (
            bool(others)
            or (bool(fleet.asking) and not screen.question.is_as_found)
            or (at_question and screen.question.following is not None)
        )
        refused = hints.unusable(
            rows, fleet.asked, self.context, is_asked=screen.question.is_open, is_needed=leads_on
        )  # fmt: skip
        if self.shows_happened and self.shape.panel_lines:  # there is no mission whose faces could be turned
            refused |= {"next-panel"}
        return refused

    # layout

    def resized(self, size: Size) -> None:
        """Another size, another shape."""
        self._screen.table.empty = self._screen.empty()
        self._list_lines, self._began_open = 0, None
        self.fold(size)
        self.refocus()

    @property
    def wish(self) -> Wish:
        """How the screen is wanted now."""
        alone, needs_only = Alone.NOBODY, self._screen.needs_you.is_open
        if self.is_typing:
            alone = Alone.TYPING
        elif self.zoomed:
            alone = Alone.LIST if self.current is Panel.TABLE else Alone.PANEL
        elif self._screen.question.whole:
            alone = Alone.PANEL
        elif not self._screen.table.listed and (needs_only or self._screen.shell.fleet.is_empty):
            alone = Alone.LIST
        shell = self._screen.shell
        is_open = self._began_open if self._is_open is None else self._is_open
        is_open = True if self.current is not Panel.TABLE else is_open
        return Wish(
            self._screen.table.listed, Place(shell.settings.panel), is_open, needs_only=needs_only, alone=alone,
            at_least=self._list_lines, header=self.shows_header, hints=self._screen.shows_hints,
            in_panel=self.current is not Panel.TABLE,
        )  # fmt: skip

    def fold(self, size: Size | None = None) -> None:
        """Decide which parts are shown in a terminal of this size; None: of the one that is there."""
        screen = self._screen
        size = size or screen.shell.app.size
        shown = screen_shape.shape(size.width, size.height, self.wish)
        if self._began_open is None and self._stands_by_itself:
            self._began_open = bool(shown.panel_lines)
        if shown.list_lines and shown.panel_lines:
            self._list_lines = max(self._list_lines, shown.list_lines)
        if shown == self.shape and size == screen.folded_for:
            return
        self.shape, screen.folded_for = shown, size
        screen.too_small.display = shown.small
        screen.room.display = not shown.small
        screen.head.display = bool(shown.header)
        screen.head.styles.height = shown.header or 1
        screen.line.display = bool(shown.line) and not screen.bar.sign
        screen.hints.display = bool(shown.hints)
        screen.room.set_class(shown.is_beside, "beside")
        screen.left.display = bool(shown.list_lines)
        screen.left.styles.width = shown.list_cells if shown.is_beside else "100%"
        screen.left.styles.height = shown.list_lines if shown.panel_lines and not shown.is_beside else "1fr"
        screen.table.styles.height = shown.list_lines if shown.is_beside else "1fr"
        screen.happened_view.display = bool(shown.happened)
        screen.happened_view.styles.height = max(shown.happened, 1)
        screen.edge.display = shown.is_beside
        screen.side.display = bool(shown.panel_lines)
        screen.table.space(roomy=screen_shape.is_roomy(size.height))
        self.show_face()

    @property
    def home(self) -> Panel:
        """The part that gets the keys back."""
        return Panel.QUESTION if self._screen.needs_you.is_open else Panel.TABLE

    @property
    def _stands_by_itself(self) -> bool:
        """Whether nothing but the size and the rows decides whether there is a panel."""
        return self._is_open is None and self.current is Panel.TABLE and self.wish.alone is Alone.NOBODY

    def settle_anew(self) -> None:
        """The view was left: the list may be lower again."""
        self._list_lines = 0
        self.fold()

    def show_face(self) -> None:
        """The face of the panel, with a question above it where its mission asks something."""
        screen = self._screen
        views = {Panel.LOG: screen.log_view, Panel.DIFF: screen.diff_view, Panel.TERMINAL: screen.terminal_view,
                 Panel.STATS: screen.stats, Panel.NOTES: screen.notes_view}  # fmt: skip
        shown = self.shown
        for face, view in views.items():
            view.display = face is shown and not screen.question.whole
        is_there, row = bool(self.shape.panel_lines), self._row
        mission = screen.following.mission if row is None else row["id"]
        screen.diff_panel.look(mission if shown is Panel.DIFF and is_there else None)
        screen.stats_panel.look(mission if shown is Panel.STATS and is_there else None)
        if self.current is not Panel.TERMINAL:
            self._terminal_panel.watch(row if shown is Panel.TERMINAL and is_there else None)
        self._terminal_panel.session.seen_again()
        screen.show_question()
        screen.retitle()

    @property
    def _row(self) -> Row | None:
        """The mission of the panel."""
        return self._screen.shell.fleet.behind(self._screen.following.mission)

    @property
    def shows_happened(self) -> bool:
        """Whether the panel is about no mission, as the line of those that ended is none: it says what happened."""
        is_at_fold = self._screen.following.mission is None and self._screen.table.on_fold
        return is_at_fold and self.current is Panel.TABLE and self.face is not Panel.NOTES and not self.shape.is_beside

    @property
    def shown(self) -> Panel:
        """The face that is shown: the log, where the mission lacks the one that the panel is turned to."""
        row = self._row
        if self.shows_happened:
            return Panel.STATS
        if self.current not in AT_LIST or row is None or self.face is Panel.NOTES:
            return self.face
        return Panel.LOG if _WORDS[self.face] in lacking(row) else self.face

    def scroll(self, *, down: bool) -> None:
        """Scroll the face that is shown; the keys stay where they are."""
        screen = self._screen
        if not self.shape.panel_lines:
            screen.shell.flash("no panel to scroll: tab opens it", "quiet")
            return
        presses: Mapping[Panel, Callable[[str], object]] = {
            Panel.LOG: screen.log_view.press, Panel.DIFF: screen.diff_view.press,
            Panel.TERMINAL: screen.terminal_view.press, Panel.STATS: screen.stats.press,
            Panel.NOTES: screen.notes_view.press,
        }  # fmt: skip
        if (press := presses.get(self.shown)) and not self.shows_happened:
            for _ in range(SCROLLED):
                press("down" if down else "up")
        else:
            screen.shell.flash("nothing to scroll here", "quiet")

    def refocus(self) -> None:
        """The part that has the keys may have others now."""
        screen = self._screen
        widgets = {Panel.LOG: screen.log_view, Panel.TERMINAL: screen.terminal_view, Panel.DIFF: screen.diff_view,
                   Panel.NOTES: screen.notes_view, Panel.QUESTION: screen.question_view}  # fmt: skip
        screen.set_focus(widgets.get(self.current, screen.table))
        screen.way_here = ("missions", "needs you") if screen.needs_you.is_open else ("missions",)
        screen.retitle()
        screen.refresh_status()

    def give(self, panel: Panel) -> None:
        """Give the keys to a part; the log is where a terminal was."""
        self._screen.following.at_once()
        if panel is not Panel.TERMINAL and panel not in AT_LIST:
            self._terminal_panel.close()
        if panel in {*AT_LIST, Panel.TERMINAL}:
            self.page_history.forget(self._screen.shell.app)
        if panel is Panel.QUESTION and not self.shape.panel_lines:
            self._is_open = True
        if self.current is Panel.QUESTION and panel is not Panel.QUESTION:
            self._screen.question.whole = False
        self.current = panel
        if panel not in AT_LIST:
            self.face = panel
        self.fold()
        self.show_face()
        self.refocus()

    def do_next_panel(self) -> None:
        """Turn the panel to its next face; from within it back to the list."""
        self._turn(back=False)

    def do_previous_panel(self) -> None:
        """To the face before; the same."""
        self._turn(back=True)

    def _turn(self, *, back: bool) -> None:
        if self.current is Panel.NOTES:
            self.give(self.home)
            return
        if self.current is not self.home:
            self.close_one()
            return
        self._screen.following.at_once()
        row = self._row
        lacks = frozenset[str]() if row is None else lacking(row)
        if not self.shape.panel_lines:
            self._open()
        elif self.shows_happened:
            self._screen.shell.flash(log_lines.NOBODY, "quiet")
        elif self.face is Panel.NOTES:
            self.give(Panel.NOTES)
        else:
            self.face = self._turned = FACES[panel_title.turned(_WORDS[self.shown], lacks, back=back)]
        self.fold()
        self.show_face()

    def _open(self) -> None:
        """Open the panel below the list, where it has room there."""
        shell = self._screen.shell
        if screen_shape.is_tiny(*shell.app.size):
            shell.flash(NO_ROOM, "slow")
        else:
            self._is_open = True

    def turn_to(self, face: Panel) -> None:
        """Show a face, unless the mission under the cursor lacks it; the keys are in the list then."""
        self._screen.following.at_once()
        row = self._row
        if row is None or _WORDS[face] in lacking(row):
            if row is not None and face is Panel.TERMINAL and not row.get("tty"):
                self._screen.shell.flash(panel_title.NO_TERMINAL, "slow")
            return
        if self.current is not self.home:
            self.close_one()
        if self.face is Panel.NOTES:
            self._close_notes()
        self.face = self._turned = face
        self.fold()
        self.show_face()

    def do_zoom(self) -> None:
        """One part, or all; of a question all of it."""
        if self.current is Panel.QUESTION:
            self._screen.question.do_whole()
            return
        self.zoomed = not self.zoomed
        self.fold()

    def do_header(self) -> None:
        """Show or hide it."""
        self.shows_header = not self.shows_header
        self.fold()

    def close_one(self) -> bool:
        """A step back; from the list close the panel that was opened beside it; whether there was anything to close."""
        if self.step_back():
            return True
        if self.face is Panel.NOTES:
            self._close_notes()
        elif self.shape.panel_lines and not screen_shape.is_roomy(self._screen.shell.app.size.height):
            self._is_open = False
            self.fold()
            self._screen.shell.flash("tab opens the panel again", "quiet")
        else:
            return False
        return True

    def step_back(self) -> bool:
        """Close one thing of the part with the keys, or give the keys back; False where the list of all has them."""
        if self.panel_keys.close_one():
            return True
        if self.zoomed:
            self.do_zoom()
        elif self.current is Panel.TERMINAL:
            self.close_terminal()
        elif self.current is Panel.NOTES:
            self._close_notes()
        elif self.current is not self.home:
            self._close_panel()
        elif self._screen.needs_you.is_open:
            if not self._table_panel.close_one():
                self._screen.needs_you.close()
        else:
            return False
        return True

    def _close_panel(self) -> None:
        """To the list that it was opened from, else to the missions."""
        way, self.page_history = self.page_history, PageHistory()
        self.give(self.home)
        way.go(self._screen.shell.app)

    # notes

    def do_notes(self) -> None:
        """Open them, or close them."""
        if self._notes_panel.is_open:
            self._close_notes()
        else:
            self.open_notes()

    def open_notes(self, *, to_keys: bool = False) -> None:
        """Show them; they have the keys where that is wanted (`to_keys`), and where the panel was opened for them."""
        self._notes_panel.open()
        self._before_notes, self._was_open = self.current, self._is_open
        self.face = Panel.NOTES
        if not screen_shape.is_roomy(self._screen.shell.app.size.height):
            self._is_open = to_keys = True
        if to_keys:
            self.give(Panel.NOTES)
        else:
            self.fold()
            self.show_face()
            self.refocus()

    def _close_notes(self) -> None:
        """To the part that had the keys before, or to the page that they were opened from."""
        self._notes_panel.close()
        self.face, self._is_open = self._turned, self._was_open
        if self.current is not Panel.NOTES or self._before_notes not in AT_LIST:
            self.current = self._before_notes if self.current is Panel.NOTES else self.current
            self.fold()
            self.show_face()
            self.refocus()
        else:
            self._close_panel()

    def close_terminal(self) -> None:
        """Back to the list."""
        self._terminal_panel.close()
        self.zoomed = False
        self.face = self._turned
        self.give(self.home)
