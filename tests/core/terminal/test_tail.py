"""A screen from the end of an output is sure only where it is the one that the whole output would have made."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.terminal.cells import DEFAULT, styled
from overmind_core.terminal.screen import Screen, first_safe, scan_modes
from overmind_core.terminal.tail import HeadSettings, TailScreen, look_after
from tests.kit import torture
from tests.kit.cases import tabled
from tests.kit.terminal_streams import streams

COLUMNS, ROWS = 12, 5


def whole(data):
    screen = Screen(COLUMNS, ROWS, scrollback=0)
    screen.feed(data)
    return screen


def seen(screen):
    """All that a person sees; links are left out."""
    return [screen.seen(y, COLUMNS) for y in range(ROWS)], screen.cursor._replace(shape=0)


def of_end(data, cut):
    """The screen of what stands behind a cut, which is moved to where nothing is begun."""
    escape = data.find(b"\x1b", cut)
    cut = escape if escape >= 0 else cut + first_safe(data[cut:])
    head = HeadSettings()
    head.feed(data[:cut])
    modes = scan_modes([data[:cut]])
    tail = TailScreen(
        COLUMNS, ROWS, modes, is_whole=cut == 0, look=head.look, is_sound=cut == 0 or head.is_initial(ROWS)
    )
    tail.feed(data[cut:])
    return tail


PAINT = b"".join(b"\x1b[%d;1H\x1b[K\x1b[3%dmrow %d" % (y, y, y) for y in range(1, ROWS + 1))
LINES = b"".join(b"line %d\r\n" % number for number in range(20))
CASES = [
    ("a screen that is painted whole", b"old" * 9 + b"\x1b[m" + PAINT, 5, True),
    ("a screen that is painted in part", b"old" * 9 + b"\x1b[m" + PAINT[:40], 5, False),
    ("lines that fill the screen", LINES, 60, True),
    ("lines that don't", LINES, len(LINES) - 12, False),
    ("a colour of before", b"\x1b[31m" + LINES, 60, True),
    ("a look that was saved", b"\x1b[31m\x1b7\x1b[m\x1b8" + LINES, 60, False),
    ("margins of before", b"\x1b[2;3r" + LINES, 60, False),
    ("margins of before, that are the whole screen", b"\x1b[1;5r" + LINES, 60, True),
    ("line drawing of before", b"\x1b(0" + LINES, 60, False),
    ("insertion of before", b"\x1b[4h" + LINES, 60, False),
    ("tab stops of before", b"\x1bH" + LINES, 60, False),
    ("all of that, and a reset", b"\x1b[2;3r\x1b(0\x1b[4h\x1b[31m\x1bc" + LINES, 60, True),
    ("the other screen, and what it hides", b"\x1b[?1049h" + PAINT + b"\x1b[?1049l", 9, False),
]  # fmt: skip


@tabled(("what", "data", "cut", "is_sure"), CASES)
def test_it_knows_whether_the_beginning_matters(what, data, cut, is_sure):
    tail = of_end(data, cut)
    assert tail.is_certain() is is_sure, what
    assert not is_sure or seen(tail.screen) == seen(whole(data))


@settings(max_examples=torture.examples(3000), deadline=None)
@given(st.lists(streams, min_size=1, max_size=3), st.integers(0, 200), st.booleans())
def test_what_is_sure_is_what_the_whole_output_shows(pieces, cut, is_painted):
    # Of ASCII: where text wraps before anything says its column, a wide character at the edge can hide that it would.
    data = "".join(pieces).encode("ascii", "ignore") + (b"\x1b[m" + PAINT if is_painted else b"")
    tail = of_end(data, min(cut, len(data)))
    if tail.is_certain():
        assert seen(tail.screen) == seen(whole(data))


@tabled(
    ("before", "look"),
    [
        (b"", DEFAULT),
        (b"\x1b[31mtext", styled(foreground=1)),
        (b"\x1b[31m\x1b[1m\x1b[39m", styled(bold=True)),
        (b"\x1b[1;31m" + b"." * 9000 + b"\x1b[22m", styled(foreground=1)),
        (b"\x1b[1m\x1b[0;31m", styled(foreground=1)),
        (b"\x1b[1m\x1bc", DEFAULT),
        (b"\x1b[1m\x1b[!p\x1b[3m", styled(italic=True)),
        (b"\x1b[1m\x1b8", None),
        (b"\x1b[1m\x1b8\x1b[m", DEFAULT),
    ],
)
def test_the_look_behind_bytes(before, look):
    assert look_after(before, DEFAULT) == look
