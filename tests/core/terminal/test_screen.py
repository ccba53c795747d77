"""The screen as those who use it see it."""

from __future__ import annotations

import pytest

from overmind_core.terminal.cells import DEFAULT, styled
from overmind_core.terminal.screen import Cursor, Screen
from tests.kit.cases import tabled


def screen_with(data: bytes, columns: int = 20, rows: int = 4) -> Screen:
    screen = Screen(columns, rows)
    screen.feed(data)
    assert screen.faults == []
    return screen


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (5000, 5), (-1, 1)])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(ValueError, match="columns and rows"):
        Screen(*size)
    with pytest.raises(ValueError, match="columns and rows"):
        Screen(8, 4).resize(*size)


def test_runs_cover_the_row_and_neighbours_of_one_style_are_one_run():
    screen = screen_with(b"ab\x1b[1mcd\x1b[1mef\x1b[m g", columns=10)
    assert screen.runs(0) == [("ab", DEFAULT), ("cdef", styled(bold=True)), (" g  ", DEFAULT)]
    assert screen.line(0) == "abcdef g"
    assert screen.lines() == ["abcdef g", "", "", ""]


def test_the_cursor_tells_where_and_how_it_is_shown():
    screen = screen_with(b"ab\r\ncd\x1b[?25l\x1b[4 q")
    assert screen.cursor == Cursor(2, 1, visible=False, shape=4)


def test_only_rows_that_changed_are_dirty():
    screen = screen_with(b"a\r\nb\r\nc")
    assert screen.take_dirty() == {0, 1, 2, 3}
    assert screen.take_dirty() == set()
    screen.feed(b"\x1b[2;1Hx\x1b[4;1H\x1b[K")
    assert screen.take_dirty() == {1, 3}
    screen.feed(b"\n")
    assert screen.take_dirty() == {0, 1, 2, 3}
    screen.feed(b"\x1b[2;3r\x1b[3;1H\n")
    assert screen.take_dirty() == {1, 2}


@tabled(
    ("data", "first"),
    [
        (b"\xe6\x97\xa5\x1b[1;1Hx", "x"),
        ("👨\u200d👩".encode(), "👨\u200d👩"),
        ("❤\ufe0f!".encode(), "❤\ufe0f!"),
        (b"\xff\xfe ok", "\ufffd\ufffd ok"),
        ("a\u202eb\u2066c".encode(), "abc"),
        ("a\x9b31mb".encode(), "a31mb"),
        (b"\x1b(0lqk\x1b(Bx", "┌─┐x"),
        (b"\x1b(0h_a", "␤ ▒"),
        (b"\x1b(A#\x1b(B#", "£#"),
        (b"\x0e\x1b)0q\x0fq", "─q"),
        (b"a\x1b[5b", "aaaaaa"),
        (b"a\x1bcb", "b"),
        (b"ab\x1b[4hX\x1b[1GY", "YabX"),
        (b"\x1b]8;;http://a/\x1b\\link\x1b]8;;\x1b\\.", "link."),
        (b"\x1bPq#0~~\x1b\\after", "after"),
        (b"\x1b_Gi=1;AAAA\x1b\\after", "after"),
        (b"\x1b[>4;2m\x1b[>1u\x1b[<u\x1b[=1;1u\x1b[?4mx", "x"),
    ],
)
def test_text_arrives_and_sequences_do_not(data, first):
    assert screen_with(data).line(0) == first


def test_a_cell_takes_a_few_marks_only():
    screen = screen_with(("a" + "\u0301" * 1000).encode())
    assert len(screen.line(0)) == 16


def test_rows_that_leave_the_primary_screen_are_kept_with_their_looks():
    screen = screen_with(b"\x1b[31mone\x1b[m x\r\ntwo\r\n" + b"3\r\n4\r\n5\r\n", columns=8)
    assert [screen.scrollback.text(index) for index in range(len(screen.scrollback))] == ["one x", "two"]
    assert screen.scrollback.runs(0)[:2] == [("one", styled(foreground=1)), (" x", DEFAULT)]
    assert screen.scrollback.text(-1) == "two"
    with pytest.raises(IndexError):
        screen.scrollback.text(2)


