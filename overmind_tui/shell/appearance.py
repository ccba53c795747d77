"""The appearance: themes, glyphs and frames, first and whenever config.toml says something else.

Our own themes are dark and light; every colour only repeats what a mark and a word say. The tones of states can be told
apart with any of the three kinds of colour blindness, and be read on every ground that they are drawn on; a test
computes both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.segment import Segment
from textual.color import Color
from textual.css.stylesheet import Stylesheet
from textual.filter import LineFilter, Monochrome, NoColor
from textual.theme import Theme

from overmind_core.view import tones
from overmind_tui.pages.page import Page
from overmind_tui.shell.settings import Settings, ascii_only

if TYPE_CHECKING:
    from textual.app import App

    from overmind_tui.shell.live_settings import LiveSettings


_GLYPHS = {
    "⬢": "*", "▶": ">", "❯": "_", "≈": "~", "…": ".", "↻": "@", "✔": "+", "✖": "x", "■": "-", "✗": "x", "–": "-",
    "—": "-", "‖": "=", "⌨": "#", "•": "o", "·": "-", "▸": ">", "⚙": "*", "↑": "^", "↓": "v", "←": "<", "→": ">",
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


DARK = Theme(
    name="dark",
    primary=tones.DARK[tones.KEY],
    secondary="#a9b4dc",
    accent="#7dcfff",
    foreground=tones.DARK[tones.TEXT],
    background="#11131b",
    surface="#181b26",
    panel="#343a54",
    success=tones.DARK["good"],
    warning=tones.DARK["slow"],
    error=tones.DARK["bad"],
    dark=True,
    variables={
        "quiet": tones.DARK[tones.QUIET],
        "faint": "#656c8c",
        "calm": tones.DARK["calm"],
        "off": tones.DARK["off"],
        "wait": tones.DARK["wait"],
        "cursor": "#2f3b63",
        "cursor-rest": "#222842",
        "graph-cpu": "#3f8f78",
        "graph-mem": "#43659e",
        "graph-out": "#857c52",
    },
)
LIGHT = Theme(
    name="light",
    primary=tones.LIGHT[tones.KEY],
    secondary="#454d6b",
    accent="#0b6e99",
    foreground=tones.LIGHT[tones.TEXT],
    background="#fbfbf8",
    surface="#f1f1ec",
    panel="#c2c6d4",
    success=tones.LIGHT["good"],
    warning=tones.LIGHT["slow"],
    error=tones.LIGHT["bad"],
    dark=False,
    variables={
        "quiet": tones.LIGHT[tones.QUIET],
        "faint": "#7d839b",
        "calm": tones.LIGHT["calm"],
        "off": tones.LIGHT["off"],
        "wait": tones.LIGHT["wait"],
        "cursor": "#cfdcf7",
        "cursor-rest": "#e3e6ef",
        "graph-cpu": "#6fb598",
        "graph-mem": "#8fa9d6",
        "graph-out": "#c2b273",
    },
)
THEMES = (DARK, LIGHT)


def defaults(*, dark: bool) -> dict[str, str]:
    """What the stylesheet uses beside Textual's own variables, for themes that don't know it."""
    return dict((DARK if dark else LIGHT).variables)


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
        self.ascii_only = ascii_only(live.now.symbols, environ)

    def begin(self) -> bool:
        """Our own themes beside Textual's; nothing moves. Only before anything is styled. False: no such theme."""
        app = self._app
        for theme in THEMES:
            app.register_theme(theme)
        known = self._live.theme in app.available_themes
        app.theme = self._live.theme if known else DARK.name
        app.animation_level = "none"
        app.stylesheet = ThemedStylesheet(variables=app.get_css_variables())
        return known

    def wear(self, found: Settings) -> bool:
        """Look and ask as these settings want it, from now on; False where there is no such theme."""
        app = self._app
        self.ascii_only = ascii_only(found.symbols, self._environ)
        known = self._live.theme in app.available_themes
        if known:
            app.theme = self._live.theme
        if not app.is_headless:
            adopt = getattr(app._driver, "adopt", None)  # noqa: SLF001 - the application has no other way
            if adopt is not None:  # in a browser the terminal is not ours
                adopt(found)
        for screen in app.screen_stack:
            if isinstance(screen, Page):
                screen.settings_changed()
        return known
