"""The look of an emulated cell on our own screen."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.color import Color
from rich.style import Style

if TYPE_CHECKING:
    from overmind_core.terminal.style import Colour
    from overmind_core.terminal.style import Style as Look


@lru_cache(maxsize=8192)
def style_of(look: Look) -> Style:
    """The style to draw with; kinds of underlines that we can't draw are plain or double ones."""
    from overmind_core.terminal.style import Underline  # noqa: PLC0415 - not before the first frame

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