def test_the_alternate_screen_leaves_no_scrollback_and_the_primary_one_comes_back():
    screen = screen_with(b"shell\x1b[?1049h" + b"x\r\n" * 50)
    assert screen.modes.alternate
    assert len(screen.scrollback) == 0
    screen.feed(b"\x1b[?1049l$")
    assert screen.lines()[0] == "shell$"
    assert not screen.modes.alternate


def test_the_scrollback_has_a_limit_and_counts_what_it_lost():
    screen = Screen(8, 2, scrollback=3)
    screen.feed(b"".join(b"%d\r\n" % number for number in range(10)))
    assert [screen.scrollback.text(index) for index in range(3)] == ["6", "7", "8"]
    assert screen.scrollback.dropped == 6
    screen.feed(b"\x1b[3J")
    assert len(screen.scrollback) == 0


def test_text_is_all_rows_and_with_colours_each_row_stands_alone():
    screen = screen_with(b"a\x1b[1;31mb\x1b[44m \x1b[m\r\nc \x1b]8;;http://x/\x07d\x1b]8;;\x07", columns=6, rows=3)
    assert screen.text() == "ab\nc d\n"
    assert screen.text(ansi=True) == (
        "a\x1b[0;1;31mb\x1b[0;1;31;44m \x1b[0m\nc \x1b]8;;http://x/\x1b\\d\x1b]8;;\x1b\\\n"
    )


def test_a_handler_that_fails_costs_one_token(monkeypatch):
    from overmind_core.terminal import parser

    def fail(*_):
        raise RuntimeError("a mistake")

    monkeypatch.setitem(parser.SEQUENCES, "A", fail)
    screen = Screen(20, 2)
    screen.feed(b"before\x1b[Aafter\x1b[A!")
    assert screen.line(0) == "beforeafter!"
    assert len(screen.faults) == 2


def test_who_listens_may_use_the_screen_and_may_fail():
    screen = Screen(20, 2)
    screen.on_reply = lambda data: screen.feed(b"answered " + data.replace(b"\x1b", b"^"))
    screen.feed(b"\x1b[5n")
    assert screen.line(0) == "answered ^[0n"

    def fail(_: bytes) -> None:
        raise OSError("closed")

    screen.on_reply = fail
    with pytest.raises(OSError, match="closed"):
        screen.feed(b"\x1b[5n\x1b[Hmore")
    assert screen.line(0).startswith("more")


def test_a_part_of_a_row_is_seen_with_its_look_and_without_its_link():
    screen = Screen(8, 2)
    screen.feed("\x1b]8;;http://x/\x1b\\\x1b[1;31mab日x".encode())
    assert screen.seen(0, 8) == "\x1b[0;1;31mab日x\x1b[0m"
    assert screen.seen(0, 3) == "\x1b[0;1;31mab \x1b[0m"  # half a character is a blank
    assert screen.seen(0, 2, colours=False) == "\x1b[0;1mab\x1b[0m"
    assert screen.line(0) == "ab日x"


def test_a_copy_goes_its_own_way_also_amid_a_sequence():
    screen = Screen(8, 2, scrollback=0)
    screen.feed(b"one\x1b[3")
    twin = screen.copy()
    assert twin.is_same(screen)
    twin.feed(b"1mtwo")
    assert (screen.line(0), twin.line(0)) == ("one", "onetwo")
    assert not twin.shows_same(screen)
    screen.feed(b"1mtwo")
    assert twin.is_same(screen)
    screen.feed(b"\x1b[?7l")
    assert twin.shows_same(screen)
    assert not twin.is_same(screen)
