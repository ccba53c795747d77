"""Resizing: the primary screen's lines are wrapped anew and keep their cursor, the alternate screen is clipped.

Programs paint the alternate screen anew themselves; what they wrote to the primary screen nobody repeats.
"""

from __future__ import annotations

from typing import NamedTuple

from overmind_core.terminal.cells import DEFAULT, CellRow, blank_row
from overmind_core.terminal.scrollback import LogicalLine
from overmind_core.terminal.state import TAB, TerminalState

UNFINISHED_LIMIT = 200
"""Rows of the scrollback that are joined with the screen's first line again."""


class CursorPlace(NamedTuple):
    """A cursor; `x` is one behind the last column when a wrap is pending."""

    x: int
    y: int


def resize(state: TerminalState, columns: int, height: int) -> None:
    """Give the terminal `columns` x `height` cells."""
    if (columns, height) == (state.columns, state.height):
        return
    if state.modes.alternate:
        _resize_hidden_primary(state, columns, height)
        state.rows, state.y = _clipped(state.rows, columns, height, state.y)
        state.x, state.pending_wrap = min(state.x, columns - 1), False
    else:
        place = CursorPlace(state.x + state.pending_wrap, state.y)
        state.rows, place = _reflowed(state, state.rows, place, columns, height)
        state.x, state.y = min(place.x, columns - 1), place.y
        state.pending_wrap = place.x >= columns
        state.other_rows, _ = _clipped(state.other_rows, columns, height, 0)
    stops = {stop for stop in state.tabs if stop < columns} | set(range(_next_stop(state.columns), columns, TAB))
    state.columns, state.height = columns, height
    state.top, state.bottom = 0, height - 1
    state.set_tabs(stops)
    state.dirty_all = True


def _resize_hidden_primary(state: TerminalState, columns: int, height: int) -> None:
    """The primary screen's cursor is the one that was saved on the way to the alternate screen."""
    saved = state.saved[0]
    place = CursorPlace(saved.x + saved.pending_wrap, saved.y) if saved else CursorPlace(0, 0)
    place = CursorPlace(place.x, min(place.y, state.height - 1))
    state.other_rows, place = _reflowed(state, state.other_rows, place, columns, height)
    if saved:
        state.saved[0] = saved._replace(
            x=min(place.x, columns - 1), y=place.y, pending_wrap=place.x >= columns
        )  # fmt: skip


def _reflowed(
    state: TerminalState, rows: list[CellRow], place: CursorPlace, columns: int, height: int
) -> tuple[list[CellRow], CursorPlace]:
    """The rows of the primary screen in another size, and where its cursor is then."""
    unfinished = state.scrollback.take_unfinished(UNFINISHED_LIMIT)
    lines = _lines([*unfinished, *rows], CursorPlace(place.x, place.y + len(unfinished)))
    reached_bottom = _drop_blank_end(lines)
    state.scrollback.resize(columns)
    fresh, place = _cut(lines, columns)
    surplus = len(fresh) - height
    for row in fresh[: max(surplus, 0)]:
        state.scrollback.push(row)
    if surplus > 0:
        return fresh[surplus:], CursorPlace(place.x, max(0, place.y - surplus))
    returned = state.scrollback.take_newest(-surplus) if reached_bottom else []
    fresh = [*(row.padded(columns) for row in returned), *fresh]
    fresh += [blank_row(columns, DEFAULT) for _ in range(height - len(fresh))]
    return fresh, CursorPlace(place.x, place.y + len(returned))


def _lines(rows: list[CellRow], place: CursorPlace) -> list[LogicalLine]:
    lines: list[LogicalLine] = []
    begins = True
    for y, row in enumerate(rows):
        if begins:
            lines.append(LogicalLine())
        lines[-1].add(row, place.x if y == place.y else None)
        begins = not row.wrapped
    return lines


def _drop_blank_end(lines: list[LogicalLine]) -> bool:
    """Blank lines below everything are dropped; whether there were none, so that the text reaches the last row."""
    count = len(lines)
    while len(lines) > 1 and not lines[-1].cells and lines[-1].cursor is None:
        lines.pop()
    return len(lines) == count


def _cut(lines: list[LogicalLine], columns: int) -> tuple[list[CellRow], CursorPlace]:
    rows: list[CellRow] = []
    place = CursorPlace(0, 0)
    for line in lines:
        for start, row in line.rows(columns):
            if line.cursor is not None and start <= line.cursor:
                place = CursorPlace(min(line.cursor - start, columns), len(rows))
            rows.append(row)
    return rows, place


def _clipped(rows: list[CellRow], columns: int, height: int, y: int) -> tuple[list[CellRow], int]:
    """Rows cut on the right and below, above only as far as the cursor's row needs it."""
    for row in rows:
        row.clip(columns)
    above = max(0, y - (height - 1))
    kept = rows[above : above + height]
    return kept + [blank_row(columns, DEFAULT) for _ in range(height - len(kept))], y - above


def _next_stop(columns: int) -> int:
    """The first default tab stop that a narrower screen didn't have."""
    return -(-columns // TAB) * TAB
