"""One answer to how wide a character is, also where whole runs are taken at once."""

from __future__ import annotations

import re
import sys

import pytest

from overmind_core.terminal.cells import NARROW, WIDE, cells_of, width
from tests.kit.cases import tabled


@pytest.mark.parametrize(("characters", "cells"), [(NARROW, 1), (WIDE, 2)])
def test_the_classes_of_whole_runs_agree_with_the_width_of_each_character(characters, cells):
    found = re.compile(f"[{characters}]").findall("".join(map(chr, range(0x80, sys.maxunicode + 1))))
    assert [character for character in found if width(character) != cells] == []


@tabled(
    ("character", "cells"), [("a", 1), ("日", 2), ("👍", 2), ("\u0301", 0), ("\u200d", 0), ("\xad", 1), ("\x9b", -1)]
)
def test_the_width_of_a_character(character, cells):
    assert width(character) == cells


@pytest.mark.parametrize("cells", [["a", "b"], ["日", "", "x"], ["e\u0301", "👍\ufe0f", "", "y"], []])
def test_a_row_is_cut_into_the_cells_it_was_joined_from(cells):
    assert cells_of("".join(cells)) == cells
