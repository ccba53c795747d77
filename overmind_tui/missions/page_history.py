"""The way back from a log: pages that were open when it was asked for are kept, and opened again once it is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from overmind_tui.pages.page import Page

if TYPE_CHECKING:
    from textual.app import App


@runtime_checkable
class Writing(Protocol):
    """A screen in which something is written."""

    def do_keep(self) -> None:
        """Close it, and keep what was written."""


def close_all(app: App[Any]) -> None:
    """Close what is open above the main screen; what is being written there is kept, as by esc."""
    while len(app.screen_stack) > 1:
        top: object = app.screen
        if isinstance(top, Writing):
            top.do_keep()
        else:
            app.pop_screen()


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
        close_all(app)

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
