"""The way back from a log to the list that it was opened from: what was open is kept as it stood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_tui.screens.page import Page
from overmind_tui.screens.tablepage import TablePage

if TYPE_CHECKING:
    from textual.app import App


class WayBack:
    """The pages that were closed for a log, the lowest first; none where it was opened on the main screen."""

    def __init__(self) -> None:
        self._pages: tuple[Page, ...] = ()

    def leave(self, app: App[str]) -> None:
        """Close what is open above the main screen, and keep it."""
        self.forget(app)
        self._pages = tuple(page for page in app.screen_stack[1:] if isinstance(page, Page))
        for page in self._pages:
            app.install_screen(page, str(id(page)))
        while len(app.screen_stack) > 1:
            app.pop_screen()

    def go(self, app: App[str]) -> None:
        """Open it again, with the rows as they are now."""
        pages, self._pages = self._pages, ()
        for page in pages:
            app.uninstall_screen(page)
            app.push_screen(page)
            page.settings_changed()
            if isinstance(page, TablePage):
                page.source.ask_again()

    def forget(self, app: App[str]) -> None:
        """Nobody goes back there."""
        pages, self._pages = self._pages, ()
        for page in pages:
            app.uninstall_screen(page)
            page.remove()
