"""Sequences that move the cursor, and tab stops. Movements by a number: 0 is 1, too far is as far as it goes."""

from __future__ import annotations

from overmind_core.terminal.state import TerminalState

Parameters = tuple[int, ...]
"""The numbers of a control sequence; 0 where one is left out."""


def number(parameters: Parameters, place: int = 0) -> int:
    """A parameter where 0, or none, is 1."""
    return max(1, parameters[place]) if len(parameters) > place else 1


def cursor_up(state: TerminalState, parameters: Parameters) -> None:
    """CUU: not past the top margin, when it began below it."""
    state.pending_wrap = False
    limit = state.top if state.y >= state.top else 0
    state.y = max(limit, state.y - number(parameters))


def cursor_down(state: TerminalState, parameters: Parameters) -> None:
    """CUD: not past the bottom margin, when it began above it."""
    state.pending_wrap = False
    limit = state.bottom if state.y <= state.bottom else state.height - 1
    state.y = min(limit, state.y + number(parameters))


def cursor_forward(state: TerminalState, parameters: Parameters) -> None:
    """CUF, HPR."""
    state.pending_wrap = False
    state.x = min(state.columns - 1, state.x + number(parameters))


def cursor_back(state: TerminalState, parameters: Parameters) -> None:
    """CUB."""
    state.pending_wrap = False
    state.x = max(0, state.x - number(parameters))


def cursor_down1(state: TerminalState, parameters: Parameters) -> None:
    """CNL: down, to the first column."""
    cursor_down(state, parameters)
    state.x = 0


def cursor_up1(state: TerminalState, parameters: Parameters) -> None:
    """CPL: up, to the first column."""
    cursor_up(state, parameters)
    state.x = 0


def cursor_to_column(state: TerminalState, parameters: Parameters) -> None:
    """CHA, HPA."""
    state.pending_wrap = False
    state.x = min(state.columns, number(parameters)) - 1


def cursor_to_line(state: TerminalState, parameters: Parameters) -> None:
    """VPA."""
    state.goto(state.x, number(parameters) - 1)


def cursor_to_relative_line(state: TerminalState, parameters: Parameters) -> None:
    """VPR: down, margins are no limit."""
    state.pending_wrap = False
    state.y = min(state.height - 1, state.y + number(parameters))


def cursor_position(state: TerminalState, parameters: Parameters) -> None:
    """CUP, HVP."""
    state.goto(number(parameters, 1) - 1, number(parameters) - 1)


def set_margins(state: TerminalState, parameters: Parameters) -> None:
    """DECSTBM: rows that scroll; the cursor goes home. Fewer than two rows are no region."""
    bottom = parameters[1] if len(parameters) > 1 and parameters[1] else state.height
    bottom = min(bottom, state.height)
    if number(parameters) < bottom:
        state.top, state.bottom = number(parameters) - 1, bottom - 1
        state.goto(0, 0)


def carriage_return(state: TerminalState) -> None:
    """CR."""
    state.pending_wrap = False
    state.x = 0


def backspace(state: TerminalState) -> None:
    """BS."""
    cursor_back(state, ())


def linefeed(state: TerminalState) -> None:
    """LF, VT, FF; in new line mode also CR."""
    state.line_feed()
    if state.modes.new_line:
        state.x = 0


def next_line(state: TerminalState) -> None:
    """NEL."""
    state.line_feed()
    state.x = 0


def index(state: TerminalState) -> None:
    """IND."""
    state.line_feed()


def reverse_index(state: TerminalState) -> None:
    """RI: up; at the top margin the region scrolls down."""
    state.pending_wrap = False
    if state.y == state.top:
        state.insert_rows(state.top, 1)
    elif state.y:
        state.y -= 1


def tab(state: TerminalState) -> None:
    """HT."""
    state.x = state.next_tab[state.x]


def forward_tabs(state: TerminalState, parameters: Parameters) -> None:
    """CHT."""
    for _ in range(min(number(parameters), state.columns)):
        tab(state)


def backward_tabs(state: TerminalState, parameters: Parameters) -> None:
    """CBT."""
    stops = sorted(stop for stop in state.tabs if stop < state.x)
    count = number(parameters)
    state.x = stops[-count] if count <= len(stops) else 0


def set_tab_stop(state: TerminalState) -> None:
    """HTS."""
    state.set_tabs(state.tabs | {state.x})


def clear_tab_stop(state: TerminalState, parameters: Parameters) -> None:
    """TBC: 0 the one here, 3 all."""
    which = parameters[0] if parameters else 0
    if which == 0:
        state.set_tabs(state.tabs - {state.x})
    elif which == 3:  # noqa: PLR2004 (TBC 3)
        state.set_tabs(set())
