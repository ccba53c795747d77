"""Sequences that erase, insert, delete and scroll. What becomes blank keeps the background colour only."""

from __future__ import annotations

from overmind_core.terminal.cells import DEFAULT, blank_row, erased
from overmind_core.terminal.cursor import Parameters, number
from overmind_core.terminal.state import TerminalState

TO_END, TO_START, ALL, SCROLLBACK = 0, 1, 2, 3
"""Parameters of ED and EL."""


def erase_in_line(state: TerminalState, parameters: Parameters) -> None:
    """EL; other parameters do nothing."""
    which = parameters[0] if parameters else TO_END
    part = _line_part(state, which)
    if part:
        _erase(state, *part)


def erase_in_display(state: TerminalState, parameters: Parameters) -> None:
    """ED; 3 is the scrollback; other parameters do nothing."""
    which = parameters[0] if parameters else TO_END
    if which == SCROLLBACK:
        state.scrollback.clear()
    elif which in {TO_END, TO_START, ALL}:
        first = 0 if which in {TO_START, ALL} else state.y + 1
        last = state.y - 1 if which == TO_START else state.height - 1
        state.rows[first : last + 1] = state.blank_rows(last + 1 - first)
        state.touch(first, last)
        erase_in_line(state, parameters)


def erase_characters(state: TerminalState, parameters: Parameters) -> None:
    """ECH."""
    _erase(state, state.x, min(state.columns, state.x + number(parameters)))


def insert_characters(state: TerminalState, parameters: Parameters) -> None:
    """ICH."""
    state.pending_wrap = False
    count = min(number(parameters), state.columns - state.x)
    state.rows[state.y].insert(state.x, count, erased(state.style))
    state.dirty.add(state.y)


def delete_characters(state: TerminalState, parameters: Parameters) -> None:
    """DCH."""
    state.pending_wrap = False
    count = min(number(parameters), state.columns - state.x)
    state.rows[state.y].delete(state.x, count, erased(state.style))
    state.dirty.add(state.y)


def insert_lines(state: TerminalState, parameters: Parameters) -> None:
    """IL, inside of the margins only."""
    if state.top <= state.y <= state.bottom:
        state.pending_wrap = False
        state.insert_rows(state.y, number(parameters))
        state.x = 0


def delete_lines(state: TerminalState, parameters: Parameters) -> None:
    """DL, inside of the margins only."""
    if state.top <= state.y <= state.bottom:
        state.pending_wrap = False
        state.delete_rows(state.y, number(parameters))
        state.x = 0


def scroll_up(state: TerminalState, parameters: Parameters) -> None:
    """SU."""
    state.scroll_up(state.top, number(parameters))


def scroll_down(state: TerminalState, parameters: Parameters) -> None:
    """SD; with more than one parameter it tracks a highlight, which nobody does."""
    if len(parameters) <= 1:
        state.insert_rows(state.top, number(parameters))


def alignment_display(state: TerminalState) -> None:
    """DECALN: the screen full of E."""
    state.top, state.bottom = 0, state.height - 1
    state.rows[:] = [blank_row(state.columns, DEFAULT) for _ in range(state.height)]
    for row in state.rows:
        row.cells[:] = "E" * state.columns
    state.x = state.y = 0
    state.pending_wrap = False
    state.dirty_all = True


def _erase(state: TerminalState, start: int, end: int) -> None:
    state.pending_wrap = False
    state.rows[state.y].fill(start, end, " ", erased(state.style))
    state.dirty.add(state.y)


def _line_part(state: TerminalState, which: int) -> tuple[int, int] | None:
    """The columns, from and up to, that EL erases."""
    parts = {TO_END: (state.x, state.columns), TO_START: (0, state.x + 1), ALL: (0, state.columns)}
    return parts.get(which)
