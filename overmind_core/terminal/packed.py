"""A row in as little memory as it takes: one string when nothing is special about it.

An entry is the row's text, or (text, wrapped, edges, style, style …) with one more style than edges; the edges are
columns, as the characters of a string. Blanks at the end of a row are not kept, unless its text goes on.
"""

from __future__ import annotations

from typing import Any

from overmind_core.terminal.row import Row, Wrap, cells_of, edges_of
from overmind_core.terminal.style import DEFAULT, Style

Entry = str | tuple[Any, ...]


def pack(row: Row) -> Entry:
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


def unpack(entry: Entry) -> Row:
    """The row of an entry, as wide as what was kept of it."""
    if isinstance(entry, str):
        cells = cells_of(entry)
        return Row(cells, [DEFAULT] * len(cells), plain=True)
    text, wrapped, edges, *looks = entry
    cells = cells_of(text)
    starts = [0, *map(ord, edges)]
    cells += [" "] * (starts[-1] - len(cells))
    styles: list[Style] = []
    for style, start, end in zip(looks, starts, [*starts[1:], len(cells)], strict=True):
        styles += [style] * (end - start)
    return Row(cells, styles, plain=False, wrapped=wrapped)


def text_of(entry: Entry) -> str:
    """The text alone."""
    return entry if isinstance(entry, str) else str(entry[0])


def wrap_of(entry: Entry) -> Wrap:
    """Whether the text goes on in the next row."""
    return Wrap.NO if isinstance(entry, str) else entry[1]
