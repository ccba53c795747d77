"""How the program looks: its theme, its glyphs and its frames, first and whenever config.toml says something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_tui.config import themes
from overmind_tui.config.settings import Settings, ascii_only
from overmind_tui.config.stylesheet import Sheet
from overmind_tui.screens.page import Page

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp


class Appearance:
    """What is worn.

    Attributes:
        ascii_only: Whether marks, frames and graphs are drawn with ASCII.
    """

    def __init__(self, app: OvermindApp) -> None:
        self._app = app
        self.ascii_only = ascii_only(app.settings.symbols, app.world.environ)

    def begin(self) -> None:
        """Our own themes beside Textual's; nothing moves. Only before anything is styled."""
        app = self._app
        for theme in themes.THEMES:
            app.register_theme(theme)
        app.theme = app.live.theme if app.live.theme in app.available_themes else themes.DARK.name
        app.animation_level = "none"
        app.stylesheet = Sheet(variables=app.get_css_variables())

    def wear(self, found: Settings) -> None:
        """Look and ask as these settings want it, from now on."""
        app = self._app
        self.ascii_only = ascii_only(found.symbols, app.world.environ)
        if app.live.theme in app.available_themes:
            app.theme = app.live.theme
        if not app.is_headless:
            adopt = getattr(app._driver, "adopt", None)  # noqa: SLF001 - the application has no other way
            if adopt is not None:  # in a browser the terminal is not ours
                adopt(found)
        for screen in app.screen_stack:
            if isinstance(screen, Page):
                screen.settings_changed()
