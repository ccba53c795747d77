"""Masks in tails: no value is left, and everything else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.swarm.masks import MASK, masked, masked_tail


@pytest.mark.parametrize(
    ("data", "values", "expected"),
    [
        (b"token=hunter2;", [b"hunter2"], b"token=***;"),
        (b"hunter2hunter2", [b"hunter2"], b"***"),
        (b"abcdef", [b"abcd", b"cdef"], b"***"),
        (b"aaaa", [b"aa"], b"***"),
        (b"key: BEGIN\r\nline\r\nEND.", [b"BEGIN\nline\nEND."], b"key: ***\r\n***\r\n***"),
        (b"plain", [b"", b" ", b"***"], b"plain"),
        (b"x hunter2\n", [b"hunter2\n"], b"x ***\n"),
        (b"xsecretcret", [b"secret", b"***cret"], b"x***"),
    ],
)
def test_values_are_masked(data, values, expected):
    assert masked(data, values) == expected


def test_a_tail_that_begins_within_a_value_shows_no_end_of_it():
    assert masked(b"ter2 and more", [b"hunter2"], is_cut=True) == MASK + b" and more"
    assert masked(b"ter2 and more", [b"hunter2"]) == b"ter2 and more"
    assert masked_tail(b"x" * 100 + b"hunter2", [b"hunter2"], 5) == b"xx***"
    assert masked_tail(b"abc", [], 0) == b""


SMALL = st.lists(st.sampled_from([b"a", b"b", b"*", b"\n"]), max_size=12).map(b"".join)


@given(SMALL, st.lists(SMALL, max_size=4), st.booleans())
def test_no_value_is_left_and_all_else_is(data, values, is_cut):
    left = masked(data, values, is_cut=is_cut)
    assert not [value for value in values if value.strip().strip(b"*") and value.strip() in left]
    if not any(value.strip().strip(b"*") for value in values):
        assert left == data
