"""Bytes that mean no good: nothing is raised, nothing grows without end, and what follows still works."""

from __future__ import annotations

import random
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.terminal.screen import Screen
from tests.kit import torture
from tests.kit.terminal_streams import streams, tokens

MEGABYTE = 1 << 20
FLOODS = [
    b"\x1b]0;" + b"x" * MEGABYTE,
    b"\x1bP" + b"x" * MEGABYTE,
    b"\x1b_" + b"\xff" * MEGABYTE,
    b"\x1b[" + b"1;" * (MEGABYTE // 2),
    b"\x1b[" + b"9" * MEGABYTE + b"A",
    b"\x1b[" + b"1;" * 500 + b"m",
    b"\x1b[" + b"38:2:" * 60 + b"m",
    b"\x1b[99999999999999999999999999999A",
    b"\x1b" * (MEGABYTE // 64),
    b"\x1b[" * (MEGABYTE // 64),
    b"\x1b[1\x07" * (MEGABYTE // 64),
    b"\x1b(" * (MEGABYTE // 64),
    b"a" + "\u0301".encode() * (MEGABYTE // 8),
    b"\x1b[999999b" * 50 + b"a\x1b[999999b" * 50,
    b"\x1b[4h" + b"ab" * 20_000,
    b"\x1b7\x1b[?1049h\x1b[?1049l" * 2000,
    b"\n" * 20_000,
    b"\xf0\x9f\x91" * 10_000,
    b"\x1b]8;;http://" + b"y" * 5000 + b"\x07",
    bytes(range(256)) * 200,
]


@pytest.mark.parametrize("data", FLOODS, ids=[ascii(data[:12]) + str(len(data)) for data in FLOODS])
@pytest.mark.parametrize("size", [MEGABYTE * 2, 4096])
def test_a_flood_is_survived_and_leaves_little_behind(data, size):
    screen = Screen(80, 24, scrollback=1000)
    screen.feed(b"\x1b[31mbefore")
    tracemalloc.start()
    for start in range(0, len(data), size):
        screen.feed(data[start : start + size])
    left = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    screen.feed(b"\x18\x1bcafter")
    assert left < 3 * MEGABYTE
    assert screen.line(0) == "after"
    assert screen.faults == []


def test_a_string_without_an_end_is_cut_and_forgotten():
    screen = Screen(20, 4)
    told: list[Any] = []
    screen.on_event = told.append
    for _ in range(4):
        screen.feed(b"\x1b]0;" + b"x" * MEGABYTE)
    screen.feed(b"y\x07\x1b]0;short\x07ok")
    assert [event.title for event in told if event.title != "x" * 4096] == ["short"]
    assert screen.line(0) == "ok"


@pytest.mark.parametrize("seed", range(6))
def test_random_bytes_and_sizes_never_raise(seed):
    chance = random.Random(seed)
    pieces = [
        b"\x1b[",
        b"\x1b]",
        b"\x1bP",
        b"\x07",
        b"\x1b\\",
        b";",
        b"?",
        b"h",
        b"m",
        b"\xe6\x97\xa5",
        b"\xcc\x81",
        b"\r\n",
    ]
    screen = Screen(20, 6, scrollback=50)
    for _ in range(400):
        raw = b"".join(chance.choice(pieces) if chance.random() < 0.5 else chance.randbytes(3) for _ in range(60))
        screen.feed(raw)
        if chance.random() < 0.1:
            screen.resize(chance.randint(1, 40), chance.randint(1, 12))
        screen.take_dirty()
    screen.redraw()
    screen.text(ansi=True)
    assert screen.faults == []
    assert len(screen.scrollback) <= 50


LOOKED = ("\x1b[31m", "\x1b[m", "\x1b[42m", "\x1b[1m")
_lines = st.lists(
    st.lists(st.sampled_from(["ab", "word", "x" * 9, "  ", *LOOKED]), max_size=5).map("".join), min_size=9, max_size=60
).map(lambda lines: "\r\n" + "\r\n".join(lines) + "\r\n")  # fmt: skip


@settings(max_examples=torture.examples(150), deadline=None)
@given(st.lists(streams | _lines, max_size=3).map("".join), st.sampled_from([(8, 4), (20, 6), (1, 1), (12, 30)]))
def test_what_is_taken_in_bulk_is_the_same_byte_by_byte(text, size):
    data = text.encode()
    whole, single = Screen(*size), Screen(*size)
    whole.feed(data)
    for byte in data:
        single.feed(bytes((byte,)))
    assert whole.faults == single.faults == []
    assert _everything(whole) == _everything(single)


@settings(max_examples=torture.examples(150), deadline=None)
@given(st.lists(tokens, max_size=20).map("".join), st.data())
def test_cuts_inside_of_sequences_and_characters_change_nothing(text, data):
    raw = text.encode()
    cut = data.draw(st.integers(0, len(raw)))
    whole, halves = Screen(8, 4), Screen(8, 4)
    whole.feed(raw)
    halves.feed(raw[:cut])
    halves.feed(b"")
    halves.feed(raw[cut:])
    assert _everything(whole) == _everything(halves)


def _everything(screen: Screen) -> tuple[object, ...]:
    kept = screen.scrollback
    old = [(kept.text(index), kept.wrapped(index), kept.runs(index)) for index in range(len(kept))]
    seen = [(screen.runs(y), screen.wrapped(y)) for y in range(screen.rows)]
    return old, seen, screen.cursor, screen._state.pending_wrap, screen._state.style, screen.modes.private
