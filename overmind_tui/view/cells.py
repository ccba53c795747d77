"""A cell: a text and the tone in which it is shown. What a tone looks like is the theme's business."""

from __future__ import annotations

from typing import Any, NamedTuple

from overmind_core.domain.cells import cut, display_safe, pad, width

_JOINING = dict.fromkeys((0x200D, *range(0xFE00, 0xFE10), *range(0x1F3FB, 0x1F400)))

Row = dict[str, Any]
"""A record as the API answers it."""


class Cell(NamedTuple):
    """Text without control characters; tone "" is plain."""

    text: str
    tone: str = ""


def fitted(text: str, cells: int, *, right: bool = False) -> str:
    """`text` in exactly `cells` cells: cut or padded."""
    short = clipped(text, cells)
    return " " * (cells - width(short)) + short if right else pad(short, cells)


def clipped(text: str, cells: int) -> str:
    """`text` in at most `cells` cells, with `…` where it was cut."""
    if width(text) <= cells:
        return text
    if cells <= 1:
        return "…"[:cells]
    begun = cut(text, cells + 2)
    return begun.removesuffix("...")[: max(cells - 1, 0)] + "…" if text.isascii() else _clip_wide(text, cells - 1) + "…"


def safe(value: object) -> str:
    """Any value of a record as one harmless line; "" for what is absent."""
    return "" if value is None else apart(display_safe(str(value)))


def apart(text: str) -> str:
    """The text without what joins characters into one picture: terminals disagree on the cells that such a one takes.

    These are the zero-width joiner, variation selectors, and the tones of skin.
    """
    return text if text.isascii() else text.translate(_JOINING)


def _clip_wide(text: str, cells: int) -> str:
    used = 0
    for at, character in enumerate(text):
        used += width(character)
        if used > cells:
            return text[:at]
    return text
