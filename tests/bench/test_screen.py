"""States of a screen that measurements wait for: programs send them in pieces, which are cut anywhere."""

from __future__ import annotations

import os

import pytest

from bench import paint
from bench.screen import Cursor, has_line, has_text, has_typed, screen
from overmind_core.terminal.screen import Screen

MARK, PLAIN = "\x1b[48;2;{};{};{}m".format(*paint.cursor_colour()), "\x1b[0m"
ROWS = ("calm-ridge", "dusky-lichen", "indigo-cove")
NAMES = {*ROWS, "quick-glade"}


def row(y: int, *, marked: bool, name: str | None = None) -> str:
    """A row of a list as the program draws it: its state before its name."""
    ground, edge = (MARK, "▌") if marked else (PLAIN, " ")
    return f"\x1b[{y + 1};1H{ground}{edge} ▶ \x1b[{y + 1};20Hworking\x1b[{y + 1};6H{name or ROWS[y]:<14}"


def list_with_cursor(y: int) -> Screen:
    shown = Screen(40, 6)
    for other in range(len(ROWS)):
        shown.feed(row(other, marked=other == y).encode())
    return shown


def states_of(shown: Screen, state, text: str) -> list[object]:
    """What the state is after each byte of what follows."""
    found = []
    for byte in text.encode():
        shown.feed(bytes([byte]))
        found.append(state(shown))
    return found


@pytest.mark.parametrize(
    ("state", "before", "after"),
    [
        (has_text("10 running"), "10 runn", "ing──"),
        (has_text("10 running"), "10     ing", "\x1b[1;4Hrunn"),
        (has_line("count 1"), "  count 0", "\x1b[1;9H1"),
        (has_typed("λ"), "ready", "λ"),
        (has_typed("λ"), "." * 39, "λ"),
        (has_typed("λ"), "." * 38, "λ"),
    ],
)
def test_a_state_is_met_by_what_is_shown_and_not_by_what_was_sent_at_once(state, before, after):
    shown = Screen(40, 6)
    shown.feed(before.encode())
    assert state(shown) is None
    *_, last = states_of(shown, state, after)
    assert last is True


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (has_line("count 1"), "count 10"),
        (has_text("running"), "\x1b]0;10 running\x07"),
        (has_typed("λ"), "λμ"),
        (has_typed("λ"), "λ\x1b[3;1H"),
    ],
)
def test_a_state_is_not_met_by_something_like_it(state, text):
    shown = Screen(40, 6)
    shown.feed(text.encode())
    assert state(shown) is None


@pytest.mark.parametrize(
    ("key", "pieces"),
    [
        ("j", [row(1, marked=False), row(2, marked=True)]),
        ("k", [row(0, marked=True), row(1, marked=False)]),
        ("j at the end of what is seen", [row(1, marked=True, name="quick-glade")]),
    ],
)
def test_a_cursor_has_moved_once_all_of_its_row_is_painted(key, pieces):
    shown, cursor = list_with_cursor(1), Cursor(paint.cursor_colour(), NAMES)
    settled = cursor.settle(shown)
    assert settled is not None
    assert settled.name == "dusky-lichen"
    moments = []
    for byte in "".join(pieces).encode():
        shown.feed(bytes([byte]))
        if cursor.find_moved(shown) is not None:
            moments.append(shown.text(ansi=True))
    assert moments == [shown.text(ansi=True)], key


def test_a_row_drawn_again_has_not_moved():
    shown, cursor = list_with_cursor(1), Cursor(paint.cursor_colour(), NAMES)
    cursor.settle(shown)
    assert not any(states_of(shown, cursor.find_moved, row(1, marked=True) + row(2, marked=False)))


def test_a_screen_without_a_cursor_does_not_settle():
    assert Cursor(paint.cursor_colour(), NAMES).settle(list_with_cursor(-1)) is None


@pytest.fixture
def program():
    with screen(["sh", "-c", "stty raw -echo; printf ready; exec cat"], {"PATH": os.environ["PATH"]}) as shown:
        shown.until(has_text("ready"))
        yield shown


def test_a_state_has_the_moment_of_the_piece_that_led_to_it(program, monkeypatch):
    pieces = [(1.0, b"a"), (2.0, b"b"), (3.0, b"c")]
    monkeypatch.setattr(program, "_pieces", lambda _patience: pieces)
    assert program.until(has_text("ab")) == (2.0, True)
    assert program.shown.line(0) == "readyabc"


def test_a_key_is_answered_by_what_it_puts_on_the_screen(program):
    for letter in "λμλ":
        assert program.answer(letter.encode(), has_typed(letter))[1]
    assert program.shown.line(0) == "readyλμλ"


def test_a_state_that_was_there_before_the_key_is_no_answer(program):
    program.answer(b"a", has_typed("a"))
    with pytest.raises(RuntimeError, match="before b'a'"):
        program.answer(b"a", has_typed("a"))


def test_a_state_that_does_not_come_is_an_error_that_shows_the_screen(program, monkeypatch):
    monkeypatch.setattr("bench.screen.PATIENCE", 0.0)
    with pytest.raises(TimeoutError, match="ready"):
        program.until(has_text("never"))
