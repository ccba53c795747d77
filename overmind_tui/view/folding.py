"""Long lines of our own words, gone on with below where they began; texts of others are never folded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from overmind_core.domain.cells import width
from overmind_tui.view.cells import Cell

_PIECE = re.compile(r"\s*\S+|\s+$")
"""A word with the blanks before it, or the blanks at the end."""
_INDENT = re.compile(r" *")


def folded(lines: Sequence[Sequence[Cell]], cells: int, hang: int) -> list[list[Cell]]:
    """The lines in rows of `cells` cells; what has a first column goes on behind it, `hang` cells from the left."""
    return [row for line in lines for row in _rows(line, cells, hang)]


def _rows(line: Sequence[Cell], cells: int, hang: int) -> Iterator[list[Cell]]:
    if sum(width(cell.text) for cell in line) <= cells:
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
