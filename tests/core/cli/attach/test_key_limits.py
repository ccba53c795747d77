"""Keys on their way to a mission: each half of what holds them back, and how long that may last."""

from __future__ import annotations

import pytest

from overmind_core.cli.attach import keys
from overmind_core.cli.attach.keys import HELD_LIMIT, PASTE_BEGINS, PASTE_ENDS, KeyFilter
from overmind_core.client.detach_keys import DEFAULT_KEY

HALF_PASTE = PASTE_BEGINS[:3]


@pytest.fixture
def typing():
    return KeyFilter([DEFAULT_KEY])


STATES = {
    # what was typed, whether it ticked: whether nothing is held, whether a plain letter is plain
    "nothing": (b"", False, True, True),
    "a letter": (b"a", False, True, True),
    "half a sequence": (b"\x1b[", False, False, False),
    "a whole sequence": (b"\x1b[A", False, True, True),
    "within a paste": (PASTE_BEGINS + b"x", False, False, False),
    "half the end of a paste": (PASTE_BEGINS + PASTE_ENDS[:2], False, False, False),
    "after a paste": (PASTE_BEGINS + b"x" + PASTE_ENDS, False, True, True),
    "a lone Esc that was passed on": (b"\x1b", True, False, False),
    "the beginning of a report that was passed on": (b"\x1b]11;rgb", True, True, True),
}


@pytest.mark.parametrize("name", STATES)
def test_what_is_held_keeps_letters_behind_it(typing, name):
    typed, ticks, holds_nothing, is_plain = STATES[name]
    typing.feed(typed)
    if ticks:
        typing.tick()
    assert (typing.holds_nothing, typing.is_plain(b"a")) == (holds_nothing, is_plain)


def test_a_sequence_that_was_passed_on_does_not_wait_again(typing):
    typing.feed(b"\x1b")
    assert typing.timeout is not None
    assert (typing.tick(), typing.timeout, typing.tick()) == (b"\x1b", None, b"")


def test_a_lone_esc_is_not_waited_for_as_long_as_a_person_notices():
    assert 0.01 <= keys.ESC_SECONDS <= 0.05
    assert keys.ESC_SECONDS < keys.REPORT_SECONDS <= 0.5


def test_a_letter_behind_a_lone_esc_is_a_key_of_its_own(typing):
    typing.feed(b"\x1b")
    typing.tick()
    assert typing.feed(b"a") == b"a"
    assert typing.holds_nothing


def test_a_key_that_leaves_behind_a_lone_esc_still_leaves(typing):
    typing.feed(b"\x1b")
    typing.tick()
    assert (typing.feed(b"[92;5u"), typing.left) == (b"", True)


def test_after_a_key_that_leaves_nothing_more_arrives(typing):
    assert typing.feed(b"a" + bytes([DEFAULT_KEY.byte]) + b"b") == b"a"
    assert (typing.left, typing.timeout) == (True, None)


def test_a_report_that_never_ends_is_passed_on_once_it_is_too_long():
    typing = KeyFilter([DEFAULT_KEY])
    report = b"\x1b]52;c;" + b"A" * (HELD_LIMIT - 8)
    assert len(report) == HELD_LIMIT - 1
    assert typing.feed(report) == b""
    assert typing.feed(b"A") == report + b"A"
    assert typing.holds_nothing


def test_a_terminal_may_send_a_large_clipboard_in_one_piece():
    assert HELD_LIMIT >= 1 << 20


def test_the_end_of_a_paste_that_is_cut_is_held_with_nothing_before_it(typing):
    assert typing.feed(PASTE_BEGINS + b"text" + PASTE_ENDS[:3]) == PASTE_BEGINS + b"text"
    assert typing.feed(PASTE_ENDS[3:] + b"a") == PASTE_ENDS + b"a"
    assert typing.holds_nothing


def test_no_key_leaves_from_within_a_paste_and_the_first_behind_it_does(typing):
    leaves = bytes([DEFAULT_KEY.byte])
    assert (typing.feed(PASTE_BEGINS + leaves), typing.left) == (PASTE_BEGINS + leaves, False)
    assert (typing.feed(PASTE_ENDS + leaves), typing.left) == (PASTE_ENDS, True)
