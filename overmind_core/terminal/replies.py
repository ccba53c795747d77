"""Answers to what a program asks its terminal. It is a VT220 with colours, and bears nobody's name.

Not answered on purpose: the terminal's name (XTVERSION), the kitty keyboard protocol and graphics, reads of the
clipboard: an answer would promise more than is there, or give away what is private.
"""

from __future__ import annotations

from overmind_core.terminal import modes
from overmind_core.terminal.cursor import Parameters
from overmind_core.terminal.sgr import parameters_of
from overmind_core.terminal.state import State

PRIMARY = b"\x1b[?62;22c"
"""VT220 with ANSI colours."""
SECONDARY = b"\x1b[>1;10;0c"
"""VT220, firmware version 1.0, no keyboard."""
_STATUS, _POSITION = 5, 6
_SIZE, _SCREEN_SIZE, _PUSH_TITLE, _POP_TITLE = 18, 19, 22, 23
_ICON_ONLY = 1
_TITLES_LIMIT = 10
_SET, _RESET, _UNKNOWN = 1, 2, 0


def report_device_attributes(state: State, parameters: Parameters) -> None:
    """DA1."""
    if not any(parameters):
        state.replies.append(PRIMARY)


def report_secondary_attributes(state: State, parameters: Parameters) -> None:
    """DA2."""
    if not any(parameters):
        state.replies.append(SECONDARY)


def report_device_status(state: State, parameters: Parameters) -> None:
    """DSR 5 (in order) and 6 (where the cursor is)."""
    if parameters == (_STATUS,):
        state.replies.append(b"\x1b[0n")
    elif parameters == (_POSITION,):
        state.replies.append(b"\x1b[%sR" % _position(state))


def report_private_status(state: State, parameters: Parameters) -> None:
    """DECXCPR."""
    if parameters == (_POSITION,):
        state.replies.append(b"\x1b[?%sR" % _position(state))


def report_mode(state: State, parameters: Parameters) -> None:
    """DECRQM of an ANSI mode."""
    mode = parameters[0] if parameters else 0
    on = state.modes.insert if mode == modes.INSERT else state.modes.new_line
    state.replies.append(b"\x1b[%d;%d$y" % (mode, _value(on=on) if mode in modes.KNOWN_ANSI else _UNKNOWN))


def report_private_mode(state: State, parameters: Parameters) -> None:
    """DECRQM of a private mode."""
    mode = parameters[0] if parameters else 0
    on = state.modes.alternate if mode in modes.ALTERNATE_SCREENS else mode in state.modes.private
    state.replies.append(b"\x1b[?%d;%d$y" % (mode, _value(on=on) if mode in modes.KNOWN else _UNKNOWN))


def window(state: State, parameters: Parameters) -> None:
    """XTWINOPS: the size in cells, and a stack of titles; a program moves no window here."""
    which = parameters[0] if parameters else 0
    if which in {_SIZE, _SCREEN_SIZE}:
        state.replies.append(b"\x1b[%d;%d;%dt" % (which - 10, state.height, state.columns))
    elif len(parameters) > 1 and parameters[1] == _ICON_ONLY:
        return
    elif which == _PUSH_TITLE:
        state.titles = [*state.titles, state.title][-_TITLES_LIMIT:]
    elif which == _POP_TITLE and state.titles:
        state.set_title(state.titles.pop())


def report_setting(state: State, setting: str) -> None:
    """DECRQSS: the look, the margins and the cursor's shape; anything else is none."""
    answers = {
        "m": lambda: f"{parameters_of(state.style)}m",
        "r": lambda: f"{state.top + 1};{state.bottom + 1}r",
        " q": lambda: f"{state.cursor_shape} q",
    }
    value = answers.get(setting)
    state.replies.append(f"\x1bP{1 if value else 0}$r{value() if value else ''}\x1b\\".encode())


def report_colour(state: State, code: str) -> None:
    """OSC 10, 11, 12 with a question mark, when the terminal's own colours are known."""
    if state.colours:
        shares = state.colours[int(code) - 10]
        value = "/".join(f"{share:02x}{share:02x}" for share in shares)
        state.replies.append(f"\x1b]{code};rgb:{value}\x1b\\".encode())


def _position(state: State) -> bytes:
    top = state.top if state.modes.origin else 0
    return b"%d;%d" % (state.y - top + 1, state.x + 1)


def _value(*, on: bool) -> int:
    return _SET if on else _RESET
