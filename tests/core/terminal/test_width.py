"""One answer to how wide a character is, also where whole runs are taken at once."""

from __future__ import annotations

import re
import sys

import pytest

from overmind_core.terminal.cells import NARROW, WIDE, cells_of, is_pictured, joins, width
from overmind_core.terminal.screen import Screen
from tests.kit.cases import tabled


@pytest.mark.parametrize(("characters", "cells"), [(NARROW, 1), (WIDE, 2)])
def test_the_classes_of_whole_runs_agree_with_the_width_of_each_character(characters, cells):
    found = re.compile(f"[{characters}]").findall("".join(map(chr, range(0x80, sys.maxunicode + 1))))
    assert [character for character in found if width(character) != cells] == []
    assert [character for character in found if is_pictured(character) or joins("🇩", character)] == []


@tabled(
    ("character", "cells"), [("a", 1), ("日", 2), ("👍", 2), ("\u0301", 0), ("\u200d", 0), ("\xad", 1), ("\x9b", -1)]
)
def test_the_width_of_a_character(character, cells):
    assert width(character) == cells


CLUSTERS = {
    "flag": ("🇩🇪", 2),
    "half a flag": ("🇩", 2),
    "flag and a half": ("🇩🇪🇫", 4),
    "two flags": ("🇩🇪🇫🇷", 4),
    "flag of England": ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 2),
    "flag of pirates": ("🏴\u200d☠\ufe0f", 2),
    "flag of colours": ("🏳\ufe0f\u200d🌈", 2),
    "family": ("👨\u200d👩\u200d👧", 2),
    "larger family": ("👨\u200d👩\u200d👧\u200d👦", 2),
    "profession": ("👩\u200d🔬", 2),
    "man with a beard": ("🧔\u200d♂\ufe0f", 2),
    "kiss": ("👩🏽\u200d❤\ufe0f\u200d💋\u200d👨🏽", 2),
    "skin tone": ("👍🏽", 2),
    "skin tone of a character of text": ("☝🏽", 2),
    "skin tone of nothing": ("a🏽", 3),
    "two skin tones": ("👍🏽🏽", 4),
    "warning": ("⚠\ufe0f", 2),
    "warning as text": ("⚠", 1),
    "check mark": ("✔\ufe0f", 2),
    "check mark as text": ("✔\ufe0e", 1),
    "heart": ("❤\ufe0f", 2),
    "copyright": ("©\ufe0f", 2),
    "key": ("1\ufe0f\u20e3", 2),
    "letter with the look of an emoji": ("a\ufe0f", 1),
    "joiner behind a letter": ("a\u200d👩", 3),
    "emoji without more": ("🎉", 2),
}
"""As `string-width` counts them, which draws what agents show; half flags apart, which are two for `wcwidth`."""


@tabled(("text", "cells"), CLUSTERS.values(), ids=CLUSTERS)
def test_what_stands_together_takes_the_cells_that_agents_count(text, cells):
    data = text.encode()
    for cut in range(len(data)):
        screen = Screen(20, 2)
        screen.feed(b"|" + data[:cut])
        screen.feed(data[cut:] + b"|")
        assert (screen.cursor.x, screen.line(0)) == (cells + 2, f"|{text}|")
        assert screen.faults == []
        assert screen._state.rows[0].cells[: cells + 2] == cells_of(f"|{text}|")
    assert len(cells_of(text)) == cells


@pytest.mark.parametrize("text", ["🇩🇪", "👨\u200d👩\u200d👧", "👍🏽", "⚠\ufe0f", "1\ufe0f\u20e3", "☝🏽"])
def test_what_has_no_room_for_two_cells_begins_in_the_next_row(text):
    screen = Screen(4, 3)
    screen.feed(f"abc{text}|".encode())
    assert screen.lines() == ["abc", f"{text}|", ""]
    assert screen.cursor[:2] == (3, 1)
    screen = Screen(4, 3)
    screen.feed(f"ab{text}|".encode())
    assert screen.lines() == [f"ab{text}", "|", ""]
    screen.resize(3, 3)
    assert screen.lines() == ["ab", f"{text}|", ""]
    screen.resize(8, 3)
    assert screen.lines() == [f"ab{text}|", "", ""]


@pytest.mark.parametrize("text", ["🇩🇪", "👨\u200d👩\u200d👧", "👍🏽", "⚠\ufe0f", "☝🏽"])
@pytest.mark.parametrize(
    ("write", "row"),
    [
        (b"\x1b[1;2HX", "aX bc"),
        (b"\x1b[1;3HX", "a Xbc"),
        (b"\x1b[1;3H\x1b[K", "a"),
        (b"\x1b[1;2H\x1b[P", "a bc"),
        (b"\x1b[1;3H\x1b[@", "a   bc"),
    ],
)
def test_where_half_of_it_is_erased_the_other_half_is_blank(text, write, row):
    screen = Screen(10, 2)
    screen.feed(f"a{text}bc".encode() + write)
    assert screen.line(0) == row


def test_a_flag_at_the_begin_of_a_box_leaves_its_frame_where_it_is():
    screen = Screen(80, 3)
    screen.feed(("🇩🇪" + "x" * 77 + "│\r\nsecond\r\n").encode())
    assert screen.lines() == ["🇩🇪" + "x" * 77 + "│", "second", ""]


def test_the_scrollback_keeps_what_stands_together():
    screen = Screen(10, 2, scrollback=10)
    screen.feed("🇩🇪a👍🏽b\r\n\x1b[31m⚠\ufe0f\x1b[mok\r\n\r\n".encode())
    assert [screen.scrollback.text(0), screen.scrollback.text(1)] == ["🇩🇪a👍🏽b", "⚠\ufe0fok"]
    assert [text for text, _ in screen.scrollback.runs(1)] == ["⚠\ufe0f", "ok"]


@pytest.mark.parametrize("cells", [["a", "b"], ["日", "", "x"], ["e\u0301", "👍\ufe0f", "", "y"], []])
def test_a_row_is_cut_into_the_cells_it_was_joined_from(cells):
    assert cells_of("".join(cells)) == cells
