"""Many whole lines at once: rows made of each line alone, most of which go straight to the scrollback.

Only once the cursor's row is the last one and blank: then the packed form of a line depends on nothing but itself and
the look that it begins with.
"""

from __future__ import annotations

import re
from itertools import islice

from overmind_core.terminal.draw import draw, new_line
from overmind_core.terminal.packed import Entry, pack, unpack
from overmind_core.terminal.row import Wrap
from overmind_core.terminal.sgr import select
from overmind_core.terminal.state import State
from overmind_core.terminal.style import DEFAULT, Style
from overmind_core.terminal.wrapping import Line

_SGR = re.compile(r"\x1b\[([0-9;:]*+)m")


def plain_flood(state: State, text: str) -> None:
    """Lines of ASCII, each with its CR LF."""
    lines = text.split("\r\n")
    lines.pop()
    first = _first_packed(state, len(lines))
    _draw(state, lines[:first])
    rest = lines[first:]
    if rest and state.style is DEFAULT:
        _push(state, _plain_entries(rest, state.columns))
        state.last = next((line for line in reversed(rest) if line), state.last)
    else:
        _draw(state, rest)


def styled_flood(state: State, text: str) -> None:
    """A CR LF, then lines of ASCII and SGR, each with its own."""
    new_line(state, "")
    lines = text.split("\r\n")
    lines.pop()
    first = _first_packed(state, len(lines))
    _draw_styled(state, lines[:first])
    entries: list[Entry] = []
    for place in range(first, len(lines)):
        rows = _rows(state, lines[place])
        if rows is None:
            _push(state, entries)
            _draw_styled(state, lines[place:])
            return
        entries += rows
    _push(state, entries)


def _first_packed(state: State, count: int) -> int:
    """Of `count` lines, how many have to be drawn until the cursor stands in the last row, and that is blank."""
    whole = state.top == 0 and state.bottom == state.height - 1
    simple = whole and state.modes.wraparound and not (state.special or state.modes.alternate)
    return min(count, state.height - state.y) if simple else count


def _plain_entries(lines: list[str], columns: int) -> list[Entry]:
    if max(map(len, lines)) <= columns:
        return [line.rstrip(" ") for line in lines]
    return [entry for line in lines for entry in _pieces(line, columns)]


def _pieces(line: str, columns: int) -> list[Entry]:
    """A line that takes several rows."""
    if len(line) <= columns:
        return [line.rstrip(" ")]
    last = (len(line) - 1) // columns * columns
    whole = [(line[start : start + columns], Wrap.YES, "", DEFAULT) for start in range(0, last, columns)]
    return [*whole, line[last:].rstrip(" ")]


def _rows(state: State, line: str) -> list[Entry] | None:
    """The packed rows of a line; None when a background fills what it doesn't reach."""
    if state.style.background is not None:
        return None
    parts = _SGR.split(line)
    text = "".join(parts[::2])
    looks, edges, style = _looks(state.style, parts)
    if len(text) <= state.columns:
        rows = [_entry(text, looks, edges, state.columns)]
    elif all(look.background is None for look in looks):
        rows = _long_rows(text, looks, edges, state.columns)
    else:
        return None
    state.style, state.last = style, text or state.last
    return rows


def _entry(text: str, looks: list[Style], edges: list[int], columns: int) -> Entry:
    if looks[-1] is DEFAULT:
        text = text.rstrip(" ")
    elif len(text) < columns:
        looks.append(DEFAULT)
        edges.append(len(text))
    if len(looks) == 1 and looks[0] is DEFAULT:
        return text
    return (text, Wrap.NO, "".join(map(chr, edges)), *looks)


def _long_rows(text: str, looks: list[Style], edges: list[int], columns: int) -> list[Entry]:
    """A line that takes several rows."""
    line = Line()
    line.cells += text
    for look, start, end in zip(looks, [0, *edges], [*edges, len(text)], strict=True):
        line.styles += [look] * (end - start)
    return [pack(row) for _, row in line.rows(columns)]


def _looks(style: Style, parts: list[str]) -> tuple[list[Style], list[int], Style]:
    """The styles of text, SGR, text, SGR …, the columns where another one begins, and the style at the end."""
    column = len(parts[0])
    looks, edges = [style if column else DEFAULT], []
    for parameters, text in zip(islice(parts, 1, None, 2), islice(parts, 2, None, 2), strict=True):
        style = style.following.get(parameters) or select(style, parameters)
        if text:
            if not column:
                looks[0] = style
            elif style is not looks[-1]:
                looks.append(style)
                edges.append(column)
            column += len(text)
    return looks, edges, style


def _push(state: State, entries: list[Entry]) -> None:
    """Rows that come in above the last one, which is blank; as many go out at the top."""
    if not entries:
        return
    keep = state.height - 1
    above = state.rows[:keep]
    for row in above[: len(entries)]:
        state.scrollback.push(row)
    out = max(0, len(entries) - keep)
    state.scrollback.push_entries(entries[:out])
    state.rows[:] = above[len(entries) :] + [unpack(entry).padded(state.columns) for entry in entries[out:]]
    state.rows += state.blank_rows(1)
    state.dirty_all = True


def _draw(state: State, lines: list[str]) -> None:
    for line in lines:
        if line:
            draw(state, line)
        new_line(state, "")


def _draw_styled(state: State, lines: list[str]) -> None:
    for line in lines:
        text, *parts = _SGR.split(line)
        if text:
            draw(state, text)
        for parameters, styled in zip(parts[::2], parts[1::2], strict=True):
            state.style = state.style.following.get(parameters) or select(state.style, parameters)
            if styled:
                draw(state, styled)
        new_line(state, "")
