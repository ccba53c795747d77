"""Long lines of our own words go on below where they began."""

from __future__ import annotations

from overmind_core.view.cells import Cell, folded
from tests.kit.cases import tabled

FOLDED = [
    ("what fits is left alone", [("  x   ", "key"), ("one two", "")], 13, ["  x   one two"]),
    ("words go on behind the first column", [("  x   ", "key"), ("one two three", "")], 13,
     ["  x   one two", "      three"]),
    ("also over cells", [("  x   ", "key"), ("one two", ""), ("  (changes)", "slow")], 15,
     ["  x   one two", "      (changes)"]),
    ("without a column below its own beginning", [("  one two three", "")], 9, ["  one two", "  three"]),
    ("a word that is longer than the room is cut", [("  x   ", "key"), ("/a/very/long/path b", "")], 12,
     ["  x   /a/very/long/path", "      b"]),
    ("where there is little room, the column is half of it", [("  x        ", "key"), ("one two", "")], 8,
     ["  x        ", "    one", "    two"]),
    ("wide characters count twice", [("   ", "key"), ("日本 日本", "")], 9, ["   日本", "    日本"]),
    ("blanks at the end take no row", [("  x   ", "key"), ("one   ", "")], 9, ["  x   one   "]),
    ("nothing", [], 9, [""]), ("nothing, where there is no room yet", [], -5, [""]),
]  # fmt: skip


@tabled(("what", "line", "cells", "rows"), FOLDED)
def test_a_line_goes_on_below(what, line, cells, rows):
    found = folded([[Cell(*cell) for cell in line]], cells, 6)
    assert ["".join(cell.text for cell in row) for row in found] == rows


def test_what_goes_on_keeps_its_tone():
    (_, below) = folded([[Cell("  x   ", "key"), Cell("one"), Cell("  (changes)", "slow")]], 12, 6)
    assert below == [Cell("      "), Cell("(changes)", "slow")]
