"""What a late viewer is sent of the rows above the screen."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.terminal.screen import Screen
from tests.kit import torture
from tests.kit.terminal_streams import streams

PLENTY = 1 << 20


def sent(screen: Screen, most: int = PLENTY) -> Screen:
    """A fresh terminal that was sent the history and the screen."""
    fresh = Screen(screen.columns, screen.rows)
    fresh.feed(screen.history(most) + screen.redraw())
    assert fresh.faults == []
    return fresh


def above(screen: Screen) -> list[str]:
    return [screen.scrollback.text(at) for at in range(len(screen.scrollback))]


def rows(screen: Screen) -> list[object]:
    return [screen.runs(y) for y in range(screen.rows)]


@settings(max_examples=torture.examples(200), deadline=None)
@given(streams, st.sampled_from([(8, 4), (20, 6), (2, 3), (9, 1)]))
def test_the_rows_above_the_screen_come_over_and_the_screen_is_the_same(stream, size):
    screen = Screen(*size)
    screen.feed(b"".join(b"line %d\r\n" % number for number in range(9)) + stream.encode())
    fresh = sent(screen)
    assert rows(fresh) == rows(screen)
    assert (fresh.cursor, fresh.modes.private) == (screen.cursor, screen.modes.private)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 40])
@pytest.mark.parametrize("columns", [8, 80])
def test_plain_rows_and_their_colours(count, columns):
    screen = Screen(columns, 4)
    screen.feed(b"".join(b"\x1b[3%dmrow %d\x1b[m %s\r\n" % (number % 8, number, b"x" * 9) for number in range(count)))
    fresh = sent(screen)
    assert above(fresh) == above(screen)
    looks = [[screen.scrollback.runs(at) for at in range(len(screen.scrollback))] for screen in (screen, fresh)]
    assert [[run for run in line if run[0].strip()] for line in looks[0]] == [
        [run for run in line if run[0].strip()] for line in looks[1]
    ]


def test_a_line_that_was_wrapped_stays_one_line():
    screen = Screen(8, 2)
    screen.feed(b"abcdefghijkl\r\n" + b"\r\n" * 4)
    fresh = sent(screen)
    assert [fresh.scrollback.wrapped(at) for at in range(2)] == [True, False]


def test_only_the_newest_rows_fit():
    screen = Screen(80, 4)
    screen.feed(b"".join(b"row %d\r\n" % number for number in range(5000)))
    data = screen.history(4096)
    assert len(data) <= 4096
    fresh = sent(screen, 4096)
    assert above(fresh)[-1] == above(screen)[-1]
    assert 50 < len(fresh.scrollback) < 300


def test_a_full_screen_program_hides_it_and_what_was_above_is_there_afterwards():
    screen = Screen(20, 4)
    screen.feed(b"".join(b"row %d\r\n" % number for number in range(9)) + b"\x1b[?1049h\x1b[Hfull")
    fresh = sent(screen)
    assert "full" in fresh.text()
    assert above(fresh) == above(screen)
    fresh.feed(b"\x1b[?1049l")
    screen.feed(b"\x1b[?1049l")
    assert fresh.text() == screen.text()
