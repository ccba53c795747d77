"""Another terminal's opinion: libghostty-vt, cell by cell in our own words.

Only on machines that it has a wheel for; ask `available` first.
"""

from __future__ import annotations

import importlib.util
from typing import Any, NamedTuple

from overmind_core.terminal.cells import CellRow, Colour, Style

available = importlib.util.find_spec("pyghostty") is not None


class Cell(NamedTuple):
    """One cell: its text ("" for the right half of a wide character), and its look without the link."""

    text: str
    look: tuple[object, ...]


_LOOK = ("foreground", "background", "underline_colour", "bold", "dim", "italic", "underline", "blink", "reverse",
         "conceal", "strike", "overline")  # fmt: skip
_NONE: tuple[object, ...] = (None, None, None, False, False, False, 0, False, False, False, False, False)
_PALETTE_TAG, _RGB_TAG, _GRAPHEME_TAG = 2, 3, 1
_SPACER_TAIL = 2
_GRAPHEME_LIMIT = 64


def cells_of(row: CellRow) -> list[Cell]:
    """Our row in the same form."""
    return [Cell(text, look_of(style)) for text, style in zip(row.cells, row.styles, strict=True)]


def look_of(style: Style) -> tuple[object, ...]:
    """The comparable part of a style."""
    return tuple(getattr(style, name) for name in _LOOK)


class Ghostty:
    """One terminal of libghostty-vt."""

    def __init__(self, columns: int, rows: int) -> None:
        from pyghostty import _ffi, core

        self._ffi = _ffi.ffi
        self._lib = _ffi.lib
        self._new = core.init_sized
        self._terminal: Any = core.Terminal(cols=columns, rows=rows)
        self.feed = self._terminal.feed
        self.feed(b"\x1b[?2027h")  # it counts clusters
        self._out = {name: self._ffi.new(f"{name}*") for name in ("uint32_t", "uint16_t", "int", "GhosttyCell")}

    def resize(self, columns: int, rows: int) -> None:
        """Another size."""
        self._terminal.resize(columns, rows)

    def close(self) -> None:
        """Free it."""
        self._terminal.close()

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row, from 0."""
        x, y = self._terminal.cursor
        return int(x), int(y)

    def mode(self, number: int) -> bool:
        """Whether a private mode is set."""
        return bool(self._terminal.mode(number))

    def rows(self) -> list[list[Cell]]:
        """All cells that are seen."""
        columns, rows = self._terminal.size
        return [[self._cell(x, y) for x in range(columns)] for y in range(rows)]

    def _cell(self, x: int, y: int) -> Cell:
        reference = self._terminal.ref(x, y)
        cell = self._out["GhosttyCell"]
        self._lib.ghostty_grid_ref_cell(reference, cell)
        if cell[0] == 0:
            return Cell(" ", _NONE)
        tag = self._number(cell[0], "CONTENT_TAG", "int")
        if tag in {_PALETTE_TAG, _RGB_TAG}:
            return Cell(" ", (None, self._background(cell[0], tag), *_NONE[2:]))
        look = self._look(x, y) if self._number(cell[0], "STYLE_ID", "uint16_t") else _NONE
        if self._number(cell[0], "WIDE", "int") == _SPACER_TAIL:
            return Cell("", look)
        if tag == _GRAPHEME_TAG:
            return Cell(self._grapheme(reference), look)
        return Cell(chr(self._number(cell[0], "CODEPOINT", "uint32_t") or 32), look)

    def _number(self, cell: Any, what: str, kind: str) -> int:
        self._lib.ghostty_cell_get(cell, getattr(self._lib, f"GHOSTTY_CELL_DATA_{what}"), self._out[kind])
        return int(self._out[kind][0])

    def _background(self, cell: Any, tag: int) -> Colour:
        if tag == _PALETTE_TAG:
            colour = self._ffi.new("GhosttyColorPaletteIndex*")
            self._lib.ghostty_cell_get(cell, self._lib.GHOSTTY_CELL_DATA_COLOR_PALETTE, colour)
            return int(colour[0])
        share = self._ffi.new("GhosttyColorRgb*")
        self._lib.ghostty_cell_get(cell, self._lib.GHOSTTY_CELL_DATA_COLOR_RGB, share)
        return (int(share.r), int(share.g), int(share.b))

    def _grapheme(self, reference: Any) -> str:
        buffer = self._ffi.new(f"uint32_t[{_GRAPHEME_LIMIT}]")
        length = self._ffi.new("size_t*")
        self._lib.ghostty_grid_ref_graphemes(reference, buffer, _GRAPHEME_LIMIT, length)
        return "".join(chr(buffer[place]) for place in range(length[0]))

    def _look(self, x: int, y: int) -> tuple[object, ...]:
        found = self._terminal.style(x, y)
        colours = tuple(None if found[name] is None else found[name][1] for name in ("fg", "bg", "underline_color"))
        names = ("bold", "faint", "italic", "underline", "blink", "inverse", "invisible", "strikethrough", "overline")
        return (*colours, *(found[name] for name in names))
