"""Styles to draw with: of the tones in the theme that is on, and of the cells of an emulated terminal.

A tone is the same wherever it is drawn, so the program is asked once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from rich.color import Color
from rich.style import Style
from textual.color import Color as ThemeColour

from overmind_core.view import tones

if TYPE_CHECKING:
    from rich.color_triplet import ColorTriplet
    from rich.terminal_theme import TerminalTheme
    from textual.app import App
    from textual.widget import Widget

    from overmind_core.terminal.cells import Colour
    from overmind_core.terminal.cells import Style as Look


@lru_cache(maxsize=8192)
def style_of(look: Look) -> Style:
    """The style to draw with; kinds of underlines that we can't draw are plain or double ones."""
    from overmind_core.terminal.cells import Underline  # noqa: PLC0415 - not before the first frame

    return Style(
        color=_colour(look.foreground),
        bgcolor=_colour(look.background),
        bold=look.bold or None,
        dim=look.dim or None,
        italic=look.italic or None,
        underline=look.underline not in {Underline.NONE, Underline.DOUBLE} or None,
        underline2=look.underline is Underline.DOUBLE or None,
        blink=look.blink or None,
        reverse=look.reverse or None,
        conceal=look.conceal or None,
        strike=look.strike or None,
        overline=look.overline or None,
        link=look.link,
    )


LEAST_CONTRAST = 2.0
"""Of a text that somebody else has coloured, on the ground of the theme: below that it can't be read."""


@lru_cache(maxsize=4096)
def readable(style: Style, ground: Style, colours: TerminalTheme) -> Style:
    """The style of a text of somebody else, in the theme's own colour where it could not be read on its ground.

    Args:
        style: Of the text; one with a ground of its own stays as it is.
        ground: Of the widget.
        colours: What the sixteen colours are on the screen.
    """
    if style.color is None or style.bgcolor is not None or style.reverse or ground.bgcolor is None:
        return style
    if ground.bgcolor.is_default or ground.color is None:
        return style  # the terminal's own ground: nobody knows what that is
    text, page = style.color.get_truecolor(colours), ground.bgcolor.get_truecolor(colours)
    return style if _contrast(text, page) >= LEAST_CONTRAST else style + Style(color=ground.color)


def _contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """From 1 to 21, as WCAG 2 defines it."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: ColorTriplet) -> float:
    shares = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in colour.normalized)  # noqa: PLR2004 - as there
    return sum(weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), shares, strict=True))


def inverted(style: Style) -> Style:
    """The other way round, also of what is reversed already."""
    return style + Style(reverse=not style.reverse)


def underlined(style: Style) -> Style:
    """With a line below."""
    return style + Style(underline=True)


def _colour(colour: Colour) -> Color | None:
    if colour is None:
        return None
    return Color.from_ansi(colour) if isinstance(colour, int) else Color.from_rgb(*colour)


VARIABLES = {
    "accent": "primary", "title": "secondary", "rule": "panel", "good": "success", "slow": "warning", "bad": "error",
    tones.TEXT: "foreground", tones.PAGE: "background", tones.LINE: "surface",
}  # fmt: skip
"""Name of a colour in a palette → the theme's variable, where it has another name."""


class Tones(dict[str, Style]):
    """The style of each tone by its name, also of several words: `tones["wait bold"]`; "" is plain.

    Args:
        app: Wears the theme.
    """

    def __init__(self, app: App[Any]) -> None:
        super().__init__()
        self._app = app

    def __missing__(self, name: str) -> Style:
        app = self._app
        palette = tones.SIXTEEN if app.current_theme.ansi else tones.DARK
        look = tones.look(name, palette, colours=not app.no_color)
        found = self[name] = Style(
            color=self._colour(look.colour),
            bgcolor=self._colour(look.ground),
            bold=look.bold or None,
            reverse=look.reverse or None,
            underline=look.underline or None,
        )
        return found

    def _colour(self, name: str) -> Color | None:
        """The colour in the theme that is on; None: that of what is below."""
        found = ThemeColour.parse(self._app.theme_variables[VARIABLES.get(name, name)]) if name else None
        return None if found is None or found.is_transparent else found.rich_color


class Toned(Protocol):
    """An application that knows what tones look like."""

    tones: Tones


def tones_of(widget: Widget) -> Tones:
    """Those of the program that shows a widget."""
    return cast("Toned", widget.app).tones
