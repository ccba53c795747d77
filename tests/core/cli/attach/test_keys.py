"""What is typed, and the key to leave in it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.cli.attach.keys import ESC_SECONDS, PASTE_BEGINS, PASTE_ENDS, REPORT_SECONDS, KeyFilter
from overmind_core.client.detach_keys import DEFAULT_KEY, DetachKey
from tests.kit.cases import tabled

KEYS = (DEFAULT_KEY, DetachKey(ord("q")))
LEAVES = [b"\x1c", b"\x11", b"\x1b[92;5u", b"\x1b[92:124:92;5:1u", b"\x1b[27;5;92~", b"\x1b[113;5u"]
INNOCENT = [
    b"hello", "ça 😀".encode(), b"\x1b[A", b"\x1bOP", b"\x1b[<0;10;20M", b"\x1bx", b"\x1b\x1b", b"\x03",
    b"\x1b[92;5:3u", b"\x1b]11;rgb:0/0/0\x1b\\", b"\x1bP>|xterm(379)\x1b\\", b"\x1b[?62;22c", b"\x1b]", b"\x1bP",
    b"\x1b_", b"\r",
    PASTE_BEGINS + b"a\x1cb\x1b[92;5u\x11\n\x1b[20" + PASTE_ENDS,
]  # fmt: skip


def cut(data, places):
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@pytest.fixture
def typing():
    return KeyFilter(KEYS)


@tabled("key", LEAVES)
def test_a_key_leaves_however_it_is_cut(key):
    for at in range(len(key)):
        typing = KeyFilter(KEYS)
        assert (typing.feed(b"a" + key[:at]), typing.left) == (b"a", False)
        assert (typing.feed(key[at:] + b"rest"), typing.left) == (b"", True)


@tabled("key", LEAVES)
def test_a_key_leaves_even_when_its_rest_comes_late(key):
    for at in range(len(key)):
        typing = KeyFilter(KEYS)
        typing.feed(key[:at])
        typing.tick()
        assert (typing.feed(key[at:]), typing.left) == (b"", True)


@given(st.lists(st.sampled_from(INNOCENT)), st.lists(st.integers(0, 1000)), st.booleans())
def test_everything_else_arrives_as_it_is_however_it_is_cut(pieces, places, late):
    data = b"".join(pieces)
    typing = KeyFilter(KEYS)
    arrived = b""
    for part in cut(data, places):
        arrived += typing.feed(part)
        arrived += typing.tick() if late and part else b""
    assert (arrived + typing.tick(), typing.left) == (data, False)


@given(st.binary(), st.lists(st.integers(0, 1000)))
def test_what_arrives_is_the_beginning_of_what_was_typed(data, places):
    typing = KeyFilter(KEYS)
    arrived = b"".join(typing.feed(part) + typing.tick() for part in cut(data, places) if not typing.left)
    assert data.startswith(arrived)
    assert typing.left or arrived == data


@given(st.lists(st.sampled_from(INNOCENT)), st.sampled_from(LEAVES), st.lists(st.integers(0, 1000)))
def test_the_key_is_found_behind_anything(pieces, key, places):
    before = b"".join(pieces) + b"."
    typing = KeyFilter(KEYS)
    arrived = b"".join(typing.feed(part) for part in cut(before + key + b"rest", places) if not typing.left)
    assert (arrived, typing.left) == (before, True)


def test_esc_alone_waits_a_moment_only(typing):
    assert (typing.feed(b"\x1b"), typing.timeout) == (b"", ESC_SECONDS)
    assert (typing.tick(), typing.timeout) == (b"\x1b", None)
    assert (typing.feed(b"]0;x"), typing.timeout) == (b"]0;x", None)


def test_what_only_a_terminal_sends_may_take_longer(typing):
    typing.feed(b"\x1b]11;rgb:")
    assert typing.timeout == REPORT_SECONDS
    assert typing.feed(b"0/0/0\x07") == b"\x1b]11;rgb:0/0/0\x07"


def test_a_report_is_passed_on_in_one_piece(typing):
    assert typing.feed(b"x\x1b[?62;2") == b"x"
    assert typing.feed(b"2c") == b"\x1b[?62;22c"


def test_a_paste_may_pause_anywhere(typing):
    for part in (b"\x1b", b"[200~a\x1c\x1b[20", b"1~"):
        typing.feed(part)
        typing.tick()
    assert not typing.left
    typing.feed(b"\x1c")
    assert typing.left


def test_a_paste_that_is_cut_in_its_end_is_not_held_for_long(typing):
    assert (typing.feed(PASTE_BEGINS + b"a\x1b[2"), typing.timeout) == (PASTE_BEGINS + b"a", ESC_SECONDS)


def test_a_paste_is_one_also_when_each_byte_comes_late():
    typing = KeyFilter(KEYS)
    arrived = b""
    for byte in PASTE_BEGINS + b"\x1c" + PASTE_ENDS:
        arrived += typing.feed(bytes([byte])) + typing.feed(b"") + typing.tick()
    assert (arrived, typing.left) == (PASTE_BEGINS + b"\x1c" + PASTE_ENDS, False)


@given(
    before=st.lists(st.sampled_from([*INNOCENT, PASTE_BEGINS, PASTE_ENDS, b"\x1b", b"\x1b["]) | st.binary(max_size=3)),
    data=st.sampled_from([*INNOCENT, *LEAVES]) | st.binary(max_size=8),
)
def test_plain_keys_are_passed_on_as_they_are_and_nothing_is_held(before, data):
    typing = KeyFilter(KEYS)
    for one in before:
        typing.feed(one)
    if not typing.left and typing.is_plain(data):
        assert (typing.feed(data), typing.left, typing.timeout) == (data, False, None)


def test_letters_are_plain_and_an_escape_and_a_key_that_leaves_are_not(typing):
    assert all(typing.is_plain(data) for data in (b"a", "ç😀".encode(), b"\x03", b"\r"))
    assert not any(typing.is_plain(data) for data in (b"\x1b", b"a\x1b[A", b"\x1c", b"\x11"))
    typing.feed(b"\x1b[")
    assert not typing.is_plain(b"a")
    typing.feed(b"A" + PASTE_BEGINS)
    assert not typing.is_plain(b"a")
