"""Frames and bars of a picture as shapes: a font draws their pieces row by row, with a gap between any two of them.

Each box character of an SVG that Textual wrote becomes a path in the same colour, a little longer than its cell, so
that it meets the next one; the text around it stays as it is.
"""

from __future__ import annotations

import html
import re

from overmind_core.domain.text.cells import width

LINE, BASE = 24.4, 18.5
"""Height of a row, and how much of it is above the line that letters stand on."""
OVERLAP = 0.4
"""How far a piece reaches into the cell beside it."""
THIN, THICK = 1.7, 3.4
_LEFT, _RIGHT, _UP, _DOWN = 1, 2, 4, 8
_ARMS = {
    "─": _LEFT | _RIGHT, "│": _UP | _DOWN, "┌": _RIGHT | _DOWN, "┐": _LEFT | _DOWN, "└": _RIGHT | _UP,
    "┘": _LEFT | _UP, "├": _RIGHT | _UP | _DOWN, "┤": _LEFT | _UP | _DOWN, "┬": _LEFT | _RIGHT | _DOWN,
    "┴": _LEFT | _RIGHT | _UP, "┼": _LEFT | _RIGHT | _UP | _DOWN, "━": _LEFT | _RIGHT, "┃": _UP | _DOWN,
    "╭": _RIGHT | _DOWN, "╮": _LEFT | _DOWN, "╰": _RIGHT | _UP, "╯": _LEFT | _UP,
}  # fmt: skip
_ROUND, _HEAVY = "╭╮╰╯", "━┃"
_TEXT = re.compile(r'<text class="([\w-]+)" x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)" [^>]*>([^<]*)</text>')
_FILL = re.compile(r"\.([\w-]+) \{ fill: (#\w+)")
_BARS = "▁▂▃▄▅▆▇█"
"""From an eighth of a cell to a whole one."""
_BOX = re.compile(f"[{''.join(_ARMS)}{_BARS}]")


def joined(svg: str) -> str:
    """The same picture, with lines for its box characters."""
    colours = dict(_FILL.findall(svg))
    return _TEXT.sub(lambda found: _drawn(found, colours.get(found[1], "#ffffff")), svg)


def _drawn(found: re.Match[str], colour: str) -> str:
    text = html.unescape(found[5])
    if not _BOX.search(text):
        return found[0]
    cell = float(found[4]) / max(width(text), 1)
    x, top = float(found[2]), float(found[3]) - BASE
    paths = "".join(
        _path(sign, x + width(text[:at]) * cell, top, cell, colour) for at, sign in enumerate(text) if _BOX.match(sign)
    )
    rest = _BOX.sub("\N{NO-BREAK SPACE}", text)
    return f"{found[0].replace(found[5], html.escape(rest))}{paths}"


def _path(sign: str, x: float, top: float, cell: float, colour: str) -> str:
    """One piece, in the cell whose upper left corner is there."""
    if sign in _BARS:
        high = LINE * (_BARS.index(sign) + 1) / len(_BARS)
        y = top + LINE - high
        return f'<path d="M{x:.2f} {y:.2f}h{cell + OVERLAP:.2f}v{high + OVERLAP:.2f}H{x:.2f}z" fill="{colour}"/>'
    middle, across = x + cell / 2, top + LINE / 2
    ends = {
        _LEFT: (x - OVERLAP, across), _RIGHT: (x + cell + OVERLAP, across),
        _UP: (middle, top - OVERLAP), _DOWN: (middle, top + LINE + OVERLAP),
    }  # fmt: skip
    arms = [end for side, end in ends.items() if _ARMS[sign] & side]
    if sign in _ROUND:
        (first, last) = arms
        line = f"M{first[0]:.2f} {first[1]:.2f}Q{middle:.2f} {across:.2f} {last[0]:.2f} {last[1]:.2f}"
    else:
        line = "".join(f"M{middle:.2f} {across:.2f}L{end[0]:.2f} {end[1]:.2f}" for end in arms)
    stroke = THICK if sign in _HEAVY else THIN
    return f'<path d="{line}" fill="none" stroke="{colour}" stroke-width="{stroke}"/>'
