"""Which sequence means what: pyte's own table of events, and what it lacks.

A key is everything of a sequence but its numbers: `?h` for `CSI ? 25 h`, ` q` for `CSI 2 SP q`.
"""

from __future__ import annotations

from collections.abc import Callable

import pyte
from pyte import escape

from overmind_core.terminal import cursor, draw, edit, replies, switches
from overmind_core.terminal.charsets import SLOTS
from overmind_core.terminal.events import Bell
from overmind_core.terminal.state import State

Sequence = Callable[[State, cursor.Parameters], None]
Simple = Callable[[State], None]


def _repeat(state: State, parameters: cursor.Parameters) -> None:
    """REP."""
    draw.repeat(state, cursor.number(parameters))


def _bell(state: State) -> None:
    state.tell(Bell())


def _nothing(state: State) -> None:
    del state


_EVENTS: dict[str, Sequence] = {
    "insert_characters": edit.insert_characters,
    "cursor_up": cursor.cursor_up,
    "cursor_down": cursor.cursor_down,
    "cursor_forward": cursor.cursor_forward,
    "cursor_back": cursor.cursor_back,
    "cursor_down1": cursor.cursor_down1,
    "cursor_up1": cursor.cursor_up1,
    "cursor_to_column": cursor.cursor_to_column,
    "cursor_position": cursor.cursor_position,
    "erase_in_display": edit.erase_in_display,
    "erase_in_line": edit.erase_in_line,
    "insert_lines": edit.insert_lines,
    "delete_lines": edit.delete_lines,
    "delete_characters": edit.delete_characters,
    "erase_characters": edit.erase_characters,
    "report_device_attributes": replies.report_device_attributes,
    "cursor_to_line": cursor.cursor_to_line,
    "clear_tab_stop": cursor.clear_tab_stop,
    "set_mode": switches.set_mode,
    "reset_mode": switches.reset_mode,
    "report_device_status": replies.report_device_status,
    "set_margins": cursor.set_margins,
}
_SIMPLE_EVENTS: dict[str, Simple] = {
    "bell": _bell,
    "backspace": cursor.backspace,
    "tab": cursor.tab,
    "linefeed": cursor.linefeed,
    "carriage_return": cursor.carriage_return,
    "shift_out": lambda state: switches.shift(state, 1),
    "shift_in": lambda state: switches.shift(state, 0),
    "reset": switches.reset,
    "index": cursor.index,
    "reverse_index": cursor.reverse_index,
    "set_tab_stop": cursor.set_tab_stop,
    "save_cursor": switches.save_cursor,
    "restore_cursor": switches.restore_cursor,
    "alignment_display": edit.alignment_display,
}

SEQUENCES: dict[str, Sequence] = {
    **{final: _EVENTS[event] for final, event in pyte.Stream.csi.items() if event in _EVENTS},
    "`": cursor.cursor_to_column,  # pyte has HPA under another letter
    "e": cursor.cursor_to_relative_line,  # and stops VPR at the margins
    "b": _repeat,
    "I": cursor.forward_tabs,
    "Z": cursor.backward_tabs,
    "S": edit.scroll_up,
    "T": edit.scroll_down,
    "s": switches.save_cursor_alone,
    "u": switches.restore_cursor_alone,
    "t": replies.window,
    "?J": edit.erase_in_display,
    "?K": edit.erase_in_line,
    "?h": switches.set_private_mode,
    "?l": switches.reset_private_mode,
    "?n": replies.report_private_status,
    "?$p": replies.report_private_mode,
    "$p": replies.report_mode,
    ">c": replies.report_secondary_attributes,
    "!p": switches.soft_reset,
    " q": switches.set_cursor_shape,
}
"""CSI. SGR is no row: the stream handles it at once."""
del SEQUENCES[escape.HPA]  # pyte's letter for HPA; it is none

CONTROLS: dict[str, Simple] = {byte: _SIMPLE_EVENTS[event] for byte, event in pyte.Stream.basic.items()}
"""C0; all others do nothing."""

ESCAPES: dict[str, Simple] = {
    **{final: _SIMPLE_EVENTS[event] for final, event in pyte.Stream.escape.items()},
    **{f"#{final}": _SIMPLE_EVENTS[event] for final, event in pyte.Stream.sharp.items()},
    escape.NEL: cursor.next_line,  # pyte's does not return
    "=": switches.application_keypad,
    ">": switches.normal_keypad,
    "n": lambda state: switches.shift(state, 2),
    "o": lambda state: switches.shift(state, 3),
    "Z": lambda state: replies.report_device_attributes(state, ()),
}
"""ESC and the rest of a sequence that has no numbers; character sets apart."""


def control_code(state: State, code: str) -> None:
    """One C0 control."""
    CONTROLS.get(code, _nothing)(state)


def escape_sequence(state: State, rest: str) -> None:
    """What stands behind ESC, without numbers."""
    if rest[0] in SLOTS and len(rest) > 1:
        switches.define_charset(state, SLOTS.index(rest[0]), rest[1:])
    else:
        ESCAPES.get(rest, _nothing)(state)
