"""The tones that texts are shown in: their colours in three themes, one table for every screen. Pure.

A tone only repeats what a mark and a word say. The tones of states can be told apart with any of the three kinds of
colour blindness. Bold is a second word: `wait bold`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

TEXT, QUIET, KEY = "text", "quiet", "key"
STATES = ("good", "wait", "slow", "calm", "bad", "off")
"""What states mean for whoever looks, as `StatusMark.tone` has them."""
NAMES = (*STATES, TEXT, QUIET, KEY)
"""All tones that have a colour on every screen."""
PAGE, LINE, CURSOR, REST = "page", "line", "cursor", "cursor-rest"
GROUNDS = (PAGE, LINE, CURSOR, REST)
"""What all is drawn on; the line that is typed in; the cursor's row, and that row while the keys are elsewhere."""
BOLD = "bold"


class Look(NamedTuple):
    """How a tone is drawn.

    Attributes:
        colour: Of the text, by the name that it has in a palette; "" leaves that of the ground.
        ground: Behind the text, in the same way.
    """

    colour: str = ""
    ground: str = ""
    bold: bool = False
    reverse: bool = False
    underline: bool = False


class Palette(NamedTuple):
    """The colours of a theme.

    Attributes:
        name: Of the theme, as config.toml has it.
        dark: Texts are brighter than their ground, as far as anybody knows.
        colours: Name of a colour → `#rrggbb`, a name of the terminal's own sixteen, or "": the terminal's own.
        differs: Tone → its look where this theme has another one.
    """

    name: str
    dark: bool
    colours: Mapping[str, str]
    differs: Mapping[str, Look]

    def colour(self, tone: str) -> str:
        """The colour of a text in this tone."""
        return self.colours[look(tone, self).colour or TEXT]


FILLED = "filled"
"""The colour of a text on a ground of a tone's colour."""
LOOKS: Mapping[str, Look] = {
    "": Look(),
    **{name: Look(name) for name in (*STATES, TEXT, QUIET, "faint", "accent", "rule", "graph")},
    "name": Look(), "news": Look(bold=True), "title": Look("title", bold=True), BOLD: Look(bold=True),
    "label": Look(QUIET), "guide": Look("faint"), KEY: Look("accent"), "mark": Look("accent", bold=True),
    "add": Look("good"), "cut": Look("bad"),
    "typing": Look(FILLED, "good", bold=True),
    "button": Look(FILLED, "accent", bold=True), "chosen": Look(FILLED, "accent", bold=True),
    CURSOR: Look(ground=CURSOR), REST: Look(ground=REST), LINE: Look(ground=LINE),
}  # fmt: skip
"""Tone → its look in all themes, where none says otherwise."""
_FILLED = [name for name, one in LOOKS.items() if one.colour == FILLED]
_CURSOR = {CURSOR: Look(TEXT, PAGE, reverse=True), REST: Look(underline=True), LINE: Look()}
"""A cursor by reversal, in which no other colour stands."""
WITHOUT_COLOURS: Mapping[str, Look] = {**_CURSOR, **{name: Look(bold=True, reverse=True) for name in _FILLED}}
"""Tone → its look for who wants no colours, where it says more than bold does."""

DARK = Palette("dark", dark=True, differs={}, colours={
    PAGE: "#11131b", LINE: "#181b26", CURSOR: "#232c48", REST: "#1b2033", FILLED: "#11131b",
    TEXT: "#d9dff2", "title": "#b9c3e6", QUIET: "#98a0c0", "faint": "#7b83a6", "rule": "#343a54",
    "accent": "#7aa2f7", "graph": "#7793da",
    "good": "#62dcb4", "wait": "#ff9a33", "slow": "#f2ea98", "calm": "#5b9bee", "bad": "#ff6680", "off": "#9298b4",
})  # fmt: skip
LIGHT = Palette("light", dark=False, differs={}, colours={
    PAGE: "#fbfbf8", LINE: "#f1f1ec", CURSOR: "#e0e8fb", REST: "#eceef4", FILLED: "#fbfbf8",
    TEXT: "#1d2233", "title": "#3a4262", QUIET: "#565d78", "faint": "#646a84", "rule": "#c9ccd8",
    "accent": "#2e5bb8", "graph": "#47669f",
    "good": "#115e41", "wait": "#965b03", "slow": "#625322", "calm": "#1c4fbb", "bad": "#c5255a", "off": "#616588",
})  # fmt: skip
SIXTEEN = Palette("sixteen", dark=True, colours={
    PAGE: "", LINE: "", CURSOR: "", REST: "", FILLED: "black",
    TEXT: "", "title": "", QUIET: "", "faint": "bright_black", "rule": "bright_black",
    "accent": "bright_blue", "graph": "bright_blue",
    "good": "green", "wait": "magenta", "slow": "yellow", "calm": "cyan", "bad": "bright_red", "off": "bright_black",
}, differs={**_CURSOR, **{name: LOOKS[name]._replace(bold=False) for name in _FILLED}})  # fmt: skip
"""The terminal's own colours, on a ground that may be dark or bright.

Where a tone says what must not be missed, it has a colour that both show: magenta stands for orange. What is filled is
not bold, since a bold black is a grey in many terminals.
"""
PALETTES = (DARK, LIGHT, SIXTEEN)


def look(tone: str, palette: Palette = DARK, *, colours: bool = True) -> Look:
    """The look of a tone, whose words are put on top of each other, in a theme.

    Args:
        tone: One of `LOOKS`, or several with blanks between.
        palette: Of the theme.
        colours: False: who looks wants none.

    Raises:
        KeyError: There is no such tone.
    """
    differs = palette.differs if colours else WITHOUT_COLOURS
    found = LOOKS[""]
    for word in tone.split():
        one = differs.get(word) or LOOKS[word]
        found = Look(
            one.colour or found.colour,
            one.ground or found.ground,
            bold=one.bold or found.bold,
            reverse=one.reverse or found.reverse,
            underline=one.underline or found.underline,
        )
    return found


_ELSEWHERE = {"faint": QUIET, "rule": QUIET, "accent": KEY, "graph": "calm"}
"""Colours that only terminals have → the tone of `NAMES` that is shown for them."""


@lru_cache(maxsize=256)
def named(tone: str) -> str:
    """The tone of `NAMES` that stands for a tone of cells; names, news and titles are text."""
    for word in tone.split():
        if word in NAMES:
            return word
        known = LOOKS.get(word, LOOKS[""])
        colour = known.ground if known.colour == FILLED else known.colour
        colour = _ELSEWHERE.get(colour, colour)
        if colour in NAMES:
            return colour
    return TEXT
