"""A text of several lines under the keys, without a screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.text.cells import width
from overmind_core.view import composer
from overmind_core.view.field import Field
from tests.kit.cases import tabled

CUT = "|"
"""Where the cursor stands in the tables."""


def field(text, cut=""):
    at = text.index(CUT)
    return Field(text[:at] + text[at + 1 :], at, cut)


def shown(one):
    return one.text[: one.at] + CUT + one.text[one.at :]


KEYS = [
    ("ctrl+a", "one\ntwo|\nthree", "one\n|two\nthree"),
    ("home", "one\ntw|o", "one\n|two"),
    ("ctrl+e", "one\n|two\nthree", "one\ntwo|\nthree"),
    ("ctrl+u", "one\ntwo|3\nfour", "one\n|3\nfour"),
    ("ctrl+u", "one\n|two", "one\n|two"),
    ("ctrl+k", "one\nt|wo\nthree", "one\nt|\nthree"),
    ("ctrl+k", "one|\ntwo", "one|two"),
    ("ctrl+w", "one\ntwo |", "one\n|"),
    ("ctrl+w", "one\n|", "|"),
    ("alt+b", "one two\n|", "one |two\n"),
    ("alt+f", "|one two\nthree", "one| two\nthree"),
    ("left", "one\n|two", "one|\ntwo"),
    ("right", "one|\ntwo", "one\n|two"),
    ("backspace", "one\n|two", "one|two"),
    ("delete", "one|\ntwo", "one|two"),
]


@tabled(("key", "before", "after"), KEYS)
def test_a_key_does_to_lines_what_readline_does(key, before, after):
    assert shown(composer.pressed(field(before), key)) == after


def test_what_was_cut_comes_back_with_its_line_ends():
    cut = composer.pressed(field("one\ntwo |"), "ctrl+w")
    assert cut is not None
    again = composer.pressed(cut, "ctrl+w")
    assert again is not None
    assert shown(composer.pressed(again, "ctrl+y")) == "one\n|"


def test_an_unknown_key_means_nothing():
    assert composer.pressed(Field("x"), "f5") is None


PASTES = [
    ("a\r\nb\rc", "a\nb\nc"),
    ("last line\n\n", "last line"),
    ("\n", "\n"),
    ("tab\there", "tab\there"),
    ("\x1b[2J", "\x1b[2J"),
]


@pytest.mark.parametrize(("pasted", "text"), PASTES)
def test_a_paste_keeps_its_lines(pasted, text):
    assert composer.typed(Field(), pasted).text == text


@pytest.mark.parametrize(
    ("before", "after"),
    [("one\\|", "one\n|"), ("one\\|two", "one\n|two"), ("|one\\", None), ("one|", None), ("|", None)],
)
def test_a_backslash_before_enter_is_a_line_end(before, after):
    changed = composer.continued_draft(field(before))
    assert (changed and shown(changed)) == after


DRAWN = [("plain", "plain"), ("a\tb", "a    b"), ("\x1b[2J", "\\x1b[2J"), ("a\u202eb", "a\\u202eb"), ("日本", "日本")]


@pytest.mark.parametrize(("text", "drawn"), DRAWN)
def test_what_is_drawn_is_harmless(text, drawn):
    assert composer.drawn(text) == drawn


ROWS = [
    ("", 5, [""]),
    ("one", 5, ["one"]),
    ("one two", 5, ["one ", "two"]),
    ("onetwothree", 5, ["onetw", "othre", "e"]),
    ("a\n\nb", 5, ["a", "", "b"]),
    ("日本語", 4, ["日本", "語"]),
    ("日", 1, ["日"]),
]


@tabled(("text", "cells", "rows"), ROWS)
def test_a_text_is_drawn_in_rows(text, cells, rows):
    assert [text[row.start : row.end] for row in composer.rows(text, cells)] == rows


MOVES = [
    (-1, "one\ntw|o", "on|e\ntwo"),
    (1, "one|\nt", "one\nt|"),
    (1, "on|e\n日本", "one\n日|本"),
    (-1, "on|e", None),
    (1, "on|e", None),
    (1, "a|aaa bbb", "aaaa b|bb"),
    (-1, "aaaa bbb|", "aaa|a bbb"),
]


@tabled(("step", "before", "after"), MOVES)
def test_up_and_down_go_by_rows(step, before, after):
    one = field(before)
    moved = composer.vertical(one, composer.rows(one.text, 5), step)
    assert (moved and shown(moved)) == after


TEXTS = st.text(st.sampled_from("ab \n\t日\x1b\u0301\U0001f600\\"), max_size=60)
CELLS = st.integers(1, 12)


@st.composite
def fields(draw):
    text = draw(TEXTS)
    return Field(text, draw(st.integers(0, len(text))), draw(TEXTS))


@given(TEXTS, CELLS)
def test_rows_hold_every_character_once_and_fit(text, cells):
    rows = composer.rows(text, cells)
    assert "".join(text[row.start : row.end] for row in rows) == text.replace("\n", "")
    for row in rows:
        piece = text[row.start : row.end]
        assert width(composer.drawn(piece)) <= cells or len(piece.rstrip("\u0301")) <= 1


KEY = st.sampled_from(
    ["left", "right", "home", "end", "ctrl+a", "ctrl+e", "ctrl+u", "ctrl+k", "ctrl+w", "ctrl+y", "ctrl+d", "alt+b",
     "alt+f", "alt+d", "alt+backspace", "backspace", "delete"]
)  # fmt: skip


@given(fields(), st.lists(KEY | TEXTS.map(lambda text: ("typed", text)), max_size=20))
def test_the_cursor_never_leaves_the_text(one, keys):
    for key in keys:
        changed = composer.typed(one, key[1]) if isinstance(key, tuple) else composer.pressed(one, key)
        assert changed is not None
        one = changed
        assert 0 <= one.at <= len(one.text)


@given(fields(), st.sampled_from(["ctrl+u", "ctrl+k", "ctrl+w", "alt+d", "alt+backspace"]))
def test_what_is_cut_can_be_put_back(one, key):
    cut = composer.pressed(one, key)
    assert cut is not None
    if len(one.text) - len(cut.text) > 1:
        back = composer.pressed(cut, "ctrl+y")
        assert back is not None
        assert back.text == one.text


@given(fields(), CELLS, st.sampled_from([-1, 1]))
def test_a_step_up_or_down_lands_in_the_next_row(one, cells, step):
    rows = composer.rows(one.text, cells)
    moved = composer.vertical(one, rows, step)
    if moved is None:
        assert composer.row_of(rows, one.at) == (0 if step < 0 else len(rows) - 1)
    else:
        assert composer.row_of(rows, moved.at) == composer.row_of(rows, one.at) + step
