"""Modes as those who draw and send keys ask for them."""

from __future__ import annotations

from overmind_core.terminal.modes import Modes
from overmind_core.terminal.screen import Screen
from tests.kit.cases import tabled

NAMED = [
    (b"\x1b[?1h", "application_cursor", True),
    (b"\x1b=", "application_keypad", True),
    (b"\x1b=\x1b>", "application_keypad", False),
    (b"\x1b[?66h", "application_keypad", True),
    (b"\x1b[?2004h", "bracketed_paste", True),
    (b"\x1b[?1000h", "mouse", 1000),
    (b"\x1b[?1000h\x1b[?1003h", "mouse", 1003),
    (b"\x1b[?1000h\x1b[?1002h\x1b[?1000l", "mouse", 0),
    (b"\x1b[?9h", "mouse", 9),
    (b"\x1b[?1006;1000h", "mouse_sgr", True),
    (b"\x1b[?1006h\x1b[?1015h", "mouse_encoding", 1015),
    (b"\x1b[?1006h\x1b[?1005l", "mouse_encoding", 1006),
    (b"\x1b[?1004h", "focus_events", True),
    (b"\x1b[?2026h", "synchronized", True),
    (b"\x1b[?2026h\x1b[?2026l", "synchronized", False),
    (b"", "wraparound", True),
    (b"\x1b[?7l", "wraparound", False),
    (b"\x1b[?6h", "origin", True),
    (b"\x1b[?5h", "reverse_video", True),
    (b"\x1b[?25l", "cursor_visible", False),
    (b"\x1b[?67h", "backspace_deletes", False),
    (b"\x1b[?1007h", "alternate_scroll", True),
    (b"\x1b[4h", "insert", True),
    (b"\x1b[20h", "new_line", True),
    (b"\x1b[?47h", "alternate", True),
    (b"\x1b[?1049h\x1b[?47l", "alternate", False),
    (b"\x1b[?1;25;2004h\x1bc", "private", frozenset((7, 25))),
    (b"\x1b[?1;6h\x1b[?7l\x1b=\x1b[4h\x1b[!p", "private", frozenset((7, 25))),
    (b"\x1b[?31337h", "private", frozenset((7, 25, 31337))),
]


@tabled(("data", "name", "value"), NAMED)
def test_a_mode_is_told_by_its_name(data, name, value):
    screen = Screen(8, 4)
    screen.feed(data)
    assert getattr(screen.modes, name) == value


def test_the_memory_for_modes_that_nobody_knows_is_bounded():
    modes = Modes()
    for number in range(5000, 9000):
        modes.set_private(number, on=True)
    assert len(modes.private) <= 64
