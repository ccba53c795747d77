"""The frames of a live stream."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.wire import keeper

FRAMES = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=64)))


def cut(data, sizes):
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


@given(FRAMES, st.lists(st.integers(1, 20)))
def test_frames_survive_any_cut(frames, sizes):
    sent = b"".join(keeper.frame(kind, payload) for kind, payload in frames)
    decoder = keeper.FrameDecoder()
    assert [frame for piece in cut(sent, sizes) for frame in decoder.feed(piece)] == frames


@given(st.binary(max_size=200))
def test_garbage_is_frames_or_a_frame_error(data):
    with contextlib.suppress(keeper.FrameError):
        keeper.FrameDecoder().feed(data)


def test_the_layout_is_the_documented_one():
    assert keeper.data_frame(b"hi") == b"\x01\x00\x00\x00\x02hi"
    assert keeper.resize_frame(80, 24) == b"\x02\x00\x00\x00\x04\x00\x50\x00\x18"
    assert keeper.exit_frame(-9) == b"\x03\x00\x00\x00\x04" + struct.pack(">i", -9)
    assert keeper.offset_frame(1) == b"\x04\x00\x00\x00\x08" + struct.pack(">Q", 1)


@pytest.mark.parametrize(
    ("made", "parse", "value"),
    [
        (keeper.resize_frame(132, 50), keeper.parse_resize, (132, 50)),
        (keeper.exit_frame(-15), keeper.parse_exit, -15),
        (keeper.offset_frame(1 << 40), keeper.parse_offset, 1 << 40),
    ],
)
def test_what_was_packed_is_parsed(made, parse, value):
    ((_, payload),) = keeper.FrameDecoder().feed(made)
    assert parse(payload) == value
    with pytest.raises(keeper.FrameError):
        parse(payload + b"x")


def test_a_length_over_the_limit_is_refused_before_it_is_waited_for():
    with pytest.raises(keeper.FrameError):
        keeper.FrameDecoder().feed(struct.pack(">BI", 1, keeper.FRAME_LIMIT + 1))
