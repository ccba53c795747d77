"""Keys, pastes and the mouse as the bytes that a program on this terminal expects, by the modes it has set.

Source: XTerm Control Sequences, "PC-Style Function Keys", "Modifiers" and "Mouse Tracking"; terminfo xterm-256color.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, IntEnum

from overmind_core.terminal.modes import CLICKS, DRAGS, MOTION, MOUSE_SGR, MOUSE_URXVT, MOUSE_UTF8, X10_MOUSE, Modes

MODIFIERS = {"shift": 1, "alt": 2, "ctrl": 4, "super": 8, "meta": 8}
"""Their weights: a sequence carries one more than their sum."""

_CURSOR = {"up": "A", "down": "B", "right": "C", "left": "D", "end": "F", "home": "H"}
_FIRST_FUNCTIONS = {"f1": "P", "f2": "Q", "f3": "R", "f4": "S"}
_NUMBERED = {
    "insert": 2, "delete": 3, "pageup": 5, "pagedown": 6,
    "f5": 15, "f6": 17, "f7": 18, "f8": 19, "f9": 20, "f10": 21, "f11": 23, "f12": 24, "f13": 25, "f14": 26,
    "f15": 28, "f16": 29, "f17": 31, "f18": 32, "f19": 33, "f20": 34,
}  # fmt: skip
_KEYPAD = {
    **{f"kp_{digit}": (str(digit), "pqrstuvwxy"[digit]) for digit in range(10)},
    "kp_enter": ("\r", "M"), "kp_plus": ("+", "k"), "kp_minus": ("-", "m"), "kp_multiply": ("*", "j"),
    "kp_divide": ("/", "o"), "kp_decimal": (".", "n"), "kp_separator": (",", "l"), "kp_equal": ("=", "X"),
}  # fmt: skip
"""The character, and the final byte in application mode."""
_SHIFT, _ALT, _CTRL = 1, 2, 4
# What a terminal sends for Control and a character that is no letter.
_CONTROLS = {" ": "\0", "@": "\0", "2": "\0", "[": "\x1b", "3": "\x1b", "\\": "\x1c", "4": "\x1c", "]": "\x1d",
             "5": "\x1d", "^": "\x1e", "6": "\x1e", "~": "\x1e", "_": "\x1f", "/": "\x1f", "7": "\x1f", "8": "\x7f",
             "?": "\x7f"}  # fmt: skip
_PASTE_BEGIN, _PASTE_END = "\x1b[200~", "\x1b[201~"
_END_INSIDE = re.compile("(?:\x1b\\[|\x9b)201~")


class UnknownKey(ValueError):
    """No key has this name; the caller's mistake."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown key {name!r}")
        self.name = name


def encode_key(key: str, modes: Modes) -> bytes:
    """The bytes of a key: one character, or a name, behind its modifiers: `a`, `ctrl+c`, `shift+up`, `alt+enter`, `f5`.

    Raises:
        UnknownKey: the name or a modifier means nothing.
    """
    name, held = _parsed(key)
    if name in _CURSOR:
        return _letter(_CURSOR[name], held, application=modes.application_cursor)
    if name in _FIRST_FUNCTIONS:
        return _letter(_FIRST_FUNCTIONS[name], held, application=True)
    if name in _NUMBERED:
        return b"\x1b[%d;%d~" % (_NUMBERED[name], held + 1) if held else b"\x1b[%d~" % _NUMBERED[name]
    if name in _KEYPAD:
        character, final = _KEYPAD[name]
        return _letter(final, held, application=True) if modes.application_keypad else _typed(character, held)
    return _simple(name, held, modes)


def paste(text: str, modes: Modes) -> bytes:
    """Pasted text: line ends as Enter sends them, marked when the program asks for that; no end mark inside."""
    text = text.replace("\r\n", "\r").replace("\n", "\r")
    if modes.bracketed_paste:
        while _END_INSIDE.search(text):
            text = _END_INSIDE.sub("", text)
        text = f"{_PASTE_BEGIN}{text}{_PASTE_END}"
    return text.encode("utf-8", "replace")


def focus(modes: Modes, *, gained: bool) -> bytes:
    """The bytes of a gained or lost focus; none unless the program asked for them."""
    if not modes.focus_events:
        return b""
    return b"\x1b[I" if gained else b"\x1b[O"


def _parsed(key: str) -> tuple[str, int]:
    """The name and the sum of its modifiers. A plus is a key too: `ctrl++`."""
    before, name = (key[:-1], "+") if key.endswith("+") else _cut_last(key)
    words = before.removesuffix("+").split("+") if before else []
    if (before and not before.endswith("+")) or not all(word in MODIFIERS for word in words):
        raise UnknownKey(key)
    held = 0
    for word in words:
        held |= MODIFIERS[word]
    return name, held


def _cut_last(key: str) -> tuple[str, str]:
    """The modifiers with the plus after them, and the name."""
    before, plus, name = key.rpartition("+")
    return before + plus, name


