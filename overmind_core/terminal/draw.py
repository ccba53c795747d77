"""Drawing text into cells: by the kind of its token (narrow, wide, anything), or many whole lines at once.

A flood of lines is made into rows of which most go straight to the scrollback; only once the cursor's row is the last
one and blank, for then the packed form of a line depends on nothing but itself and the look that it begins with.
"""

from __future__ import annotations

import re
from itertools import islice

from overmind_core.terminal.cells import (
    DEFAULT,
    WIDE_CELLS,
    CellRow,
    Entry,
    Style,
    Wrap,
    cluster_width,
    joins,
    pack,
    unpack,
    width,
)
from overmind_core.terminal.scrollback import LogicalLine
from overmind_core.terminal.sgr import select
from overmind_core.terminal.state import TerminalState

MARKS_LIMIT = 16
"""Characters in one cell: a letter and the marks on it, or an emoji; the longest one has ten."""
UNSEEN = frozenset(map(chr, (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF)))
"""Characters that turn the reading direction or separate lines: cells have neither, and whoever reads the text of
a screen must not be led astray."""
REPEAT_LIMIT = 10_000


def draw(state: TerminalState, text: str) -> None:
    """Characters of one cell each."""
    x = state.x
    end = x + len(text)
    if end >= state.columns or state.special or state.pending_wrap:
        draw_anywhere(state, text)
        return
    row = state.rows[state.y]
    cells = row.cells
    if not (cells[x] and cells[end]):
        row.mend(x, end)
    cells[x:end] = text
    style = state.style
    row.styles[x:end] = [style] * (end - x)
    if style is not DEFAULT:
        row.plain = False
    state.x = end
    state.last = text
    state.dirty.add(state.y)


def draw_anywhere(state: TerminalState, text: str) -> None:
    """The same in other character sets, in insert mode, and over the end of a row."""
    last = text
    if state.charsets.table:
        text = text.translate(state.charsets.table)
    if state.modes.insert:
        for character in text:
            _draw_one(state, character, 1)
        text = ""
    state.last = last
    while text:
        _wrap_if_pending(state)
        room = state.columns - state.x
        _put(state, text[:room])
        text = text[room:]
        if text and not state.modes.wraparound:
            text = text[-1]


def draw_wide(state: TerminalState, text: str) -> None:
    """Characters of two cells each."""
    while text:
        room = (state.columns - state.x) // WIDE_CELLS
        if state.special or state.pending_wrap or not room:
            _draw_one(state, text[0], WIDE_CELLS)
            text = text[1:]
            continue
        part, text = text[:room], text[room:]
        cells = [""] * (WIDE_CELLS * len(part))
        cells[::WIDE_CELLS] = part
        _put(state, cells)
        state.last = part


def draw_character(state: TerminalState, character: str) -> None:
    """Any character but a control; one of no width joins the character before it, and so do the parts of an emoji."""
    size = width(character)
    if size > 0:
        column = _column_before(state)
        if column < 0 or not joins(state.rows[state.y].cells[column], character):
            _draw_one(state, character, size)
            return
    elif size < 0 or character in UNSEEN:
        return
    _join(state, character)


def repeat(state: TerminalState, count: int) -> None:
    """The last character again; nothing when there was none."""
    if not state.last:
        return
    character, count = state.last[-1], min(count, REPEAT_LIMIT)
    if width(character) == WIDE_CELLS:
        draw_wide(state, character * count)
    else:
        draw_anywhere(state, character * count)


def new_line(state: TerminalState, text: str) -> None:
    """CR LF and what stands in the line after it."""
    state.x = 0
    state.line_feed()
    if text:
        draw(state, text)


def _put(state: TerminalState, text: str | list[str]) -> None:
    """Cells at the cursor; they fit into the row."""
    row, x = state.rows[state.y], state.x
    end = x + len(text)
    row.mend(x, end)
    row.cells[x:end] = text
    row.styles[x:end] = [state.style] * (end - x)
    _put_down(state, row, end)


