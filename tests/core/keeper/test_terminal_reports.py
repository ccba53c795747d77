"""What a terminal answers by itself, told from what a person types."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.keeper.queries import PASTE, TerminalQueries
from tests.kit.cases import tabled

REPORTS = {
    "primary attributes": b"\x1b[?62;22;52c",
    "secondary attributes": b"\x1b[>1;379;0c",
    "tertiary attributes": b"\x1bP!|00000000\x1b\\",
    "device status": b"\x1b[0n",
    "colour scheme": b"\x1b[?997;1n",
    "cursor position": b"\x1b[24;80R",
    "extended cursor position": b"\x1b[?24;80;1R",
    "private mode": b"\x1b[?2026;2$y",
    "mode": b"\x1b[4;2$y",
    "foreground": b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
    "background, ended by BEL": b"\x1b]11;rgb:0000/0000/0000\x07",
    "palette": b"\x1b]4;1;rgb:cdcd/0000/0000\x1b\\",
    "version": b"\x1bP>|kitty(0.36.4)\x1b\\",
    "setting": b"\x1bP1$r0m\x1b\\",
    "termcap": b"\x1bP1+r544e=787465726d\x1b\\",
    "keyboard flags": b"\x1b[?1u",
    "size of the window": b"\x1b[8;24;80t",
    "in-band resize": b"\x1b[48;24;80;480;640t",
    "focus in": b"\x1b[I",
    "focus out": b"\x1b[O",
    "graphics": b"\x1b_Gi=31;OK\x1b\\",
}
KEYS = {
    "text": "ça va 😀".encode(),
    "Esc": b"\x1b",
    "alt and a letter": b"\x1bx",
    "alt and ]": b"\x1b]",
    "alt and P, then text": b"\x1bPa\x07",
    "arrows": b"\x1b[A\x1bOB\x1b[1;5C",
    "function keys": b"\x1b[15~\x1bOR\x1b[24;2~",
    "kitty's keys": b"\x1b[97;5u\x1b[92;5:3u",
    "mouse": b"\x1b[<0;10;20M\x1b[<0;10;20m",
    "old mouse": b"\x1b[M !!",
    "back tab": b"\x1b[Z",
}


def without_reports(data: bytes) -> bytes:
    """What is typed at the terminal of a viewer that is not asked."""
    return TerminalQueries().admit(object(), data, active=False)[0]


@tabled("report", REPORTS.values(), ids=REPORTS)
def test_a_report_is_not_typed(report):
    assert without_reports(report) == b""
    assert without_reports(b"a" + report * 2 + b"b") == b"ab"


@tabled("keys", KEYS.values(), ids=KEYS)
def test_keys_are_typed(keys):
    assert without_reports(keys) == keys


@tabled("data", [b"a", b"\x1b[A", PASTE + b"x\x1b[201~", REPORTS["cursor position"] + b"a"])
def test_who_has_typed_anything_but_reports_has_typed(data):
    assert TerminalQueries().admit(object(), data, active=False)[1]
    assert not TerminalQueries().admit(object(), REPORTS["cursor position"], active=False)[1]


def test_a_paste_is_typed_as_it_is():
    paste = PASTE + b"".join(REPORTS.values()) + b"\x1b[201~"
    assert without_reports(REPORTS["cursor position"] + paste) == paste


@given(st.binary(max_size=200))
def test_nothing_is_added_or_moved(data):
    kept = without_reports(data)
    rest = iter(data)
    assert all(byte in rest for byte in kept)


@given(st.lists(st.sampled_from([*REPORTS.values(), *KEYS.values()])))
def test_each_piece_is_judged_by_itself(pieces):
    assert without_reports(b" ".join(pieces)) == b" ".join(b"" if one in REPORTS.values() else one for one in pieces)
