"""Cells and rows of a screen: characters and their widths, styles, rows, and rows packed for the scrollback.

A row has a text and a style for each cell, as many entries as the screen has columns; the right half of a wide
character is the empty text. Equal styles are one object, so that runs of cells are found by identity, and each style
remembers which style an SGR sequence leads to: most sequences cost one look-up.

A packed row takes as little memory as it can: the row's text, or (text, wrapped, edges, style, style …) with one more
style than edges; the edges are columns, as the characters of a string. Blanks at the end of a row are not kept, unless
its text goes on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from itertools import compress
from operator import attrgetter, is_not
from typing import Any

from wcwidth import iter_graphemes, wcswidth, wcwidth

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

    def __deepcopy__(self, _: object) -> Style:
        """The style itself: equal styles are one object, also in copies of a screen."""
        return self


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


NARROW = (
    "\u00a0-\u00a8\u00aa-\u00ac\u00af-\u02ff\u0370-\u0377\u0384-\u0482\u1e00-\u1fbc\u2010-\u2019\u201c\u201d\u2022\u2026\u2030"
    "\u2190-\u2193\u2212\u2260\u2264\u2265\u2500-\u259f\u2800-\u28ff\ue0a0-\ue0d4\uff61-\uff9d"
)
"""Inside of brackets of a regular expression: characters of one cell that are no marks, and no part of an emoji."""
WIDE = "\u3041-\u3096\u309b-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60"
"""The same for characters of two cells."""
_SOFT_HYPHEN = "\xad"


@lru_cache(maxsize=8192)
def width(character: str) -> int:
    """Cells of one character: 0 (it joins the one before), 1 or 2; -1 for a control, which is no text.

    A soft hyphen is seen, as in xterm.
    """
    return 1 if character == _SOFT_HYPHEN else wcwidth(character)


_JOINER, _EMOJI_LOOK = "\u200d", "\ufe0f"
_FLAG_LETTERS = "\U0001f1e6-\U0001f1ff"
_TONES = "\U0001f3fb-\U0001f3ff"
_JOINING = re.compile(f"[{_FLAG_LETTERS}{_TONES}]")
"""Characters of two cells that may belong to the one before them."""
CLUSTERED = re.compile(f"[{_JOINER}{_EMOJI_LOOK}{_FLAG_LETTERS}{_TONES}]")
"""What a text has in which characters with cells of their own may belong together."""
_A_PERSON = "\U0001f469"
WIDE_CELLS = 2


@lru_cache(maxsize=4096)
def joins(cluster: str, character: str) -> bool:
    """Whether a character that has cells of its own belongs to the cluster of characters before it.

    That is the first letter of a flag, an emoji that gets a skin tone, or an emoji with a joiner behind it.

    Source: Unicode Standard Annex 29, rules GB11 to GB13; Unicode Technical Standard 51, "Emoji Modifiers".
    """
    if cluster[-1:] == _JOINER:
        return is_pictured(cluster[0]) and is_pictured(character)
    if not cluster or _JOINING.match(character) is None:
        return False
    if _is_tone(character):
        last = cluster.rstrip(_EMOJI_LOOK)[-1:] or cluster
        return is_pictured(last)
    return len(cluster) == 1 and _JOINING.match(cluster) is not None and not _is_tone(cluster)


@lru_cache(maxsize=1024)
def cluster_width(cluster: str) -> int:
    """Cells of a character with all that joins it: two where that makes an emoji of it.

    So count the renderers of agents (`string-width`) and `wcswidth`.
    """
    first = width(cluster[0])
    if first == WIDE_CELLS or any(width(character) > 0 for character in cluster[1:]):
        return WIDE_CELLS
    return WIDE_CELLS if cluster[1:2] == _EMOJI_LOOK and wcswidth(cluster[:2]) == WIDE_CELLS else first


def _is_tone(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff"


@lru_cache(maxsize=1024)
def is_pictured(character: str) -> bool:
    """Whether it is an emoji, or can be one, that a joiner binds to another one (Extended_Pictographic)."""
    return (
        width(character) > 0
        and not _is_tone(character)
        and len(list(iter_graphemes(_A_PERSON + _JOINER + character))) == 1
    )


Run = tuple[str, Style]

EDGES = range(1, 1 << 16)
"""Where a run can begin; no screen is wider."""


class Wrap(IntEnum):
    """Whether the text of a row goes on in the next one."""

    NO = 0
    YES = 1
    WIDE = 2
    """Yes, with a wide character that had no room: the last cell is a filler, no space."""


class CellRow:
    """The cells from left to right; `plain`: all styles are DEFAULT (False promises nothing)."""

    __slots__ = ("cells", "plain", "styles", "wrapped")

    def __init__(self, cells: list[str], styles: list[Style], *, plain: bool, wrapped: Wrap = Wrap.NO) -> None:
        self.cells = cells
        self.styles = styles
        self.plain = plain
        self.wrapped = wrapped

    def __deepcopy__(self, _: object) -> CellRow:
        return CellRow(self.cells[:], self.styles[:], plain=self.plain, wrapped=self.wrapped)

    @property
    def text(self) -> str:
        """All cells, blanks at the end included."""
        return "".join(self.cells)

    def mend(self, start: int, end: int) -> None:
        """Blank the other halves of wide characters that writing into start..end would cut."""
        cells = self.cells
        if 0 < start < len(cells) and cells[start] == "":
            cells[start - 1] = cells[start] = " "
        if 0 < end < len(cells) and cells[end] == "":
            cells[end] = " "

    def mend_end(self) -> None:
        """Blank the last cell when it holds the left half of a wide character."""
        last = self.cells[-1]
        if last and not last.isascii() and cluster_width(last) > 1:
            self.cells[-1] = " "

    def fill(self, start: int, end: int, text: str, style: Style) -> None:
        """The same narrow text and style in start..end."""
        self.mend(start, end)
        self.cells[start:end] = [text] * (end - start)
        self.styles[start:end] = [style] * (end - start)
        if style is not DEFAULT:
            self.plain = False
        elif start == 0 and end == len(self.cells):
            self.plain = True
        if end == len(self.cells):
            self.wrapped = Wrap.NO

    def insert(self, column: int, count: int, style: Style) -> None:
        """Blank cells at `column`; what they push over the edge is lost."""
        columns = len(self.cells)
        self.mend(column, column)
        self.cells[column:column] = [" "] * count
        self.styles[column:column] = [style] * count
        del self.cells[columns:], self.styles[columns:]
        self.mend_end()
        self.plain = self.plain and style is DEFAULT

    def delete(self, column: int, count: int, style: Style) -> None:
        """Cells away at `column`; blank ones come in at the end."""
        self.mend(column, column + count)
        del self.cells[column : column + count], self.styles[column : column + count]
        self.cells += [" "] * count
        self.styles += [style] * count
        self.plain = self.plain and style is DEFAULT
        self.wrapped = Wrap.NO

    def padded(self, columns: int) -> CellRow:
        """The row itself, as wide as a screen; its text still goes on where it did."""
        wrapped = self.wrapped
        self.clip(columns)
        self.wrapped = wrapped
        return self

    def clip(self, columns: int) -> None:
        """Another width: cut or padded on the right."""
        missing = columns - len(self.cells)
        if missing > 0:
            self.cells += [" "] * missing
            self.styles += [DEFAULT] * missing
        else:
            del self.cells[columns:], self.styles[columns:]
            self.mend_end()
        self.wrapped = Wrap.NO

    def runs(self) -> list[Run]:
        """All cells as (text, style), neighbours of the same style in one."""
        if not self.cells:
            return []
        ends = [*edges_of(self.styles), len(self.cells)]
        starts = [0, *ends[:-1]]
        return [("".join(self.cells[a:b]), self.styles[a]) for a, b in zip(starts, ends, strict=True)]


def blank_row(columns: int, style: Style) -> CellRow:
    """A row of blanks."""
    return CellRow([" "] * columns, [style] * columns, plain=style is DEFAULT)


def edges_of(styles: list[Style]) -> list[int]:
    """The columns at which another style begins, without column 0."""
    return list(compress(EDGES, map(is_not, styles[1:], styles)))


def cells_of(text: str) -> list[str]:
    """The cells that a row's text was joined from."""
    if text.isascii():
        return list(text)
    if CLUSTERED.search(text):
        return _cells_of_clusters(text)
    cells: list[str] = []
    for character in text:
        size = width(character)
        if size == WIDE_CELLS:
            cells += (character, "")
        elif size == 1 or not cells:
            cells.append(character)
        else:
            cells[-1 if cells[-1] else -2] += character
    return cells


