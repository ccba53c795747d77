"""What missions colour themselves can be read on the ground of every theme."""

from __future__ import annotations

from rich.color import Color
from rich.style import Style
from textual._ansi_theme import ALABASTER, MONOKAI

from overmind_tui.widgets.style import readable
from tests.kit.cases import tabled

LIGHT, DARK = Style(color="#22262e", bgcolor="#fbfbf8"), Style(color="#dde1ee", bgcolor="#11131b")
NATIVE = Style(color=Color.default(), bgcolor=Color.default())
CASES = {
    "white on light": (Style(color="white"), LIGHT, ALABASTER, LIGHT.color),
    "bright white on light": (Style(color="bright_white", bold=True), LIGHT, ALABASTER, LIGHT.color),
    "the brightest of 256 on light": (Style(color="color(231)"), LIGHT, ALABASTER, LIGHT.color),
    "black on dark": (Style(color="black"), DARK, MONOKAI, DARK.color),
    "red on light": (Style(color="red"), LIGHT, ALABASTER, Color.parse("red")),
    "white on dark": (Style(color="white"), DARK, MONOKAI, Color.parse("white")),
    "on a ground of its own": (Style(color="white", bgcolor="red"), LIGHT, ALABASTER, Color.parse("white")),
    "reversed": (Style(color="white", reverse=True), LIGHT, ALABASTER, Color.parse("white")),
    "no colour": (Style(bold=True), LIGHT, ALABASTER, None),
    "on the terminal's own ground": (Style(color="white"), NATIVE, MONOKAI, Color.parse("white")),
}


@tabled(("style", "ground", "colours", "color"), CASES.values(), ids=CASES)
def test_a_text_that_its_ground_would_hide_has_the_colour_of_the_theme(style, ground, colours, color):
    found = readable(style, ground, colours)
    assert found.color == color
    assert (found.bold, found.reverse, found.bgcolor) == (style.bold, style.reverse, style.bgcolor)
