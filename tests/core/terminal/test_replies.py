"""What the terminal answers, and what it keeps silent about."""

from __future__ import annotations

import pytest

from overmind_core.terminal.screen import Screen
from overmind_core.terminal.state import Colours
from tests.kit.cases import tabled

ANSWERED = [
    (b"\x1b[c", b"\x1b[?62;22c"),
    (b"\x1b[0c", b"\x1b[?62;22c"),
    (b"\x1bZ", b"\x1b[?62;22c"),
    (b"\x1b[>c", b"\x1b[>1;10;0c"),
    (b"\x1b[5n", b"\x1b[0n"),
    (b"\x1b[2;3H\x1b[6n", b"\x1b[2;3R"),
    (b"\x1b[2;3H\x1b[?6n", b"\x1b[?2;3R"),
    (b"\x1b[2;3r\x1b[?6h\x1b[2;1H\x1b[6n", b"\x1b[2;1R"),
    (b"\x1b[?2026$p", b"\x1b[?2026;2$y"),
    (b"\x1b[?2026h\x1b[?2026$p", b"\x1b[?2026;1$y"),
    (b"\x1b[?1049h\x1b[?1047$p", b"\x1b[?1047;1$y"),
    (b"\x1b[?31337$p", b"\x1b[?31337;0$y"),
    (b"\x1b[4h\x1b[4$p", b"\x1b[4;1$y"),
    (b"\x1b[99$p", b"\x1b[99;0$y"),
    (b"\x1b[18t", b"\x1b[8;4;20t"),
    (b"\x1b[1;31m\x1bP$qm\x1b\\", b"\x1bP1$r0;1;31m\x1b\\"),
    (b"\x1bP$qr\x1b\\", b"\x1bP1$r1;4r\x1b\\"),
    (b"\x1b[5 q\x1bP$q q\x1b\\", b"\x1bP1$r5 q\x1b\\"),
    (b"\x1bP$qz\x1b\\", b"\x1bP0$r\x1b\\"),
    (b"\x1bP+q544e\x1b\\", b"\x1bP0+r\x1b\\"),
    (b"\x1b[5n\x1b[c", b"\x1b[0n\x1b[?62;22c"),
    (b"\x1b]7501;?\x07\x1b[c", b"\x1b]7501;?\x1b\\\x1b[?62;22c"),
    (b"\x1b[?u", b"\x1b[?0u"),
    (b"\x1b[>5u\x1b[?u", b"\x1b[?5u"),
    (b"\x1b[>5u\x1b[?1049h\x1b[?u", b"\x1b[?0u"),
    (b"\x1b[>5u\x1b[<u\x1b[?u", b"\x1b[?0u"),
]
SILENT = [
    b"\x1b]7501;state=idle:app=pi\x07",
    b"\x1b[>q",
    b"\x1b[>0q",
    b"\x1b[=c",
    b"\x1b]52;c;?\x07",
    b"\x1b]10;?\x07",
    b"\x1b]4;1;?\x07",
    b"\x1b_Gi=1,a=q;AAAA\x1b\\",
    b"\x1b[14t",
    b"\x1b[21t",
]


def answers(data: bytes, colours: Colours | None = None) -> bytes:
    screen = Screen(20, 4)
    got: list[bytes] = []
    screen.colours = colours
    screen.on_reply = got.append
    screen.feed(data)
    assert screen.faults == []
    return b"".join(got)


@tabled(("data", "answer"), ANSWERED)
def test_questions_are_answered(data, answer):
    assert answers(data) == answer


@tabled("data", SILENT)
def test_names_and_the_clipboard_are_nobodys_business(data):
    assert answers(data) == b""


@pytest.mark.parametrize(("code", "value"), [(10, b"ffff/0000/0101"), (11, b"0202/0303/0404"), (12, b"0505/0606/0707")])
def test_colours_are_told_when_they_are_known(code, value):
    colours = Colours((255, 0, 1), (2, 3, 4), (5, 6, 7))
    assert answers(b"\x1b]%d;?\x1b\\" % code, colours) == b"\x1b]%d;rgb:%s\x1b\\" % (code, value)
