"""Whole lines out of a byte stream, however it was cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.wire.framing import TOO_LONG, LineBuffer
from tests.kit.cases import tabled

LIMIT = 8


def feed_all(pieces, limit=LIMIT):
    buffer = LineBuffer(limit)
    return [line for piece in pieces for line in buffer.feed(piece)]


@tabled(
    ("pieces", "lines"),
    [
        ([], []),
        ([b""], []),
        ([b"a"], []),
        ([b"a\n"], [b"a"]),
        ([b"a", b"b", b"\n"], [b"ab"]),
        ([b"\n\n"], [b"", b""]),
        ([b"a\nb\nc"], [b"a", b"b"]),
        ([b"12345678\n"], [b"12345678"]),
        ([b"123456789\nok\n"], [TOO_LONG, b"ok"]),
        ([b"1234", b"56789", b"still it", b"\nok\n"], [TOO_LONG, b"ok"]),
        ([b"a\r\n"], [b"a\r"]),
        ([b"\xff\x00\n"], [b"\xff\x00"]),
    ],
)
def test_lines_come_out_whole(pieces, lines):
    assert feed_all(pieces) == lines


def test_an_endless_line_is_reported_once_and_held_no_longer():
    buffer = LineBuffer(LIMIT)
    assert buffer.feed(b"x" * 100) == [TOO_LONG]
    assert buffer.feed(b"x" * 100) == []
    assert buffer.size == 0


def test_an_unfinished_line_counts_up_to_the_limit():
    buffer = LineBuffer(LIMIT)
    buffer.feed(b"abc")
    assert buffer.size == 3


@given(st.lists(st.binary(max_size=12)), st.integers(0, 10))
def test_any_cut_gives_what_a_split_at_newlines_gives(pieces, limit):
    whole = b"".join(pieces).split(b"\n")
    expected = [line if len(line) <= limit else TOO_LONG for line in whole[:-1]]
    expected += [TOO_LONG] if len(whole[-1]) > limit else []
    assert feed_all(pieces, limit) == expected


@given(st.lists(st.binary(max_size=40)))
def test_never_more_than_the_limit_is_held(pieces):
    buffer = LineBuffer(LIMIT)
    for piece in pieces:
        buffer.feed(piece)
        assert buffer.size <= LIMIT
