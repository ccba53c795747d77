"""Another size: lines stay lines, the cursor stays where it was in them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.terminal.screen import Screen
from tests.kit import torture
from tests.kit.cases import tabled
from tests.kit.terminal_streams import streams


def resized(data: bytes, *sizes: tuple[int, int], size: tuple[int, int] = (8, 4)) -> Screen:
    screen = Screen(*size)
    screen.feed(data)
    for each in sizes:
        screen.resize(*each)
    assert screen.faults == []
    return screen


def everything(screen: Screen) -> list[str]:
    kept = screen.scrollback
    return [kept.text(index) for index in range(len(kept))] + screen.lines()


CASES = [
    ("a wrapped line is one line when it fits", b"abcdefghij", [(20, 4)], ["abcdefghij", "", "", ""], (10, 0)),
    ("a long line wraps", b"abcdefgh", [(5, 4)], ["abcde", "fgh", "", ""], (3, 1)),
    ("a space at the end of a wrapped row stays", b"abcdefg hij", [(20, 4)], ["abcdefg hij", "", "", ""], (11, 0)),
    ("a filler before a wide character is none", "abcdefg日".encode(), [(20, 4)], ["abcdefg日", "", "", ""], (9, 0)),
    ("a wide character is not cut", "abc日".encode(), [(4, 4)], ["abc", "日", "", ""], (2, 1)),
    ("there and back", b"one two\r\nthree", [(4, 4), (3, 4), (8, 4)], ["one two", "three", "", ""], (5, 1)),
    ("the text under the cursor stays", b"abcdef\x1b[1;3H", [(2, 4)], ["ab", "cd", "ef", ""], (0, 1)),
    ("a pending wrap ends in a wider row", b"abcdefgh", [(10, 4)], ["abcdefgh", "", "", ""], (8, 0)),
    ("blank rows below go first", b"a\r\nb", [(8, 2)], ["a", "b"], (1, 1)),
    ("rows at the top go next", b"a\r\nb\r\nc", [(8, 2)], ["b", "c"], (1, 1)),
    ("and come back", b"a\r\nb\r\nc", [(8, 2), (8, 4)], ["a", "b", "c", ""], (1, 2)),
    ("nothing comes back after a clear", b"\n\n\n\n\x1b[2J\x1b[H$", [(8, 6)], ["$"] + [""] * 5, (1, 0)),
    ("the alternate screen is cut", b"\x1b[?1049habcdefgh", [(4, 4)], ["abcd", "", "", ""], (3, 0)),
    ("and padded", b"\x1b[?1049habcdefgh", [(4, 4), (8, 5)], ["abcd", "", "", "", ""], (3, 0)),
    ("but its cursor's row stays", b"\x1b[?1049h\x1b[4;1Hd", [(8, 2)], ["", "d"], (1, 1)),
]  # fmt: skip


@tabled(("data", "sizes", "lines", "cursor"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_a_resize(data, sizes, lines, cursor):
    screen = resized(data, *sizes)
    assert screen.lines() == lines
    assert (screen.cursor.x, screen.cursor.y) == cursor


def test_the_primary_screen_is_wrapped_anew_behind_the_alternate_one():
    screen = resized(b"abcdefghij\x1b[?1049hvim", (5, 4))
    screen.feed(b"\x1b[?1049l!")
    assert screen.lines() == ["abcde", "fghij", "!", ""]


def test_the_scrollback_is_wrapped_anew_with_its_looks():
    screen = resized(b"abc\x1b[31mdefghij\x1b[m\r\nx\r\ny\r\nz\r\n\r\n", (20, 4))
    assert everything(screen)[:3] == ["abcdefghij", "x", "y"]
    assert [text for text, _ in screen.scrollback.runs(0)] == ["abc", "defghij"]
    screen.resize(4, 4)
    assert everything(screen)[:4] == ["abcd", "efgh", "ij", "x"]
    assert screen.scrollback.wrapped(0)
    assert not screen.scrollback.wrapped(2)


def test_a_line_that_began_in_the_scrollback_stays_one_line():
    screen = resized(b"abcdefgh" * 6, (16, 4))
    assert everything(screen)[:3] == ["abcdefghabcdefgh"] * 3


def test_margins_end_and_tab_stops_go_on_over_the_new_columns():
    screen = resized(b"\x1b[2;3r\x1b[3g\x1b[1;4H\x1bH", (40, 6))
    screen.feed(b"\x1b[6;1H\n\x1b[1;1H\tx\ty")
    assert screen.line(0) == "   x    y"


_sizes = st.tuples(st.integers(1, 30), st.integers(1, 12))


@settings(max_examples=torture.examples(200), deadline=None)
@given(st.lists(st.tuples(streams, _sizes), max_size=5))
def test_any_sizes_between_any_output_leave_a_whole_screen(steps):
    screen = Screen(8, 4)
    for text, size in steps:
        screen.feed(text.encode())
        screen.resize(*size)
        everything(screen)
        state = screen._state
        assert (len(state.rows), len(state.other_rows)) == (size[1], size[1])
        for row in (*state.rows, *state.other_rows):
            assert len(row.cells) == len(row.styles) == size[0]
        assert 0 <= screen.cursor.x < size[0]
        assert 0 <= screen.cursor.y < size[1]
    assert screen.faults == []


@settings(max_examples=torture.examples(200), deadline=None)
@given(st.text(alphabet="ab 日\r\n", max_size=80), st.lists(_sizes, max_size=4))
def test_no_text_is_lost_on_the_way_through_other_sizes(text, sizes):
    screen = Screen(30, 12)
    screen.feed(text.encode())
    before = "".join(everything(screen)).replace(" ", "")
    for columns, rows in sizes:
        screen.resize(max(columns, 2), rows)
    assert "".join(everything(screen)).replace(" ", "") == before
