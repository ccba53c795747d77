"""What a person is shown, measured in the cells of a terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.text.cells import cut, did_you_mean, display_safe, pad, width
from tests.kit.cases import tabled

SAFE = [
    ("plain words", "plain words"),
    ("größer 日本 🎉", "größer 日本 🎉"),
    ("a\x1b[31mred\x07", "a\\x1b[31mred\\x07"),
    ("two\nlines\r\tand a tab", "two\\nlines\\r\\tand a tab"),
    ("del\x7f c1\x9b", "del\\x7f c1\\x9b"),
    ("a\u200bb\ufeff\u2060", "a\\u200bb\\ufeff\\u2060"),
    ("\U000e0041", "\\U000e0041"),
    ("\u0645\u06cc\u200c\u062e 👩\u200d🔬 ☎\ufe0f", "\u0645\u06cc\u200c\u062e 👩\u200d🔬 ☎\ufe0f"),
    ("\u202etxt.exe\u2066", "\\u202etxt.exe\\u2066"),
    ("sep\u2028\u2029", "sep\\u2028\\u2029"),
    ("no utf-8: \udcff", "no utf-8: \\xff"),
    ("on the wire: \U0010dc80", "on the wire: \\x80"),
    ("zero\u200dwidth joiner", "zero\u200dwidth joiner"),
    ("wide space\u3000", "wide space\u3000"),
]

WIDTHS = [
    ("", 0),
    ("abc", 3),
    ("日本語", 6),
    ("e\u0301", 1),
    ("🎉", 2),
    ("\uff46\uff55\uff4c\uff4c", 8),
    ("한", 2),
    ("\u1112\u1161\u11ab", 2),
    ("a\u200bb", 2),
]

CUTS = [
    ("short", 10, "short"),
    ("exactly ten", 11, "exactly ten"),
    ("a longer sentence", 10, "a longe..."),
    ("日本語日本語", 8, "日本..."),
    ("日本語日本語", 9, "日本語..."),
    ("abcdef", 3, "abc"),
    ("日本", 1, ""),
    ("abc", 0, ""),
]


@tabled(("text", "expected"), SAFE)
def test_what_could_change_the_terminal_is_shown_instead(text: str, expected: str) -> None:
    assert display_safe(text) == expected


@tabled(("text", "expected"), WIDTHS)
def test_a_text_is_as_wide_as_its_cells(text: str, expected: int) -> None:
    assert width(text) == expected


@tabled(("text", "cells", "expected"), CUTS)
def test_a_cut_text_shows_that_it_was_cut(text: str, cells: int, expected: str) -> None:
    assert cut(text, cells) == expected


@given(st.text(st.characters()))
def test_no_control_character_is_left(text: str) -> None:
    safe = display_safe(text)
    assert not {unicodedata.category(character) for character in safe} & {"Cc", "Cs", "Zl", "Zp"}
    assert safe.encode().decode() == safe


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])), st.integers(min_value=0, max_value=60))
def test_a_cut_and_padded_text_fills_its_cells_exactly(text: str, cells: int) -> None:
    column = pad(cut(text, cells), cells)
    assert width(column) == cells


@given(st.text(), st.text())
def test_widths_add_up(left: str, right: str) -> None:
    assert width(left + right) == width(left) + width(right)


MEANT = [
    ("eu9", " Did you mean eu1 or eu2 or eu3?"),
    ("gpu1", " Did you mean gpu?"),
    ("eu", " Did you mean eu1 or eu2 or eu3?"),
    ("frankfurt", ""),
]


@tabled(("word", "said"), MEANT)
def test_of_words_that_are_as_close_the_first_are_named(word, said):
    assert did_you_mean(word, ["eu1", "eu2", "eu3", "eu4", "gpu"]) == said
