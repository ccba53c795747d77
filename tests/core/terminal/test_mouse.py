"""The mouse as the bytes that a program asked for."""

from __future__ import annotations

from overmind_core.terminal.input_encoding import MouseAction, MouseButton, MouseEvent, encode_mouse
from overmind_core.terminal.screen import Screen
from tests.kit.cases import tabled

PRESS = MouseEvent(MouseAction.PRESS, MouseButton.LEFT, 2, 3)
RELEASE = MouseEvent(MouseAction.RELEASE, MouseButton.RIGHT, 2, 3)
DRAG = MouseEvent(MouseAction.MOVE, MouseButton.LEFT, 2, 3)
MOVE = MouseEvent(MouseAction.MOVE, MouseButton.NONE, 2, 3)
WHEEL = MouseEvent(MouseAction.PRESS, MouseButton.WHEEL_DOWN, 2, 3)
HELD = MouseEvent(MouseAction.PRESS, MouseButton.LEFT, 2, 3, shift=True, alt=True, ctrl=True)
FAR = MouseEvent(MouseAction.PRESS, MouseButton.LEFT, 300, 3)

CASES = [
    ("", PRESS, b""),
    ("9", PRESS, b"\x1b[M #$"),
    ("9", RELEASE, b""),
    ("9", HELD, b"\x1b[M #$"),
    ("9", WHEEL, b""),
    ("1000", PRESS, b"\x1b[M #$"),
    ("1000", RELEASE, b"\x1b[M##$"),
    ("1000", DRAG, b""),
    ("1000", WHEEL, b"\x1b[Ma#$"),
    ("1000", HELD, b"\x1b[M<#$"),
    ("1000", FAR, b""),
    ("1002", DRAG, b"\x1b[M@#$"),
    ("1002", MOVE, b""),
    ("1003", MOVE, b"\x1b[MC#$"),
    ("1000;1006", PRESS, b"\x1b[<0;3;4M"),
    ("1000;1006", RELEASE, b"\x1b[<2;3;4m"),
    ("1000;1006", FAR, b"\x1b[<0;301;4M"),
    ("1000;1006", WHEEL, b"\x1b[<65;3;4M"),
    ("1000;1006", MouseEvent(MouseAction.RELEASE, MouseButton.WHEEL_UP, 0, 0), b""),
    ("1000;1006", MouseEvent(MouseAction.PRESS, MouseButton.NONE, 0, 0), b""),
    ("1003;1006", MOVE, b"\x1b[<35;3;4M"),
    ("1002;1006", DRAG, b"\x1b[<32;3;4M"),
    ("1000;1006", HELD, b"\x1b[<28;3;4M"),
    ("1000;1015", PRESS, b"\x1b[32;3;4M"),
    ("1000;1015", RELEASE, b"\x1b[35;3;4M"),
    ("1000;1005", FAR, "\x1b[M \u014d$".encode()),
    ("1000;1005", MouseEvent(MouseAction.PRESS, MouseButton.LEFT, 3000, 3), b""),
]


@tabled(("modes", "event", "data"), CASES)
def test_an_event_is_told_as_the_program_asked_for_it(modes, event, data):
    screen = Screen(8, 4)
    screen.feed(f"\x1b[?{modes}h".encode())
    assert encode_mouse(event, screen.modes) == data