def _put_down(state: TerminalState, row: CellRow, end: int) -> None:
    """The cursor behind what was put into the row."""
    if state.style is not DEFAULT:
        row.plain = False
    state.dirty.add(state.y)
    state.pending_wrap = end >= state.columns
    state.x = min(end, state.columns - 1)


def _wrap_if_pending(state: TerminalState) -> None:
    if state.pending_wrap:
        state.pending_wrap = False
        if state.modes.wraparound:
            _wrap(state, Wrap.YES)


def _wrap(state: TerminalState, kind: Wrap) -> None:
    state.rows[state.y].wrapped = kind
    state.x = 0
    state.line_feed()


def _draw_one(state: TerminalState, character: str, size: int) -> None:
    """One character, with everything that may be in its way."""
    state.last = character
    _wrap_if_pending(state)
    if size > state.columns - state.x and not _room_made(state, size):
        return
    if state.modes.insert:
        state.rows[state.y].insert(state.x, min(size, state.columns - state.x), DEFAULT)
    _put(state, [character] if size == 1 else [character, ""])


def _room_made(state: TerminalState, size: int) -> bool:
    """A wide character in the last column leaves it blank and goes to the next row; without wrapping it is lost."""
    if not state.modes.wraparound or size > state.columns:
        return False
    state.rows[state.y].fill(state.x, state.columns, " ", state.style)
    _wrap(state, Wrap.WIDE)
    return True


def _column_before(state: TerminalState) -> int:
    """Where the character before the cursor stands; -1 when there is none in this row."""
    column = state.x if state.pending_wrap else state.x - 1
    return column - 1 if column > 0 and not state.rows[state.y].cells[column] else column


def _join(state: TerminalState, mark: str) -> None:
    """A mark, or a part of an emoji, onto the character before the cursor."""
    column = _column_before(state)
    if column < 0:
        return
    row = state.rows[state.y]
    cluster = row.cells[column] + mark
    if len(cluster) > MARKS_LIMIT:
        return
    is_narrow = column + 1 == state.columns or row.cells[column + 1] != ""
    if is_narrow and cluster_width(cluster) == WIDE_CELLS:
        _widen(state, column, cluster)
    else:
        row.cells[column] = cluster
        state.dirty.add(state.y)


def _widen(state: TerminalState, column: int, cluster: str) -> None:
    """The character before the cursor takes two cells now; from the last column it moves to the next row.

    Without wrapping it stays as it is there.
    """
    before, state.style = state.style, state.rows[state.y].styles[column]
    state.x, state.pending_wrap = column, False
    if column + 1 < state.columns or _room_made(state, WIDE_CELLS):
        if state.modes.insert:
            state.rows[state.y].insert(state.x + 1, 1, DEFAULT)
        _put(state, [cluster, ""])
    else:
        state.pending_wrap = True
    state.style = before


_SGR = re.compile(r"\x1b\[([0-9;:]*+)m")


def plain_flood(state: TerminalState, text: str) -> None:
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


def styled_flood(state: TerminalState, text: str) -> None:
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


def _first_packed(state: TerminalState, count: int) -> int:
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


def _rows(state: TerminalState, line: str) -> list[Entry] | None:
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
    line = LogicalLine()
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


def _push(state: TerminalState, entries: list[Entry]) -> None:
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


def _draw(state: TerminalState, lines: list[str]) -> None:
    for line in lines:
        if line:
            draw(state, line)
        new_line(state, "")


def _draw_styled(state: TerminalState, lines: list[str]) -> None:
    for line in lines:
        text, *parts = _SGR.split(line)
        if text:
            draw(state, text)
        for parameters, styled in zip(parts[::2], parts[1::2], strict=True):
            state.style = state.style.following.get(parameters) or select(state.style, parameters)
            if styled:
                draw(state, styled)
        new_line(state, "")
