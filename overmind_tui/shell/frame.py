"""Frames: what the terminal shows, cell by cell, and the shortest sequences that make it show something else.

Textual repaints whole widgets; of what it draws only the cells that differ from the last frame are written, those of
one look together, for a colour takes more bytes than a move of the cursor. Coordinates begin with 0 at the top left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import split_graphemes
from rich.color import Color, ColorSystem
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate

if TYPE_CHECKING:
    from rich.console import Console
    from rich.style import Style
    from textual.strip import Strip

_ON = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "21", "51", "52", "53")
"""SGR parameters that set an attribute, by its bit as rich has it."""
_OFF = ("22", "22", "23", "24", "25", "25", "27", "28", "29", "24", "54", "54", "55")
"""Those that unset it, perhaps with another one."""
_UNSEEN = 0b111
"""Attributes that nobody sees on a blank: bold, dim, italic."""
_ANY = "*"
"""The foreground of a blank: whatever it is."""


class Look(NamedTuple):
    """How a cell is drawn: attributes as rich has them, SGR parameters of its colours ("" is the default), its link."""

    attributes: int = 0
    foreground: str = ""
    background: str = ""
    link: str = ""


class Glyph(NamedTuple):
    """A cell; `text` is "" for the second half of a wide character."""

    text: str
    look: Look
    plain: bool = True
    """Whether all terminals agree that it takes one cell."""


class Run(NamedTuple):
    """Cells that stand side by side."""

    x: int
    y: int
    cells: Sequence[Glyph]


BLANK = Glyph(" ", Look())
Row = list[Glyph | None]
"""The cells of a line; None: nobody knows what the terminal shows there."""


class Frame:
    """What is drawn, and what the terminal shows by now."""

    def __init__(self) -> None:
        self._drawn: list[Row] = []
        self._shown: list[Row] = []
        self._changed: dict[int, tuple[int, int]] = {}
        """Line → the columns between which it may differ."""
        self._columns = 0
        self._pen: Look | None = None
        self._at: tuple[int, int] | None = None
        """Column and line of the cursor; None: somewhere."""

    def forget(self) -> None:
        """Others may have drawn on the terminal: all of it is drawn anew."""
        self._drawn, self._shown, self._changed = [], [], {}
        self._pen = self._at = None

    def resize(self, columns: int, lines: int) -> None:
        """The terminal has this size; where that is another one, nobody knows what it shows."""
        if (columns, lines) != (self._columns, len(self._shown)):
            self.forget()
            self._columns = columns
            self._drawn, self._shown = [_unknown(columns, lines) for _ in range(2)]

    def draw(self, pieces: Iterable[tuple[int, int, Sequence[Glyph]]]) -> None:
        """Draw these; each piece: column, line, cells."""
        for x, y, cells in pieces:
            if 0 <= y < len(self._drawn) and 0 <= x < self._columns:
                end = min(x + len(cells), self._columns)
                self._drawn[y][x:end] = cells[: end - x]
                first, last = self._changed.get(y, (x, end))
                self._changed[y] = min(first, x), max(last, end)

    def take(self) -> str:
        """What the terminal must be sent so that it shows what was drawn; it is, from now on."""
        alike: dict[Look, list[Run]] = {}
        uneven: list[Run] = []
        for y in sorted(self._changed):
            self._differing(y, *self._changed[y], alike, uneven)
        self._changed = {}
        sent: list[str] = []
        self._at = None  # others may have moved the cursor
        for run in chain(*alike.values(), uneven):
            self._write(sent, run)
        return "".join(sent)

    def _differing(self, y: int, x: int, end: int, alike: dict[Look, list[Run]], uneven: list[Run]) -> None:
        """Put what differs in a line to the other runs that look the same."""
        row = self._shown[y]
        before, cells = row[x:end], [cell or BLANK for cell in self._drawn[y][x:end]]
        if before == cells:
            return
        row[x:end] = cells
        if x and before[0] is not None and not before[0].text:
            row[x - 1] = None  # the other half of a wide character is wiped with this one
        if end < len(row) and (after := row[end]) is not None and not after.text:
            row[end] = None
        even = all(cell is not None and cell.plain for cell in before) and all(cell.plain for cell in cells)
        for first, last in _runs(before, cells, even=even):
            if not even:
                uneven.append(Run(x + first, y, cells[first:last]))
                continue
            for begin, stop, look in _alike(cells, first, last):
                alike.setdefault(look, []).append(Run(x + begin, y, cells[begin:stop]))

    def _write(self, sent: list[str], run: Run) -> None:
        x, y, cells = run
        self._move(sent, x, y)
        is_sure = True
        last: Look | None = None
        for at, cell in enumerate(cells, x):
            if not cell.text:
                continue
            if not is_sure:
                sent.append(_place(at, y))
            if cell.look is not last:  # else the pen has it
                last = cell.look
                look = _settled(self._pen, last)
                if look != self._pen:
                    sent.append(change(self._pen, look))
                    self._pen = look
            sent.append(cell.text)
            is_sure = cell.plain
        end = x + len(cells)
        self._at = (end, y) if is_sure and end < self._columns else None

    def _move(self, sent: list[str], x: int, y: int) -> None:
        """Put the cursor there, by the shortest sequence that does."""
        ways = [_place(x, y)]
        if self._at is not None:
            gap, down = x - self._at[0], y - self._at[1]
            if down == 0 and gap >= 0:
                between = self._shown[y][self._at[0] : x]
                text = "".join(cell.text for cell in between if cell and self._pen == _settled(self._pen, cell.look))
                ways += [text if len(text) == gap else f"\x1b[{gap}C", f"\x1b[{gap}C"]
            elif down > 0:
                ways.append(("\x1b[B" if down == 1 else f"\x1b[{down}B") + _sideways(gap))
        sent.append(min(ways, key=len))


def _unknown(columns: int, lines: int) -> list[Row]:
    return [[None] * columns for _ in range(lines)]


def _sideways(gap: int) -> str:
    """From one column to another one."""
    if gap < 0:
        return min("\b" * -gap, f"\x1b[{-gap}D", key=len)
    return "" if gap == 0 else "\x1b[C" if gap == 1 else f"\x1b[{gap}C"


def _alike(cells: Sequence[Glyph], first: int, last: int) -> Iterator[tuple[int, int, Look]]:
    """The parts of these cells that look the same; a blank looks like its neighbours as far as it is seen."""
    begin, look = first, cells[first].look
    for at in range(first + 1, last):
        other = cells[at].look
        if _covers(look, other):
            continue
        if not _covers(other, look):
            yield begin, at, look
            begin = at
        look = other
    yield begin, last, look


def _covers(look: Look, other: Look) -> bool:
    """Whether what looks like the other one can be written with this look."""
    return look == other or (other.foreground == _ANY and _settled(look, other) == look)


def _place(x: int, y: int) -> str:
    return f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"


def _runs(before: Sequence[Glyph | None], cells: Sequence[Glyph], *, even: bool) -> Iterator[tuple[int, int]]:
    """Where cells differ; not `even`: terminals may disagree on where they stand, so all from the first on is drawn."""
    begin: int | None = None
    for at, (old, new) in enumerate(zip(before, cells, strict=True)):
        if (old is new or old == new) and even:
            if begin is not None:
                yield begin, at
                begin = None
        elif begin is None and old != new:
            begin = at
    if begin is not None:
        yield begin, len(cells)


def _settled(pen: Look | None, look: Look) -> Look:
    """The look as it is written: a blank takes what the pen has, as far as nobody sees it."""
    if look.foreground != _ANY:
        return look
    if pen is None:
        return Look(0, "", look.background)
    return Look(pen.attributes & _UNSEEN, pen.foreground, look.background)


@lru_cache(4096)
def change(before: Look | None, after: Look) -> str:
    """The sequences that change the pen; before None: it may be anything."""
    link = "" if before is not None and before.link == after.link else f"\x1b]8;;{after.link}\x1b\\"
    whole = [_ON[bit] for bit in _bits(after.attributes)]
    whole += [colour for colour in (after.foreground, after.background) if colour]
    fresh = "\x1b[" + ";".join(["0", *whole]) + "m" if whole else "\x1b[m"
    if before is None:
        return link + fresh
    off = {_OFF[bit] for bit in _bits(before.attributes & ~after.attributes)}
    on = [_ON[bit] for bit in _bits(after.attributes) if not before.attributes >> bit & 1 or _OFF[bit] in off]
    parts = [*sorted(off), *on]
    parts += [after.foreground or "39"] if before.foreground != after.foreground else []
    parts += [after.background or "49"] if before.background != after.background else []
    if not parts:
        return link
    return link + min(f"\x1b[{';'.join(parts)}m", fresh, key=len)


def _bits(attributes: int) -> Iterator[int]:
    return (bit for bit in range(len(_ON)) if attributes >> bit & 1)


# what Textual draws


@lru_cache(1024)
def look_of(style: Style | None, system: ColorSystem) -> Look:
    """A style as sequences know it."""
    if style is None:
        return Look()
    attributes = style._attributes & style._set_attributes  # noqa: SLF001 - as Textual does
    front, back = _colour(style.color, system, front=True), _colour(style.bgcolor, system, front=False)
    return Look(attributes, front, back, style.link or "")


def _colour(colour: Color | None, system: ColorSystem, *, front: bool) -> str:
    if colour is None or colour.is_default:
        return ""
    return ";".join(colour.downgrade(system).get_ansi_codes(foreground=front))


@lru_cache(1024)
def glyphs(text: str, look: Look) -> tuple[Glyph, ...]:
    """A text as cells."""
    if text.isascii() and text.isprintable():
        return tuple([_glyph(one, look) for one in text])
    found: list[Glyph] = []
    for begin, end, cells in split_graphemes(text)[0]:
        one = text[begin:end]
        if cells == 1 and len(one) == 1:
            found.append(_glyph(one, look))
        elif cells:
            found += [Glyph(one, look, plain=False), *[Glyph("", look, plain=False)] * (cells - 1)]
    return tuple(found)


@lru_cache(8192)
def _glyph(text: str, look: Look) -> Glyph:
    """One that takes a cell; of a blank only the background is seen."""
    if text == " " and not look.attributes & ~_UNSEEN and not look.link:
        return Glyph(text, Look(0, _ANY, look.background))
    return Glyph(text, look)


def pieces(update: CompositorUpdate, system: ColorSystem) -> Iterator[tuple[int, int, Sequence[Glyph]]]:
    """What an update draws: column, line and cells of each piece."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in strips:
                cells = _cells(strip, system)
                yield x, y, cells
                x += len(cells)
    elif isinstance(update, ChopsUpdate):
        for y, first, last in update.spans:
            for end, (x, chop) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if chop is not None and x <= last and end > first:
                    whole = last > x >= first and end <= last
                    yield x, y, _cells(chop if whole else chop.crop(0, min(end, last) - x), system)


def _cells(strip: Strip, system: ColorSystem) -> list[Glyph]:
    found: list[Glyph] = []
    for text, style, control in strip:
        if not control:
            found += glyphs(text, look_of(style, system))
    return found


class ChangedCells(CompositorUpdate):
    """An update of which only what differs from what the terminal shows is written; it must be, once it is made."""

    def __init__(self, frame: Frame) -> None:
        self.text = frame.take()

    def render_segments(self, console: Console) -> str:
        """The sequences."""
        del console
        return self.text


def system_of(console: Console) -> ColorSystem:
    """The colours that a terminal has."""
    return console._color_system or ColorSystem.TRUECOLOR  # noqa: SLF001 - as Textual does
