"""Styles to draw with: of the tones in the theme that is on, and of the cells of an emulated terminal.

A tone is the same wherever it is drawn, so the program is asked once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, cast

from rich.color import Color
from rich.style import Style
from textual.dom import DOMNode

if TYPE_CHECKING:
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


TONES = (
    "news", "good", "wait", "slow", "calm", "bad", "off", "quiet", "faint", "guide", "name", "title", "key", "label",
    "accent", "mark", "chosen", "banner", "cursor", "cursor-rest", "graph-cpu", "graph-mem", "graph-out",
)  # fmt: skip
"""Each is a component class `tone--<name>` of the stylesheet."""
CLASSES = {f"tone--{tone}" for tone in TONES}


class Tones(dict[str, Style]):
    """The style of each tone by its name; "" is plain.

    Args:
        node: Has the component classes: one for all, since Textual computes those anew with each style of a node.
    """

    def __init__(self, node: DOMNode) -> None:
        super().__init__()
        self._node = node

    def __missing__(self, name: str) -> Style:
        found = self._node.get_component_styles(f"tone--{name}").partial_rich_style if name else Style.null()
        self[name] = found
        return found


class Toned(Protocol):
    """An application that knows what tones look like."""

    tones: Tones


def tones_of(widget: Widget) -> Tones:
    """Those of the program that shows a widget."""
    return cast("Toned", widget.app).tones
