"""The panels of the missions screen: which are shown, which of them has the keys, and the way back from a log.

Pages that were open when a log was asked for are kept as they stood, and opened again once the log is closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from textual.geometry import Size

from overmind_core.view import missions as missions_rows
from overmind_core.view.actions import Context
from overmind_tui.pages.page import Page
from overmind_tui.render.layout import Panel, Shape, has_stats, shape

if TYPE_CHECKING:
    from textual.app import App

    from overmind_tui.log.panel import LogPanel
    from overmind_tui.missions.main_screen import MainScreen
    from overmind_tui.missions.table import TablePanel
    from overmind_tui.notes.panel import NotesPanel
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.user_state import AwaySummary
    from overmind_tui.terminal.pane import TerminalPanel


class PageHistory:
    """The pages that were closed for a log, the lowest first; none where it was opened on the main screen."""

    def __init__(self) -> None:
        self._pages: tuple[Page, ...] = ()

    def leave(self, app: App[Any]) -> None:
        """Close what is open above the main screen, and keep it."""
        self.forget(app)
        self._pages = tuple(page for page in app.screen_stack[1:] if isinstance(page, Page))
        for page in self._pages:
            app.install_screen(page, str(id(page)))
        while len(app.screen_stack) > 1:
            app.pop_screen()

    def go(self, app: App[Any]) -> None:
        """Open it again, with the rows as they are now."""
        pages, self._pages = self._pages, ()
        for page in pages:
            app.uninstall_screen(page)
            app.push_screen(page)
            page.returned()

    def forget(self, app: App[Any]) -> None:
        """Nobody goes back there."""
        pages, self._pages = self._pages, ()
        for page in pages:
            app.uninstall_screen(page)
            page.remove()


CONTEXTS = {
    Panel.TABLE: Context.MISSIONS, Panel.LOG: Context.LOG, Panel.STATS: Context.MISSIONS, Panel.NOTES: Context.GIVEN,
}  # fmt: skip


class PanelKeys(Protocol):
    """What a panel does with keys."""

    handlers: dict[str, Handler]
    """Action → what it does."""

    def type(self, text: str) -> bool:
        """What is typed after `/` so far; False when it is broken."""

    def close_one(self) -> bool:
        """Close one thing; whether there was any."""


class Panels:
    """The arrangement of the panels.

    Attributes:
        current: The panel that has the keys.
        zoomed: Whether it stands alone.
        shows_header: Whether there is a header where there is room.
        shape: What is shown.
        page_history: To the list that the log was opened from.
    """

    def __init__(  # noqa: PLR0917 - the parts of the screen
        self, screen: MainScreen, table: TablePanel, log: LogPanel, terminal: TerminalPanel, notes: NotesPanel,
        away: AwaySummary,
    ) -> None:  # fmt: skip
        self._screen = screen
        self._table_panel, self._log_panel, self._terminal_panel = table, log, terminal
        self._notes_panel = notes
        self._away = away
        self.current = Panel.TABLE
        self.zoomed = False
        self.shows_header = True
        self.shape = Shape()
        self.page_history = PageHistory()
        self._before_notes = Panel.TABLE
        """The panel that had the keys when the notes were opened."""
        self.handlers: dict[str, Handler] = {
            "next-panel": self.do_next_panel,
            "previous-panel": self.do_previous_panel,
            "zoom": self.do_zoom,
            "header": self.do_header,
            "notes": self.do_notes,
        }

    @property
    def at_terminal(self) -> bool:
        """Whether the keys are for the terminal, and not for a line that is typed."""
        return self.current is Panel.TERMINAL and not self._screen.bar.sign

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
        if context is Context.GIVEN:
            return self._notes_panel
        return self._log_panel if context is Context.LOG else self._table_panel

    def resized(self, size: Size) -> None:
        """Fold what doesn't fit."""
        if self.current is Panel.STATS and not has_stats(size.width, size.height):
            self.current = Panel.TABLE
        self.fold(size)
        self.refocus()

    def fold(self, size: Size | None = None) -> None:
        """Decide which are shown in a terminal of this size; None: of the one that is there."""
        screen, fleet = self._screen, self._screen.shell.fleet
        lost = bool(fleet.lost or missions_rows.lost(fleet.home_rows))
        size = size or screen.shell.app.size
        notes = self._notes_panel.is_open
        shown = self.shape = shape(size.width, size.height, self.current, zoomed=self.zoomed, notes=notes)
        screen.too_small.display = shown.small
        screen.room.display = not shown.small
        screen.head.display = not shown.small and self.shows_header
        screen.head.styles.height = shown.header
        screen.banner.display = not shown.small and (lost or bool(self._away.text))
        screen.banner.set_class(lost, "lost")
        screen.log_view.display = shown.side and not self._terminal_panel.is_open
        screen.terminal_view.display = shown.side and self._terminal_panel.is_open
        self._terminal_panel.session.seen_again()
        screen.table.display, screen.stats.display = shown.table, shown.stats
        screen.notes_view.display = shown.notes
        screen.left.display = shown.table or shown.stats or shown.notes
        screen.left.styles.width = shown.list_cells or "1fr"
        screen.stats.styles.height = shown.stats_lines if shown.table else "1fr"
        screen.notes_view.styles.height = shown.notes_lines if shown.table else "1fr"

    def refocus(self) -> None:
        """The one that has the keys may have others now."""
        screen = self._screen
        widgets = {Panel.LOG: screen.log_view, Panel.TERMINAL: screen.terminal_view, Panel.STATS: screen.stats,
                   Panel.NOTES: screen.notes_view}  # fmt: skip
        screen.set_focus(widgets.get(self.current, screen.table))
        screen.crumbs = tuple(dict.fromkeys((Panel.TABLE.value, self.current.value)))
        screen.retitle()
        screen.head.refresh()
        screen.refresh_status()

    def give(self, panel: Panel) -> None:
        """Give the keys to a panel; the log is where a terminal was."""
        if panel is Panel.LOG:
            self._terminal_panel.close()
        elif panel is not Panel.NOTES:
            self.page_history.forget(self._screen.shell.app)
        self.current = panel
        self.fold()
        self.refocus()

    def do_next_panel(self) -> None:
        """The next of those that there is room for."""
        self._step(1)

    def do_previous_panel(self) -> None:
        """The one before."""
        self._step(-1)

    def _step(self, step: int) -> None:
        size = self._screen.shell.app.size
        beside = Panel.TERMINAL if self._terminal_panel.is_open else Panel.LOG
        third = [Panel.STATS] if has_stats(size.width, size.height) else []
        there = [Panel.TABLE, beside, *([Panel.NOTES] if self._notes_panel.is_open else third)]
        at = there.index(self.current) if self.current in there else 0
        self.give(there[(at + step) % len(there)])

    def do_zoom(self) -> None:
        """One panel, or all."""
        self.zoomed = not self.zoomed
        self.fold()

    def do_header(self) -> None:
        """Show or hide it."""
        self.shows_header = not self.shows_header
        self.fold()

    def close_one(self) -> bool:
        """Close one thing of the panel, or the panel; whether there was any."""
        if self.panel_keys.close_one():
            return True
        if self.zoomed:
            self.do_zoom()
        elif self.current is Panel.TERMINAL:
            self.close_terminal()
        elif self.current is Panel.NOTES:
            self._close_notes()
        elif self.current is not Panel.TABLE:
            self._close_panel()
        elif self._notes_panel.is_open:
            self._close_notes()
        else:
            return False
        return True

    def _close_panel(self) -> None:
        """To the list that it was opened from, else to the missions."""
        way, self.page_history = self.page_history, PageHistory()
        self.give(Panel.TABLE)
        way.go(self._screen.shell.app)

    # notes

    def do_notes(self) -> None:
        """Open them, or close them."""
        if self._notes_panel.is_open:
            self._close_notes()
        else:
            self.open_notes()

    def open_notes(self, *, to_keys: bool = False) -> None:
        """Show them; they have the keys where nobody would see them else, and where that is wanted (`to_keys`)."""
        self._notes_panel.open()
        if self.current is Panel.STATS:
            self.current = Panel.TABLE
        self._before_notes = self.current
        self.fold()
        if to_keys or not self.shape.notes:
            self.give(Panel.NOTES)
        else:
            self.refocus()

    def _close_notes(self) -> None:
        """To the panel that had the keys before, or to the page that they were opened from."""
        self._notes_panel.close()
        if self.current is not Panel.NOTES:
            self.fold()
            self.refocus()
        elif self._before_notes is Panel.TABLE:
            self._close_panel()
        else:
            self.current = self._before_notes
            self.fold()
            self.refocus()

    def close_terminal(self) -> None:
        """Back to the list."""
        self._terminal_panel.close()
        self.zoomed = False
        self.give(Panel.TABLE)
