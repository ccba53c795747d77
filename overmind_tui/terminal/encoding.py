"""What a person does, as the bytes that the program in the terminal expects by the modes that it has set. Pure."""

from __future__ import annotations

import re

from overmind_core.terminal import keys
from overmind_core.terminal.modes import Modes
from overmind_tui.terminal.tap import Kind, Part

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
        case Kind.TYPED:
            return _CURSOR.sub(b"\x1bO\\1", part.data) if modes.application_cursor else part.data
        case Kind.PASTED:
            return part.data
        case Kind.PASTE_BEGINS | Kind.PASTE_ENDS:
            return part.data if modes.bracketed_paste else b""
        case Kind.OURS if part.data in {_GAINED, _LOST}:
            return keys.focus(modes, gained=part.data == _GAINED)
    return b""


def key(name: str, character: str | None, modes: Modes) -> bytes:
    """The bytes for a key by its name here; none for a key that no terminal knows."""
    if character is not None:
        return character.encode()
    before, plus, last = name.rpartition("+")
    try:
        return keys.encode(f"{before}{plus}{_NAMES.get(last, last)}", modes)
    except keys.UnknownKey:
        return b""
