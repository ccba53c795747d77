"""The appearance: themes, glyphs and frames, first and whenever config.toml says something else.

Our own themes are dark, light and sixteen, which has the terminal's own colours; their table is `view/tones.py`. The
tones of states can be told apart with any of the three kinds of colour blindness, and be read on every ground that they
are drawn on; a test computes both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.segment import Segment
from textual import constants
from textual.color import Color
from textual.css.stylesheet import Stylesheet
from textual.filter import LineFilter, Monochrome, NoColor
from textual.theme import Theme

from overmind_core.view import tones
from overmind_tui.pages.page import Page
from overmind_tui.shell.settings import Settings, ascii_only
from overmind_tui.widgets.style import VARIABLES

if TYPE_CHECKING:
    from textual.app import App

    from overmind_tui.shell.live_settings import LiveSettings


_GLYPHS = {
    "⬢": "*", "▶": ">", "❯": "_", "≈": "~", "…": ".", "↻": "@", "✔": "+", "✖": "x", "■": "#", "✗": "x", "–": "-",
    "—": "-", "\u2212": "-", "‖": "=", "⌨": "&", "•": "o", "·": "-", "▸": "+", "▾": "-", "⚙": "*",
    "\u203a": ">", "\u2039": "<", "↑": "^", "↓": "v", "←": "<", "→": ">", "▌": "|", "▏": "|",
    "×": "x", "│": "|", "─": "-", "├": "|", "└": "`", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "┌": "+", "┐": "+",
    "┘": "+", "┤": "|", "┬": "+", "┴": "+", "┼": "+", "━": "=", "┃": "|", "●": "*", "○": "o", "⊘": "/", "⊗": "%",
    "◆": "*", "▁": "_", "▂": ".", "▃": ":", "▄": "-", "▅": "=", "▆": "+", "▇": "*", "█": "#",
}  # fmt: skip
PLAIN = str.maketrans(_GLYPHS)
"""What we draw with → ASCII of the same width."""


class Plain(LineFilter):
    """A line filter that draws marks, frames and sparklines with ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same line in other glyphs."""
        del background
        return [Segment(text.translate(PLAIN), style, control) for text, style, control in segments]


PLAIN_GLYPHS, NO_COLOURS = Plain(), NoColor()


def filters(given: Sequence[LineFilter], *, ascii_only: bool) -> list[LineFilter]:
    """Those of Textual, with ours: it would make greys of colours that nobody wants."""
    found = [NO_COLOURS if isinstance(one, Monochrome) else one for one in given]
    return [*found, *([PLAIN_GLYPHS] if ascii_only else [])]


NATIVE = "ansi_default"
"""The colour that the terminal has by itself."""


def theme_of(palette: tones.Palette) -> Theme:
    """The theme of a palette; its variables have all the colours, since Textual leaves grounds out of native ones."""
    native = palette is tones.SIXTEEN
    found = {
        VARIABLES.get(name, name): f"ansi_{colour or 'default'}" if native else colour
        for name, colour in palette.colours.items()
    }
    return Theme(
        name=palette.name,
        primary=found["primary"],
        secondary=found["secondary"],
        accent=found["primary"],
        foreground=found["foreground"],
        background=found["background"],
        surface=found["surface"],
        panel=found["panel"],
        success=found["success"],
        warning=found["warning"],
        error=found["error"],
        dark=palette.dark,
        variables={**found, **({"ansi-background": NATIVE, "ansi-foreground": NATIVE} if native else {})},
        ansi=native,
    )


DARK, LIGHT, SIXTEEN = THEMES = tuple(theme_of(palette) for palette in tones.PALETTES)


def defaults(theme: Theme | None) -> dict[str, str]:
    """What the stylesheet and tones use beside Textual's own variables, for themes that don't know it."""
    if theme is None:
        return dict(DARK.variables)
    return dict((SIXTEEN if theme.ansi else DARK if theme.dark else LIGHT).variables)


def has_few_colours(environ: Mapping[str, str]) -> bool:
    """Whether a terminal has sixteen colours at most, as Textual sees it."""
    chosen = {"standard": True, "auto": None}.get(constants.COLOR_SYSTEM or "", False)
    if chosen is not None or not environ.get("TERM"):
        return bool(chosen)
    return Console(force_terminal=True, _environ=environ).color_system == "standard"


class ThemedStylesheet(Stylesheet):
    """Parses anew only what the same variables have not been in yet."""

    def __init__(self, *, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._differs = False

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take other variables; the same ones leave everything parsed as it is."""
        if variables != self._variables:
            self._differs = True
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parse with other variables; what was added since is parsed when it is asked for."""
        if self._differs:
            super().reparse()
            self._differs = False


class Appearance:
    """The theme and the glyphs that are used now.

    Args:
        app: Whose looks.
        live: What config.toml says now.
        environ: Of the terminal.

    Attributes:
        ascii_only: Whether marks, frames and graphs are drawn with ASCII.
    """

    def __init__(self, app: App[Any], live: LiveSettings, environ: Mapping[str, str]) -> None:
        self._app = app
        self._live = live
        self._environ = environ
        self._has_few_colours = has_few_colours(environ)
        self.ascii_only = ascii_only(live.now.symbols, environ)

    def begin(self) -> bool:
        """Our own themes beside Textual's; nothing moves. Only before anything is styled. False: no such theme."""
        app = self._app
        for theme in THEMES:
            app.register_theme(theme)
        known = self._live.theme in app.available_themes
        app.theme = self._worn(self._live.theme if known else DARK.name)
        app.animation_level = "none"
        app.stylesheet = ThemedStylesheet(variables=app.get_css_variables())
        return known

    def _worn(self, theme: str) -> str:
        """The theme, where the terminal has the colours for it."""
        return SIXTEEN.name if self._has_few_colours else theme

    def wear(self, found: Settings) -> bool:
        """Look and ask as these settings want it, from now on; False where there is no such theme."""
        app = self._app
        self.ascii_only = ascii_only(found.symbols, self._environ)
        known = self._live.theme in app.available_themes
        if known:
            app.theme = self._worn(self._live.theme)
        if not app.is_headless:
            adopt = getattr(app._driver, "adopt", None)  # noqa: SLF001 - the application has no other way
            if adopt is not None:  # in a browser the terminal is not ours
                adopt(found)
        for screen in app.screen_stack:
            if isinstance(screen, Page):
                screen.settings_changed()
        return known
