"""Our screen beside libghostty-vt: recorded sessions agree in every cell, invented streams where we don't differ on
purpose. `DIFFERENCES` is the list of those purposes.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.terminal.screen import Screen
from tests.kit import ghostty, torture
from tests.kit.terminal_streams import tokens

pytestmark = pytest.mark.skipif(not ghostty.available, reason="pyghostty has no wheel for this machine")

RECORDINGS = sorted(Path(__file__).with_name("recordings").glob("*.jsonl.gz"))
SIZES = [(8, 4), (20, 6), (2, 3)]


class Difference(NamedTuple):
    """Where the two differ, and why that stays."""

    example: bytes
    reason: str
    applies: Callable[[Screen, str], bool]
    """Whether this token, on this screen, would show it: then both are spared it."""


def _numbers(token: str) -> list[str]:
    return token[2:-1].split(";")


def _ends(token: str, finals: str) -> bool:
    return token.startswith("\x1b[") and token[2:3] not in {"?", "!"} and token[-1] in finals


def _pending(screen: Screen) -> bool:
    return screen._state.pending_wrap


def _behind_blank(screen: Screen) -> bool:
    x, y = screen.cursor.x - (not _pending(screen)), screen.cursor.y
    return x < 0 or screen._state.rows[y].cells[x] in {" ", ""}


def _behind_narrow(screen: Screen) -> bool:
    return bool(screen._state.rows[screen.cursor.y].cells[screen.cursor.x - (not _pending(screen))])


ONE_NUMBER = "ABCDEFGILMPSTXZ@`abde"
DIFFERENCES = [
    Difference(b"\x1b[0a|", "a number of 0 is 1 (as in xterm), there it is none", lambda _, token: (
        _ends(token, "aeISTLMP@XZ") and "0" in _numbers(token))),
    Difference(b"\x1b[1;2C|", "numbers that are too many are ignored (as in xterm), there the whole sequence is",
               lambda _, token: _ends(token, ONE_NUMBER + "JKg") and ";" in token),
    Difference(b"abcdefgh\x1b[?1049h|", "1049 drops a pending wrap (as in xterm)",
               lambda screen, token: _pending(screen) and token.startswith("\x1b[?104")),
    Difference(b"abcdefgh\x1bM|", "RI drops a pending wrap also where it scrolls (as in xterm)",
               lambda screen, token: _pending(screen) and token == "\x1bM"),
    Difference(b"\t\xcc\x81|", "a mark joins a blank too (as in xterm)",
               lambda screen, token: token == "\u0301" and _behind_blank(screen)),
    Difference(b"\x1b[4h\r\n\xe6\x97\xa5\x1b[1;8H\xe6\x97\xa5", "in insert mode a wide character inserts after a wrap",
               lambda screen, token: screen.modes.insert and not token.isascii()),
    Difference("\x1b(0日|".encode(), "DEC graphics replace ASCII only (as in xterm)",
               lambda screen, token: screen._state.charsets.table is not None and not token.isascii()),
    Difference("日\x1b(0\x1b[b".encode(), "the same of a character that is repeated",
               lambda screen, token: screen._state.charsets.table is not None and _ends(token, "b")),
    Difference(b"\x1b[2;3r\x1b[?6h\x1b[2G|", "HPA, CHA keep the row in origin mode (as in xterm)",
               lambda screen, token: screen.modes.origin and _ends(token, "G`")),
    Difference(b"\x1b[31m\x1b#8", "DECALN resets the look (as in xterm)", lambda _, token: token == "\x1b#8"),
    Difference(b"\x1b[31m\x1b[!pa", "DECSTR resets the look and the character sets (as in xterm)",
               lambda _, token: token == "\x1b[!p"),
    Difference("☝🏽|".encode(), "a skin tone makes any emoji wide, as for `string-width`, there not those of text",
               lambda screen, token: "🏽" in token and _behind_narrow(screen)),
    Difference("⌚\ufe0e|".encode(), "a wide character stays wide where it is to look like text",
               lambda _, token: "\ufe0e" in token),
    Difference(b"a\x7fb", "DEL is no character (as in xterm)", lambda _, token: "\x7f" in token),
    Difference(b"\x1b[\xc3\xa9A", "a character outside of ASCII ends a sequence (as in xterm)",
               lambda _, token: token.startswith("\x1b[\xe9")),
    Difference(b"\x1b[38:5:300ma", "a palette has 256 colours: others are ignored (as in xterm), there 300 is 44",
               lambda _, token: "300" in token),
]  # fmt: skip


@pytest.mark.parametrize("difference", DIFFERENCES, ids=[difference.reason for difference in DIFFERENCES])
def test_each_difference_on_the_list_is_still_one(difference):
    ours, theirs = Screen(8, 4), ghostty.Ghostty(8, 4)
    ours.feed(difference.example)
    theirs.feed(difference.example)
    assert _seen(ours) != (theirs.rows(), theirs.cursor)


EACH = 1 if torture.WHOLE else torture.PART
"""After how many pieces of a recording all cells are compared; a difference seldom goes away by itself."""


@pytest.mark.torture
@pytest.mark.parametrize("recording", RECORDINGS, ids=[path.name.partition(".")[0] for path in RECORDINGS])
def test_recorded_sessions_agree_in_every_cell_and_look(recording):
    header, *events = _lines(recording)
    ours = Screen(header["columns"], header["rows"])
    theirs = ghostty.Ghostty(header["columns"], header["rows"])
    for place, (kind, value) in enumerate(events, 1):
        if kind == "r":
            ours.resize(*value)
            theirs.resize(*value)
            continue  # on the alternate screen the two cut differently, and the program paints anew
        ours.feed(value.encode("latin-1"))
        theirs.feed(value.encode("latin-1"))
        if place % EACH and place < len(events):
            continue
        assert _seen(ours) == (theirs.rows(), theirs.cursor)
        for mode in (1, 7, 25, 1004, 1006, 1049, 2004, 2026):
            assert (mode in ours.modes.private) == theirs.mode(mode)
    assert ours.faults == []


@pytest.mark.torture
@pytest.mark.parametrize("recording", RECORDINGS, ids=[path.name.partition(".")[0] for path in RECORDINGS])
def test_a_redraw_shows_the_same_cells_on_a_terminal_that_is_not_ours(recording):
    header, *events = _lines(recording)
    ours = Screen(header["columns"], header["rows"])
    for place, (kind, value) in enumerate(events):
        if kind == "r":
            ours.resize(*value)
        else:
            ours.feed(value.encode("latin-1"))
        if place % (4 * EACH) == 0:
            theirs = ghostty.Ghostty(ours.columns, ours.rows)
            theirs.feed(b"left over from before\x1b[41m\x1b[3;5r\x1b[4h")
            theirs.feed(ours.redraw())
            assert _seen(ours) == (theirs.rows(), theirs.cursor)
            assert theirs.mode(1049) == ours.modes.alternate
            assert theirs.mode(25) == ours.cursor.visible


@settings(max_examples=torture.examples(400), deadline=None)
@given(st.lists(tokens, max_size=40), st.sampled_from(SIZES))
def test_invented_streams_agree_apart_from_what_is_on_the_list(stream, size):
    ours, theirs = Screen(*size), ghostty.Ghostty(*size)
    for token in stream:
        if not any(difference.applies(ours, token) for difference in DIFFERENCES):
            ours.feed(token.encode())
            theirs.feed(token.encode())
    rows, cursor = _seen(ours)
    assert (_written(rows), cursor) == (_written(theirs.rows()), theirs.cursor)


def _seen(screen: Screen) -> tuple[list[list[ghostty.Cell]], tuple[int, int]]:
    return [ghostty.cells_of(row) for row in screen._state.rows], (screen.cursor.x, screen.cursor.y)


def _written(rows: list[list[ghostty.Cell]]) -> list[list[ghostty.Cell]]:
    """What holds text keeps its look. Blanks left by a wide character that was cut differ in colour."""
    return [[cell if cell.text != " " else ghostty.Cell(" ", ()) for cell in row] for row in rows]


def _lines(path: Path) -> Iterator[Any]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)