def _letter(final: str, held: int, *, application: bool) -> bytes:
    if held:
        return f"\x1b[1;{held + 1}{final}".encode()
    return f"\x1b{'O' if application else '['}{final}".encode()


def _simple(name: str, held: int, modes: Modes) -> bytes:
    """Keys that send characters."""
    if name == "tab" and held & _SHIFT:
        return _typed("\x1b[Z", held & _ALT)
    if name == "backspace":
        deletes = modes.backspace_deletes is not bool(held & _CTRL)
        return _typed("\x7f" if deletes else "\b", held & _ALT)
    if name == "enter":
        return _typed("\r\n" if modes.new_line else "\r", held & _ALT)
    if name in {"tab", "escape"}:
        return _typed("\t" if name == "tab" else "\x1b", held & _ALT)
    if name == "space":
        name = " "
    if len(name) != 1:
        raise UnknownKey(name)
    return _typed(name, held)


def _typed(character: str, held: int) -> bytes:
    if held & _SHIFT and len(character) == 1:
        character = character.upper()
    if held & _CTRL:
        character = _controlled(character)
    return (("\x1b" if held & _ALT else "") + character).encode("utf-8", "replace")


def _controlled(character: str) -> str:
    if character.isascii() and character.isalpha():
        return chr(ord(character) & 0x1F)
    return _CONTROLS.get(character, character)


class MouseButton(IntEnum):
    """Buttons by their codes; the wheel's are pressed and never released."""

    LEFT = 0
    MIDDLE = 1
    RIGHT = 2
    NONE = 3
    WHEEL_UP = 64
    WHEEL_DOWN = 65
    WHEEL_LEFT = 66
    WHEEL_RIGHT = 67


class MouseAction(Enum):
    """What happened."""

    PRESS = "press"
    RELEASE = "release"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class MouseEvent:
    """One thing that the mouse did over the cell `x`, `y` (from 0); `button` is the one held while it moves."""

    action: MouseAction
    button: MouseButton
    x: int
    y: int
    shift: bool = False
    alt: bool = False
    ctrl: bool = False


_MOUSE_SHIFT, _MOUSE_ALT, _MOUSE_CTRL, _MOUSE_MOVING = 4, 8, 16, 32
_OFFSET = 32
"""Added to everything in the forms before SGR."""
_LAST_BYTE, _LAST_UTF8 = 255, 2047
_WANTED = {
    X10_MOUSE: frozenset((MouseAction.PRESS,)),
    CLICKS: frozenset((MouseAction.PRESS, MouseAction.RELEASE)),
    DRAGS: frozenset(MouseAction),
    MOTION: frozenset(MouseAction),
}


def encode_mouse(event: MouseEvent, modes: Modes) -> bytes:
    """The bytes for an event; none when the program didn't ask for it, or its form has no room for the position."""
    wanted = _WANTED.get(modes.mouse, frozenset())
    if event.action not in wanted or not _is_reported(event, modes.mouse):
        return b""
    code = _code(event, with_modifiers=modes.mouse != X10_MOUSE)
    if modes.mouse_encoding == MOUSE_SGR:
        final = "m" if event.action is MouseAction.RELEASE else "M"
        return f"\x1b[<{code};{event.x + 1};{event.y + 1}{final}".encode()
    if event.action is MouseAction.RELEASE:
        code |= MouseButton.NONE
    if modes.mouse_encoding == MOUSE_URXVT:
        return f"\x1b[{code + _OFFSET};{event.x + 1};{event.y + 1}M".encode()
    return _packed(
        [code + _OFFSET, event.x + 1 + _OFFSET, event.y + 1 + _OFFSET], utf8=modes.mouse_encoding == MOUSE_UTF8
    )


def _is_reported(event: MouseEvent, mode: int) -> bool:
    """Movement without a button only in mode 1003; the wheel is never released; X10 knows three buttons."""
    if event.action is MouseAction.MOVE:
        return mode == MOTION or event.button is not MouseButton.NONE
    if event.action is MouseAction.RELEASE:
        return event.button < MouseButton.WHEEL_UP
    return event.button is not MouseButton.NONE and (mode != X10_MOUSE or event.button < MouseButton.NONE)


def _code(event: MouseEvent, *, with_modifiers: bool) -> int:
    code = int(event.button) + _MOUSE_MOVING * (event.action is MouseAction.MOVE)
    if with_modifiers:
        code += _MOUSE_SHIFT * event.shift + _MOUSE_ALT * event.alt + _MOUSE_CTRL * event.ctrl
    return code


def _packed(values: list[int], *, utf8: bool) -> bytes:
    if max(values) > (_LAST_UTF8 if utf8 else _LAST_BYTE):
        return b""
    return b"\x1b[M" + ("".join(map(chr, values)).encode() if utf8 else bytes(values))
