"""A screen from the end of a log is the one that the whole log would have made."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.terminal.screen import Screen, first_safe, replay, scan_modes
from tests.kit import torture
from tests.kit.cases import tabled

HEAD = b"\x1b[>1u\x1b[?1049h\x1b[>4;2m\x1b[?1;1000h\x1b[?1006h\x1b[?25l\x1b=\x1b[?2004h\x1b[?2004ltext\x1b[?1002h"

SCANNED = [
    (b"", b""),
    (b"plain text\r\n" * 1000, b""),
    (HEAD, b"\x1b[>1u\x1b[?1049h\x1b[?1h\x1b[?66h\x1b[?1002h\x1b[?1006h\x1b[?25l\x1b[>4;2m"),
    (b"\x1b[?1000h\x1b[?2004h\x1bc", b""),
    (b"\x1b[?1h\x1b[?7l\x1b[?2004h\x1b[!p", b"\x1b[?2004h"),
    (b"\x1b=\x1b>", b""),
    (b"\x1b[?1048h\x1b[?;h", b"\x1b[?0h"),
    (b"x\x1b[?10", b"\x1b[?10"),
    (b"\x1b[?1h\x1b", b"\x1b[?1h\x1b"),
    (b"\x1b[>1u\x1b[?1049h\x1b[>5u\x1b[>4;2m", b"\x1b[>1u\x1b[?1049h\x1b[>5u\x1b[>4;2m"),
    (b"\x1b[>1u\x1b[<u\x1b[>4;2m\x1b[>4m", b""),
    (b"\x1b]0;one\x07\x1b]2;two\x1b\\", b"\x1b]2;two\x1b\\"),
]


@tabled(("head", "modes"), SCANNED)
def test_the_modes_of_the_head_are_found(head, modes):
    assert scan_modes([head]) == modes


@given(st.lists(st.integers(0, len(HEAD)), max_size=6))
def test_it_does_not_matter_how_the_head_is_cut(places):
    edges = [0, *sorted(places), len(HEAD)]
    chunks = [HEAD[start:end] for start, end in itertools.pairwise(edges)]
    assert scan_modes(chunks) == scan_modes([HEAD])
    assert scan_modes([scan_modes(chunks[:2]), *chunks[2:]]) == scan_modes([HEAD])


@settings(max_examples=torture.examples(300))
@given(st.integers(0, 400))
def test_a_program_that_paints_its_screen_looks_the_same_from_any_cut(cut):
    paint = b"".join(b"\x1b[%d;1H\x1b[K\x1b[3%dmrow %d \xe6\x97\xa5" % (y + 1, y, y) for y in range(5))
    log = b"$ vim\r\n" + HEAD + b"old" * 20 + paint + b"\x1b[?1000h" + paint + b"\x1b[2;3H"
    cut = min(cut, len(log) - len(paint) - 40)
    whole = Screen(20, 5)
    whole.feed(log)
    part = replay(log[cut:], 20, 5, head_modes=scan_modes([log[:cut]]))
    assert part.lines() == whole.lines()
    assert part.modes.private == whole.modes.private
    assert part.cursor == whole.cursor


def test_a_whole_log_is_read_from_its_beginning_and_a_cut_one_from_a_safe_place():
    assert replay(b"text", 20, 2).line(0) == "text"
    assert replay(b"31mrest\r\nline", 20, 2, head_modes=b"").lines() == ["", "line"]
    assert replay(b"31mrest\x1b[1mx", 20, 2, head_modes=b"\x1b[").line(0) == "restx"
    assert first_safe(b"\x97\xa5\x97") == 3
    assert first_safe(b"\x97\xa5 no line end") == 2
    assert first_safe(b"QUJD of a picture\x07 text") == len(b"QUJD of a picture")
    assert replay(b"\xa5 dots" + b"." * 95, 20, 2, head_modes=b"").lines() == ["." * 20] * 2
    assert len(replay(b"x\r\n" * 50, 20, 2, scrollback=7).scrollback) == 7
