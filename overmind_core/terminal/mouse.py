"""The mouse as the bytes that a program asked for: what it wants to know, and in which form.

Source: XTerm Control Sequences, "Mouse Tracking".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from overmind_core.terminal.modes import CLICKS, DRAGS, MOTION, MOUSE_SGR, MOUSE_URXVT, MOUSE_UTF8, X10_MOUSE, Modes


class Button(IntEnum):
    """Buttons by their codes; the wheel's are pressed and never released."""

    LEFT = 0
    MIDDLE = 1
    RIGHT = 2
    NONE = 3
    WHEEL_UP = 64
    WHEEL_DOWN = 65
    WHEEL_LEFT = 66
    WHEEL_RIGHT = 67


class Action(Enum):
    """What happened."""

    PRESS = "press"
    RELEASE = "release"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class MouseEvent:
    """One thing that the mouse did over the cell `x`, `y` (from 0); `button` is the one held while it moves."""

    action: Action
    button: Button
    x: int
    y: int
    shift: bool = False
    alt: bool = False
    ctrl: bool = False


_SHIFT, _ALT, _CTRL, _MOVING = 4, 8, 16, 32
_OFFSET = 32
"""Added to everything in the forms before SGR."""
_LAST_BYTE, _LAST_UTF8 = 255, 2047
_WANTED = {
    X10_MOUSE: frozenset((Action.PRESS,)),
    CLICKS: frozenset((Action.PRESS, Action.RELEASE)),
    DRAGS: frozenset(Action),
    MOTION: frozenset(Action),
}


def encode(event: MouseEvent, modes: Modes) -> bytes:
    """The bytes for an event; none when the program didn't ask for it, or its form has no room for the position."""
    wanted = _WANTED.get(modes.mouse, frozenset())
    if event.action not in wanted or not _is_reported(event, modes.mouse):
        return b""
    code = _code(event, with_modifiers=modes.mouse != X10_MOUSE)
    if modes.mouse_encoding == MOUSE_SGR:
        final = "m" if event.action is Action.RELEASE else "M"
        return f"\x1b[<{code};{event.x + 1};{event.y + 1}{final}".encode()
    if event.action is Action.RELEASE:
        code |= Button.NONE
    if modes.mouse_encoding == MOUSE_URXVT:
        return f"\x1b[{code + _OFFSET};{event.x + 1};{event.y + 1}M".encode()
    return _packed(
        [code + _OFFSET, event.x + 1 + _OFFSET, event.y + 1 + _OFFSET], utf8=modes.mouse_encoding == MOUSE_UTF8
    )


def _is_reported(event: MouseEvent, mode: int) -> bool:
    """Movement without a button only in mode 1003; the wheel is never released; X10 knows three buttons."""
    if event.action is Action.MOVE:
        return mode == MOTION or event.button is not Button.NONE
    if event.action is Action.RELEASE:
        return event.button < Button.WHEEL_UP
    return event.button is not Button.NONE and (mode != X10_MOUSE or event.button < Button.NONE)


def _code(event: MouseEvent, *, with_modifiers: bool) -> int:
    code = int(event.button) + _MOVING * (event.action is Action.MOVE)
    if with_modifiers:
        code += _SHIFT * event.shift + _ALT * event.alt + _CTRL * event.ctrl
    return code


def _packed(values: list[int], *, utf8: bool) -> bytes:
    if max(values) > (_LAST_UTF8 if utf8 else _LAST_BYTE):
        return b""
    return b"\x1b[M" + ("".join(map(chr, values)).encode() if utf8 else bytes(values))
