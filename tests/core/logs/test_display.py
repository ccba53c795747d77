"""Both streams and the annotations of a run, as lines in their order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.logs.display import NOTE, Note, RunDisplay
from overmind_core.logs.layout import ERR, OUT

KILLED = "--- timed out: no activity for 5s ---"


def shown(notes: list[Note], *chunks: tuple[int, bytes]) -> list[str]:
    display = RunDisplay(notes)
    position = {OUT: 0, ERR: 0}
    found = []
    for number, (stream, data) in enumerate(chunks):
        found += list(display.feed((float(number), stream, position[stream], data)))
        position[stream] += len(data)
    return [text for _, _, text in [*found, *display.finish()]]


PLACES = [
    ("before everything", (0, 0), ["note", "one", "two", "three"]),
    ("between lines", (4, 0), ["one", "note", "two", "three"]),
    ("in the middle of a line", (5, 0), ["one", "two", "note", "three"]),
    ("at the end", (13, 0), ["one", "two", "three", "note"]),
    ("behind the end", (99, 0), ["one", "two", "three", "note"]),
]


@pytest.mark.parametrize(("case", "offsets", "expected"), PLACES)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_an_annotation_stands_at_its_place(case: str, offsets: tuple[int, int], expected: list[str], size: int) -> None:
    data = b"one\ntwo\nthree"
    chunks = [(OUT, data[at : at + size]) for at in range(0, len(data), size)]
    assert shown([(0.0, offsets, "note")], *chunks) == expected


def test_an_annotation_waits_for_both_streams() -> None:
    assert shown([(0.0, (2, 2), "note")], (OUT, b"a\nb\n"), (ERR, b"x\ny\n")) == ["a", "b", "x", "note", "y"]


def test_annotations_keep_their_order_and_their_lines() -> None:
    notes: list[Note] = [(0.0, (2, 0), KILLED), (0.0, (2, 0), "[human] two\nlines\x1b[31m")]
    assert shown(notes, (OUT, b"a\nb\n")) == ["a", KILLED, "[human] two", "lines\\x1b[31m", "b"]


def test_an_annotation_that_comes_late_is_shown_at_once() -> None:
    display = RunDisplay()
    assert [text for *_, text in display.feed((1.0, OUT, 0, b"a\nb\n"))] == ["a", "b"]
    display.annotate((2.0, (2, 0), "note"))
    assert list(display.due()) == [(2.0, NOTE, "note")]


def test_streams_do_not_mix_within_a_line() -> None:
    assert shown([], (OUT, b"on"), (ERR, b"err\n"), (OUT, b"e\n")) == ["err", "one"]


def test_a_line_has_the_time_of_its_beginning() -> None:
    display = RunDisplay()
    lines = [
        *display.feed((1.0, OUT, 0, b"a")),
        *display.feed((2.0, OUT, 1, b"b\nc\nd")),
        *display.feed((3.0, OUT, 6, b"\n")),
    ]
    assert lines == [(1.0, OUT, "ab"), (2.0, OUT, "c"), (2.0, OUT, "d")]


def test_annotations_are_faint_on_a_terminal() -> None:
    display = RunDisplay([(0.0, (0, 0), "note")], colour=True)
    assert [text for *_, text in display.finish()] == ["\x1b[2mnote\x1b[0m"]


CHUNKS = st.lists(
    st.tuples(st.sampled_from([OUT, ERR]), st.sampled_from([b"a", b"b\n", b"c\r", b"\n", b"d\ne"])), max_size=20
)
NOTES = st.lists(
    st.tuples(st.just(0.0), st.tuples(st.integers(0, 20), st.integers(0, 20)), st.sampled_from(["n", "m"])), max_size=4
)


@given(CHUNKS, NOTES)
def test_annotations_change_no_line_and_none_is_lost(chunks: list[tuple[int, bytes]], notes: list[Note]) -> None:
    found = shown(notes, *chunks)
    assert [text for text in found if text not in {"n", "m"}] == shown([], *chunks)
    assert [text for text in found if text in {"n", "m"}] == [text for *_, text in notes]
