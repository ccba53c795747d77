r"""Keys, pastes and the mouse as the bytes that the program in a mission's terminal expects by its modes. Pure.

Also which keys leave a terminal here: ctrl-\, those of `[attach]`, and those of `[tui]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from textual import events

from overmind_core.client import detach_keys as client_detach_keys
from overmind_core.client.detach_keys import DEFAULT_KEY, DetachKey, parse_key
from overmind_core.errors import OvermindError
from overmind_core.terminal import input_encoding
from overmind_core.terminal.input_encoding import MouseAction, MouseButton, MouseEvent
from overmind_core.terminal.modes import Modes
from overmind_tui.terminal.input_tap import Part, PartKind

_CURSOR = re.compile(rb"\x1b\[([A-DFH])")
_GAINED, _LOST = b"\x1b[I", b"\x1b[O"
_NAMES = {
    "backslash": "\\", "right_square_bracket": "]", "left_square_bracket": "[", "circumflex_accent": "^",
    "underscore": "_", "slash": "/", "at": "@", "full_stop": ".", "comma": ",", "minus": "-", "equals_sign": "=",
    "semicolon": ";", "apostrophe": "'", "grave_accent": "`", "question_mark": "?", "return": "enter",
}  # fmt: skip
"""Textual's words for keys that have no name of their own."""


def tapped(part: Part, modes: Modes) -> bytes:
    """The bytes for a part of what the person's terminal sent.

    That terminal sends cursor keys as before any program asked for others, and marks every paste.
    """
    match part.kind:
        case PartKind.TYPED:
            return _CURSOR.sub(b"\x1bO\\1", part.data) if modes.application_cursor else part.data
        case PartKind.PASTED:
            return part.data
        case PartKind.PASTE_BEGINS | PartKind.PASTE_ENDS:
            return part.data if modes.bracketed_paste else b""
        case PartKind.OURS if part.data in {_GAINED, _LOST}:
            return input_encoding.focus(modes, gained=part.data == _GAINED)
    return b""


def key(name: str, character: str | None, modes: Modes) -> bytes:
    """The bytes for a key by its name here; none for a key that no terminal knows."""
    if character is not None:
        return character.encode()
    before, plus, last = name.rpartition("+")
    try:
        return input_encoding.encode_key(f"{before}{plus}{_NAMES.get(last, last)}", modes)
    except input_encoding.UnknownKey:
        return b""


_BUTTONS = {1: MouseButton.LEFT, 2: MouseButton.MIDDLE, 3: MouseButton.RIGHT}
_ACTIONS: dict[type[events.MouseEvent], MouseAction] = {
    events.MouseMove: MouseAction.MOVE,
    events.MouseUp: MouseAction.RELEASE,
}
_WHEEL: dict[type[events.MouseEvent], MouseButton] = {
    events.MouseScrollUp: MouseButton.WHEEL_UP,
    events.MouseScrollDown: MouseButton.WHEEL_DOWN,
}


def pointed(event: events.MouseEvent, column: int, row: int) -> MouseEvent:
    """The same in the terminal, whose cells count from 0."""
    button = _WHEEL.get(type(event)) or _BUTTONS.get(event.button, MouseButton.NONE)
    action = _ACTIONS.get(type(event), MouseAction.PRESS)
    return MouseEvent(action, button, column, row, event.shift, event.meta, event.ctrl)


def detach_keys(config: str, ours: Iterable[str]) -> list[DetachKey]:
    """Those that leave a terminal by now; a mistake in `[attach]` is for `overmind attach` to tell.

    Args:
        config: The path of config.toml.
        ours: Those of `[tui]`.
    """
    try:
        attach = client_detach_keys.detach_keys(config)
    except OvermindError:
        attach = []
    return list(dict.fromkeys([DEFAULT_KEY, *map(parse_key, ours), *attach]))
