"""What has to be undone on a terminal that a program was shown on."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.cli.attach.local_terminal import TerminalRestore

ENTERED = {
    "1049": b"\x1b[?1049h",
    "1047": b"\x1b[?1047h",
    "47": b"\x1b[?47h",
    "among others": b"\x1b[?1;1049;2004h",
    "twice": b"\x1b[?1049h\x1b[?1049h",
}
LEFT = {
    "by its mode": b"\x1b[?1049h\x1b[?1049l",
    "by another mode": b"\x1b[?1049h\x1b[?1047l",
    "by a reset": b"\x1b[?1049h\x1bc",
    "never entered": b"\x1b[1049h ?1049h \x1b[?25l",
}


def undo(data):
    leftovers = TerminalRestore()
    leftovers.observe(data)
    return leftovers.undo()


@pytest.mark.parametrize("data", ENTERED.values(), ids=ENTERED)
def test_the_alternate_screen_is_left(data):
    assert b"47l" in undo(data) or b"1049l" in undo(data)


@pytest.mark.parametrize("data", LEFT.values(), ids=LEFT)
def test_the_primary_screen_is_not_left(data):
    assert b"49l" not in undo(data)


@pytest.mark.parametrize(
    ("data", "popped"),
    [(b"\x1b[>1u", b"\x1b[<1u"), (b"\x1b[>1u\x1b[>3;1u", b"\x1b[<2u"), (b"\x1b[>1u\x1b[<u", b""), (b"\x1b[<9u", b"")],
)
def test_keyboard_flags_are_popped_as_often_as_they_were_pushed(data, popped):
    assert undo(data).startswith(popped)
    assert (b"\x1b[<" in undo(data)) == bool(popped)


@given(st.lists(st.integers(0, 100)))
def test_cuts_hide_nothing(places):
    data = b"text\x1b[?1;1049;25h more \x1b[>1u\x1b[31mred"
    leftovers = TerminalRestore()
    edges = [0, *sorted(place % len(data) for place in places), len(data)]
    for start, end in pairwise(edges):
        leftovers.observe(data[start:end])
    assert leftovers.undo() == undo(data)


@given(st.lists(st.binary()))
def test_no_bytes_make_it_fail(pieces):
    leftovers = TerminalRestore()
    for piece in pieces:
        leftovers.observe(piece)
    assert leftovers.undo()


def test_what_is_undone_is_undone_once():
    leftovers = TerminalRestore()
    leftovers.observe(b"\x1b[?1049h\x1b[>1u")
    leftovers.undo()
    assert leftovers.undo() == TerminalRestore().undo()
