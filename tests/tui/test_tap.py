"""What comes from the person's terminal for a mission's: untouched but for what is ours and the keys that leave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.client.detach_keys import DEFAULT_KEY, parse_key
from overmind_core.terminal.modes import Modes
from overmind_tui.terminal import encoding
from overmind_tui.terminal.input_tap import InputTap, Part, PartKind
from tests.kit.cases import tabled

OURS = (
    b"\x1b[<0;5;5M", b"\x1b[<35;120;40m", b"\x1b[I", b"\x1b[O", b"\x1b[?2026;2$y", b"\x1b[48;40;120;800;1200t",
    b"\x1b[M !!", b"\x1b[32;10;5M",
)  # fmt: skip
THEIRS = (
    b"a", b"\r", b"\t", b"\x03", b"\x11", b"\x10", b"\x1a", b"\x7f", b"\x1b[A", b"\x1bOP", b"\x1b[15~", b"\x1b[1;5C",
    b"\x1b[97;5u", b"\x1b[27;2;13~", b"\x1bf", b"\x1b\r", "日本語🙂e\u0301".encode(), b"\xff\xfe", b"\x1b[Z",
    b"\x1b[200~a\x1c\x1b[92;5ub\x1b[201~",
)  # fmt: skip
LEAVES = (b"\x1c", b"\x1b[92;5u", b"\x1b[92;5:1u", b"\x1b[27;5;92~", b"\x1b[92:124;5u", b"\x1b[1078::92;5u")
"""ctrl-\\ in the ways in which terminals send it."""


def whole(*pieces, keys=(DEFAULT_KEY,), escape=0.025, pause=0.0):
    """All parts of what was read in these pieces, `pause` seconds apart, and then no more."""
    tap, now = InputTap(keys, escape), 0.0
    parts: list[Part] = []
    for piece in pieces:
        parts += tap.feed(piece, now)
        now += pause
        parts += tap.tick(now)
    parts += tap.tick(now + 9.0)
    return parts


def typed(parts):
    wanted = {PartKind.TYPED, PartKind.PASTE_BEGINS, PartKind.PASTED, PartKind.PASTE_ENDS}
    return b"".join(part.data for part in parts if part.kind in wanted)


def kinds(parts):
    return {part.kind for part in parts}


@tabled("sent", THEIRS)
def test_what_is_typed_goes_on_byte_for_byte(sent):
    parts = whole(sent)
    assert typed(parts) == sent
    assert not kinds(parts) & {PartKind.OURS, PartKind.LEFT, PartKind.AFTER}


@tabled("sent", THEIRS)
def test_byte_by_byte_too(sent):
    assert typed(whole(*(bytes([byte]) for byte in sent))) == sent


@tabled("sent", OURS)
def test_what_is_ours_reaches_nobody_else(sent):
    assert whole(b"a" + sent + b"b") == [
        Part(PartKind.TYPED, b"a"),
        Part(PartKind.OURS, sent),
        Part(PartKind.TYPED, b"b"),
    ]


@tabled("sent", OURS)
def test_what_is_ours_may_come_in_pieces(sent):
    assert whole(*(bytes([byte]) for byte in sent)) == [Part(PartKind.OURS, sent)]


@tabled("sent", LEAVES)
def test_the_key_leaves_in_each_encoding_and_the_rest_is_for_the_program(sent):
    parts = whole(b"ab" + sent + b":logs\r")
    assert parts == [Part(PartKind.TYPED, b"ab"), Part(PartKind.LEFT, sent), Part(PartKind.AFTER, b":logs\r")]


@tabled("sent", LEAVES)
def test_the_key_leaves_however_it_is_cut(sent):
    for cut in range(1, len(sent)):
        assert PartKind.LEFT in kinds(whole(sent[:cut], sent[cut:])), cut


@pytest.mark.parametrize("sent", [leave for leave in LEAVES if len(leave) > 1])
def test_the_key_leaves_when_its_rest_comes_late(sent):
    """Esc was taken for a lone one by then."""
    assert PartKind.LEFT in kinds(whole(sent[:1], sent[1:], pause=0.3))


def test_half_a_mouse_report_is_no_text_for_the_program():
    assert typed(whole(b"\x1b", b"[<0;5;5M", pause=0.3)) == b"\x1b"
    assert typed(whole(b"\x1b[<0;5")) == b""


def test_a_released_key_does_not_leave():
    assert PartKind.LEFT not in kinds(whole(b"\x1b[92;5:3u"))


@tabled("leave", LEAVES)
def test_no_key_leaves_inside_a_paste_however_it_is_cut(leave):
    paste = b"\x1b[200~one" + leave + b"two\x1b[201~"
    for cut in range(1, len(paste)):
        parts = whole(paste[:cut], paste[cut:])
        assert PartKind.LEFT not in kinds(parts), cut
        assert typed(parts) == paste


def test_another_key_can_be_chosen():
    assert kinds(whole(b"\x1d", keys=(DEFAULT_KEY, parse_key("ctrl-]")))) == {PartKind.LEFT, PartKind.AFTER}
    assert kinds(whole(b"\x1d")) == {PartKind.TYPED}


def test_a_lone_escape_waits_for_company_as_long_as_it_is_told():
    tap = InputTap((DEFAULT_KEY,), 0.15)
    assert list(tap.feed(b"\x1b", 0.0)) == []
    assert tap.pending
    assert list(tap.tick(0.1)) == []
    assert list(tap.tick(0.16)) == [Part(PartKind.TYPED, b"\x1b")]
    assert not tap.pending


def test_what_waits_is_for_whoever_reads_on():
    tap = InputTap((DEFAULT_KEY,), 0.15)
    assert list(tap.feed(b"x\x1b[<0;", 0.0)) == [Part(PartKind.TYPED, b"x")]
    assert tap.remainder() == b"\x1b[<0;"


@given(st.lists(st.sampled_from([*THEIRS, *OURS]), max_size=12), st.data())
def test_cuts_change_nothing(sent, data):
    stream = b"".join(sent)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert typed(whole(*pieces)) == typed(whole(stream))


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail_and_none_is_said_twice(data):
    parts = whole(data)
    assert sum(len(part.data) for part in parts) <= len(data)


def modes(*private):
    found = Modes()
    for mode in private:
        found.set_private(mode, on=True)
    return found


def encoded(sent, *private):
    return b"".join(encoding.tapped(part, modes(*private)) for part in whole(sent))


@tabled(
    ("sent", "private", "arrives"),
    [
        (b"\x1b[A\x1b[H\x1b[F", (), b"\x1b[A\x1b[H\x1b[F"),
        (b"\x1b[A\x1b[H\x1b[F", (1,), b"\x1bOA\x1bOH\x1bOF"),
        (b"\x1b[1;5A", (1,), b"\x1b[1;5A"),
        (b"\x1b[200~a\nb\x1b[201~", (), b"a\nb"),
        (b"\x1b[200~a\nb\x1b[201~", (2004,), b"\x1b[200~a\nb\x1b[201~"),
        (b"\x1b[200~\x1b[A\x1b[201~", (1,), b"\x1b[A"),
        (b"\x1b[I\x1b[O", (), b""),
        (b"\x1b[I\x1b[O", (1004,), b"\x1b[I\x1b[O"),
        (b"\x1b[<0;5;5M", (1000, 1006), b""),  # the widget says where in the pane it was
    ],
)
def test_the_program_gets_what_it_asked_for(sent, private, arrives):
    assert encoded(sent, *private) == arrives


@tabled(
    ("name", "character", "private", "arrives"),
    [
        ("a", "a", (), b"a"), ("é", "é", (), "é".encode()), ("enter", None, (), b"\r"), ("tab", None, (), b"\t"),
        ("up", None, (), b"\x1b[A"), ("up", None, (1,), b"\x1bOA"), ("ctrl+c", None, (), b"\x03"),
        ("ctrl+backslash", None, (), b"\x1c"), ("ctrl+right_square_bracket", None, (), b"\x1d"),
        ("alt+f", None, (), b"\x1bf"),
        ("shift+tab", None, (), b"\x1b[Z"), ("f5", None, (), b"\x1b[15~"), ("space", " ", (), b" "),
        ("ctrl+@", None, (), b"\0"), ("escape", None, (), b"\x1b"), ("alt+enter", None, (), b"\x1b\r"),
        ("shift+up", None, (1,), b"\x1b[1;2A"), ("<scroll-up>", None, (), b""),
    ],
)  # fmt: skip
def test_keys_by_their_names_where_no_bytes_come(name, character, private, arrives):
    assert encoding.key(name, character, modes(*private)) == arrives
