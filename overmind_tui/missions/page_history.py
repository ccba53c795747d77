"""The way back from a log: pages that were open when it was asked for are kept, and opened again once it is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from overmind_tui.pages.page import Page

if TYPE_CHECKING:
    from textual.app import App


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
