"""A cell: a text and the tone in which it is shown. What a tone looks like is the theme's business.

Lines with colours, as our log sanitiser leaves them, are cut into runs of one style. Long lines of our own words are
folded: they go on below where they began.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from overmind_core.domain.text.cells import cut, display_safe, pad, width

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


def clipped_line(line: Sequence[Cell], cells: int) -> list[Cell]:
    """The line in at most `cells` cells, with `…` where it was cut; blanks at its end are no text."""
    left = width("".join(cell.text for cell in line).rstrip())
    is_cut, room = left > cells, cells
    found: list[Cell] = []
    for cell in line:
        taken = width(cell.text)
        if room <= 0:
            break
        if is_cut and taken >= room:
            found.append(cell._replace(text=clipped(f"{cell.text}…", room)))
            break
        found.append(cell if taken <= room else cell._replace(text=_clip_wide(cell.text, room)))
        room -= taken
    return found


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


_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
_SLOTS = {"1": "bold", "2": "dim", "3": "italic", "4": "underline", "7": "reverse", "9": "strike"}
_COLOURS = {
    **{str(30 + index): index for index in range(8)},
    **{str(90 + index): 8 + index for index in range(8)},
}


class TextStyle(NamedTuple):
    """Attributes by name, and colours: a number of the palette, `#rrggbb`, or None for the default."""

    attributes: tuple[str, ...] = ()
    text: int | str | None = None
    ground: int | str | None = None


PLAIN = TextStyle()


def runs(line: str) -> list[tuple[str, TextStyle]]:
    """The line's texts, each with its look."""
    if "\x1b" not in line:
        return [(line, PLAIN)] if line else []
    parts = _SGR.split(line)
    found = [(parts[0], PLAIN)] if parts[0] else []
    for codes, text in zip(parts[1::2], parts[2::2], strict=True):
        if text:
            found.append((text.replace("\x1b", "␛"), look(codes)))
    return found


def stripped(line: str) -> str:
    """The line's text alone."""
    return _SGR.sub("", line) if "\x1b" in line else line


@lru_cache(maxsize=1024)
def look(codes: str) -> TextStyle:
    """What one sequence turns on, from nothing: the sanitiser closes each look before it opens the next."""
    words = codes.split(";")
    attributes: list[str] = []
    text: int | str | None = None
    ground: int | str | None = None
    while words:
        word = words.pop(0).partition(":")[0]
        if word in _SLOTS:
            attributes.append(_SLOTS[word])
        elif word == "38":
            text = _extended(words)
        elif word == "48":
            ground = _extended(words)
        elif word in _COLOURS:
            text = _COLOURS[word]
        elif word.isdigit() and str(int(word) - 10) in _COLOURS:
            ground = _COLOURS[str(int(word) - 10)]
    return TextStyle(tuple(attributes), text, ground)


def _extended(words: list[str]) -> int | str | None:
    """The colour after 38 or 48; what it uses of `words` is taken off."""
    kind = words.pop(0) if words else ""
    if kind == "5" and words and words[0].isdigit():
        return min(int(words.pop(0)), 255)
    if kind == "2" and len(words) > 2 and all(word.isdigit() for word in words[:3]):  # noqa: PLR2004 - red, green, blue
        red, green, blue = (min(int(words.pop(0)), 255) for _ in range(3))
        return f"#{red:02x}{green:02x}{blue:02x}"
    return None


_PIECE = re.compile(r"\s*\S+|\s+$")
"""A word with the blanks before it, or the blanks at the end."""


_INDENT = re.compile(r" *")


def folded(lines: Sequence[Sequence[Cell]], cells: int, hang: int) -> list[list[Cell]]:
    """The lines in rows of `cells` cells; what has a first column goes on behind it, `hang` cells from the left."""
    return [row for line in lines for row in _rows(line, cells, hang)]


def _rows(line: Sequence[Cell], cells: int, hang: int) -> Iterator[list[Cell]]:
    if not line or sum(width(cell.text) for cell in line) <= cells:
        yield list(line)
        return
    indent = min(hang if len(line) > 1 else _depth(line[0].text), cells // 2)
    row: list[Cell] = []
    used = 0
    for cell in line:
        for piece in _PIECE.findall(cell.text):
            if used + width(piece) > cells and used > indent and not piece.isspace():
                yield row
                row, used = [Cell(" " * indent)], indent
                piece = piece.lstrip()  # noqa: PLW2901 - the blanks stayed behind
            row.append(Cell(piece, cell.tone))
            used += width(piece)
    yield row


def _depth(text: str) -> int:
    found = _INDENT.match(text)
    return found.end() if found else 0
