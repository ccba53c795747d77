"""How a cell looks. Equal styles are one object, so that runs of cells are found by identity.

Each style remembers which style an SGR sequence leads to: most sequences cost one look-up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from operator import attrgetter

Colour = int | tuple[int, int, int] | None
"""The terminal's own (None), an index of its palette (0–255), or red, green, blue (0–255 each)."""

POOL_LIMIT = 8192
"""Styles kept for reuse; a picture in true colour has more, and none of them is met again."""


class Underline(IntEnum):
    """The kinds of line below the text, by their number in SGR 4:n."""

    NONE = 0
    SINGLE = 1
    DOUBLE = 2
    CURLY = 3
    DOTTED = 4
    DASHED = 5


@dataclass(frozen=True, slots=True)
class Style:
    """The look of a cell; made by `styled`, compared by value or, where both come from `styled`, by identity."""

    foreground: Colour = None
    background: Colour = None
    underline_colour: Colour = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: Underline = Underline.NONE
    blink: bool = False
    reverse: bool = False
    conceal: bool = False
    strike: bool = False
    overline: bool = False
    link: str | None = None
    """The address of an OSC 8 hyperlink."""
    following: dict[str, Style] = field(default_factory=dict, compare=False, repr=False)
    """SGR parameters → the style after them; a cache of `sgr.select`."""


FIELDS = ("foreground", "background", "underline_colour", "bold", "dim", "italic", "underline", "blink", "reverse",
          "conceal", "strike", "overline", "link")  # fmt: skip
fields_of = attrgetter(*FIELDS)
"""The values of a style in the order of `FIELDS`."""

DEFAULT = Style()
_pool: dict[tuple[object, ...], Style] = {fields_of(DEFAULT): DEFAULT}


def interned(values: tuple[object, ...]) -> Style:
    """The one style with these values, in the order of `FIELDS`."""
    known = _pool.get(values)
    if known is None:
        if len(_pool) >= POOL_LIMIT:
            _forget()
        known = _pool[values] = Style(*values)  # type: ignore[arg-type] # in the order of FIELDS
    return known


def styled(**values: object) -> Style:
    """The one style with these fields, all others as in `DEFAULT`."""
    return interned(tuple(values.get(name, getattr(DEFAULT, name)) for name in FIELDS))


def erased(style: Style) -> Style:
    """What an erased cell looks like: of the style only the background stays (as in xterm)."""
    return DEFAULT if style.background is None else styled(background=style.background)


def linked(style: Style, address: str | None) -> Style:
    """The style with a hyperlink, or without."""
    return interned((*fields_of(style)[:-1], address))


def _forget() -> None:
    """Start anew: what is still on a screen stays with it, and is equal to, if not the same as, its successor."""
    for style in _pool.values():
        style.following.clear()
    _pool.clear()
    _pool[fields_of(DEFAULT)] = DEFAULT
