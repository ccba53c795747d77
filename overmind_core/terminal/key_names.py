"""Keys by the names that people write on a command line: those of tmux.

Source: tmux(1), "KEY BINDINGS".
"""

from __future__ import annotations

from overmind_core.terminal.input_encoding import UnknownKey, encode_key
from overmind_core.terminal.modes import Modes

NAMES = {
    "Enter": "enter", "Escape": "escape", "Tab": "tab", "BTab": "shift+tab", "Space": "space", "BSpace": "backspace",
    "Up": "up", "Down": "down", "Left": "left", "Right": "right", "Home": "home", "End": "end",
    "PageUp": "pageup", "PgUp": "pageup", "PPage": "pageup", "PageDown": "pagedown", "PgDn": "pagedown",
    "NPage": "pagedown", "Insert": "insert", "IC": "insert", "Delete": "delete", "DC": "delete",
    **{f"F{number}": f"f{number}" for number in range(1, 21)},
}  # fmt: skip
"""The name → what `encode_key` calls it."""
_MODIFIERS = {"C": "ctrl", "M": "alt", "S": "shift"}
_BY_LOWER = {name.lower(): key for name, key in NAMES.items()}


def key_bytes(name: str, modes: Modes) -> bytes:
    """The bytes of a key: a name of `NAMES`, in upper or lower case, or one character, behind `C-`, `M-` or `S-`.

    Raises:
        UnknownKey: it is none.
    """
    held = []
    rest = name
    while len(rest) > len("C-") and rest[1] == "-" and rest[0] in _MODIFIERS:
        held.append(_MODIFIERS[rest[0]])
        rest = rest[2:]
    key = rest if len(rest) == 1 else _BY_LOWER.get(rest.lower())
    if key is None or not key.isprintable():
        raise UnknownKey(name)
    return encode_key("+".join((*held, key)), modes)