def _cells_of_clusters(text: str) -> list[str]:
    clusters: list[str] = []
    for character in text:
        if clusters and (width(character) == 0 or joins(clusters[-1], character)):
            clusters[-1] += character
        else:
            clusters.append(character)
    cells: list[str] = []
    for cluster in clusters:
        cells += (cluster, "") if cluster_width(cluster) == WIDE_CELLS else (cluster,)
    return cells


Entry = str | tuple[Any, ...]


def pack(row: CellRow) -> Entry:
    """The entry of a row."""
    text = "".join(row.cells)
    if row.plain:
        return (text, row.wrapped, "", DEFAULT) if row.wrapped else text.rstrip(" ")
    styles = row.styles
    edges = edges_of(styles)
    if styles[-1] is DEFAULT and not row.wrapped:
        text = text.rstrip(" ")
        if not edges:
            return text
    return (text, row.wrapped, "".join(map(chr, edges)), styles[0], *[styles[edge] for edge in edges])


def unpack(entry: Entry) -> CellRow:
    """The row of an entry, as wide as what was kept of it."""
    if isinstance(entry, str):
        cells = cells_of(entry)
        return CellRow(cells, [DEFAULT] * len(cells), plain=True)
    text, wrapped, edges, *looks = entry
    cells = cells_of(text)
    starts = [0, *map(ord, edges)]
    cells += [" "] * (starts[-1] - len(cells))
    styles: list[Style] = []
    for style, start, end in zip(looks, starts, [*starts[1:], len(cells)], strict=True):
        styles += [style] * (end - start)
    return CellRow(cells, styles, plain=False, wrapped=wrapped)


def text_of(entry: Entry) -> str:
    """The text alone."""
    return entry if isinstance(entry, str) else str(entry[0])


def wrap_of(entry: Entry) -> Wrap:
    """Whether the text goes on in the next row."""
    return Wrap.NO if isinstance(entry, str) else entry[1]
