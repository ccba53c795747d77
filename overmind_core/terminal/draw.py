"""Text put into cells, by the kind that the tokens tell apart: narrow, wide, anything."""

from __future__ import annotations

from overmind_core.terminal.row import Row, Wrap
from overmind_core.terminal.state import State
from overmind_core.terminal.style import DEFAULT
from overmind_core.terminal.width import width

MARKS_LIMIT = 8
"""Characters in one cell: a letter and the marks on it."""
UNSEEN = frozenset(map(chr, (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF)))
"""Characters that turn the reading direction or separate lines: cells have neither, and whoever reads the text of
a screen must not be led astray."""
REPEAT_LIMIT = 10_000
WIDE = 2


def draw(state: State, text: str) -> None:
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


def draw_anywhere(state: State, text: str) -> None:
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


def draw_wide(state: State, text: str) -> None:
    """Characters of two cells each."""
    while text:
        room = (state.columns - state.x) // WIDE
        if state.special or state.pending_wrap or not room:
            _draw_one(state, text[0], WIDE)
            text = text[1:]
            continue
        part, text = text[:room], text[room:]
        cells = [""] * (WIDE * len(part))
        cells[::WIDE] = part
        _put(state, cells)
        state.last = part


def draw_character(state: State, character: str) -> None:
    """Any character but a control; one of no width joins the character before it."""
    size = width(character)
    if size > 0:
        _draw_one(state, character, size)
    elif size == 0 and character not in UNSEEN:
        _join(state, character)


def repeat(state: State, count: int) -> None:
    """The last character again; nothing when there was none."""
    if not state.last:
        return
    character, count = state.last[-1], min(count, REPEAT_LIMIT)
    if width(character) == WIDE:
        draw_wide(state, character * count)
    else:
        draw_anywhere(state, character * count)


def new_line(state: State, text: str) -> None:
    """CR LF and what stands in the line after it."""
    state.x = 0
    state.line_feed()
    if text:
        draw(state, text)


def _put(state: State, text: str | list[str]) -> None:
    """Cells at the cursor; they fit into the row."""
    row, x = state.rows[state.y], state.x
    end = x + len(text)
    row.mend(x, end)
    row.cells[x:end] = text
    row.styles[x:end] = [state.style] * (end - x)
    _put_down(state, row, end)


def _put_down(state: State, row: Row, end: int) -> None:
    """The cursor behind what was put into the row."""
    if state.style is not DEFAULT:
        row.plain = False
    state.dirty.add(state.y)
    state.pending_wrap = end >= state.columns
    state.x = min(end, state.columns - 1)


def _wrap_if_pending(state: State) -> None:
    if state.pending_wrap:
        state.pending_wrap = False
        if state.modes.wraparound:
            _wrap(state, Wrap.YES)


def _wrap(state: State, kind: Wrap) -> None:
    state.rows[state.y].wrapped = kind
    state.x = 0
    state.line_feed()


def _draw_one(state: State, character: str, size: int) -> None:
    """One character, with everything that may be in its way."""
    state.last = character
    _wrap_if_pending(state)
    if size > state.columns - state.x and not _room_made(state, size):
        return
    if state.modes.insert:
        state.rows[state.y].insert(state.x, min(size, state.columns - state.x), DEFAULT)
    _put(state, [character] if size == 1 else [character, ""])


def _room_made(state: State, size: int) -> bool:
    """A wide character in the last column leaves it blank and goes to the next row; without wrapping it is lost."""
    if not state.modes.wraparound or size > state.columns:
        return False
    state.rows[state.y].fill(state.x, state.columns, " ", state.style)
    _wrap(state, Wrap.WIDE)
    return True


def _join(state: State, mark: str) -> None:
    """A mark onto the character before the cursor."""
    column = state.x if state.pending_wrap else state.x - 1
    if column < 0:
        return
    cells = state.rows[state.y].cells
    if not cells[column] and column:
        column -= 1
    if len(cells[column]) < MARKS_LIMIT:
        cells[column] += mark
        state.dirty.add(state.y)
