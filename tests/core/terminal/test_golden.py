"""What a real xterm answered (xterm-golden.json) holds for our screen."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from overmind_core.terminal.screen import Screen

CASES = json.loads(Path(__file__).with_name("xterm-golden.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=[ascii(case["bytes"]) for case in CASES])
def test_xterm_shows_the_same_cells_and_cursor(case):
    screen = Screen(case["columns"], case["rows"])
    screen.feed(case["bytes"].encode("latin-1"))
    shown = [unicodedata.normalize("NFC", line) for line in screen.lines()]
    assert shown == [line.rstrip() for line in case["grid"]]
    assert [screen.cursor.x, screen.cursor.y] == case["cursor"]
    assert screen.faults == []


@pytest.mark.parametrize("case", CASES, ids=[ascii(case["bytes"]) for case in CASES])
def test_it_does_not_matter_where_the_bytes_are_cut(case):
    data = case["bytes"].encode("latin-1")
    whole, pieces = Screen(case["columns"], case["rows"]), Screen(case["columns"], case["rows"])
    whole.feed(data)
    for byte in data:
        pieces.feed(bytes([byte]))
    assert (pieces.lines(), pieces.cursor) == (whole.lines(), whole.cursor)
