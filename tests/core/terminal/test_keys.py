"""Keys, pastes and the focus as the bytes that a program expects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.terminal.input_encoding import UnknownKey, encode_key, focus, paste
from overmind_core.terminal.screen import Screen
from tests.kit.cases import tabled


def modes_after(data: bytes):
    screen = Screen(8, 4)
    screen.feed(data)
    return screen.modes


KEYS = [
    ("a", b"a"), ("A", b"A"), ("shift+a", b"A"), ("é", "é".encode()), ("日", "日".encode()), ("space", b" "),
    ("+", b"+"),
    ("enter", b"\r"), ("alt+enter", b"\x1b\r"), ("tab", b"\t"), ("shift+tab", b"\x1b[Z"), ("escape", b"\x1b"),
    ("backspace", b"\x7f"), ("ctrl+backspace", b"\b"), ("alt+backspace", b"\x1b\x7f"),
    ("ctrl+a", b"\x01"), ("ctrl+Z", b"\x1a"), ("ctrl+space", b"\0"), ("ctrl+@", b"\0"), ("ctrl+[", b"\x1b"),
    ("ctrl+\\", b"\x1c"), ("ctrl+]", b"\x1d"), ("ctrl+^", b"\x1e"), ("ctrl+_", b"\x1f"), ("ctrl+/", b"\x1f"),
    ("ctrl++", b"+"), ("alt++", b"\x1b+"), ("alt+x", b"\x1bx"), ("ctrl+alt+x", b"\x1b\x18"), ("ctrl+é", "é".encode()),
    ("up", b"\x1b[A"), ("down", b"\x1b[B"), ("right", b"\x1b[C"), ("left", b"\x1b[D"), ("home", b"\x1b[H"),
    ("end", b"\x1b[F"), ("shift+up", b"\x1b[1;2A"), ("alt+left", b"\x1b[1;3D"), ("ctrl+right", b"\x1b[1;5C"),
    ("ctrl+shift+alt+end", b"\x1b[1;8F"), ("insert", b"\x1b[2~"), ("delete", b"\x1b[3~"), ("pageup", b"\x1b[5~"),
    ("pagedown", b"\x1b[6~"), ("ctrl+delete", b"\x1b[3;5~"), ("f1", b"\x1bOP"), ("f4", b"\x1bOS"),
    ("shift+f1", b"\x1b[1;2P"), ("f5", b"\x1b[15~"), ("f12", b"\x1b[24~"), ("ctrl+f5", b"\x1b[15;5~"),
    ("kp_5", b"5"), ("kp_enter", b"\r"), ("meta+a", b"a"),
]  # fmt: skip
BY_MODE = [
    (b"\x1b[?1h", "up", b"\x1bOA"),
    (b"\x1b[?1h", "end", b"\x1bOF"),
    (b"\x1b[?1h", "ctrl+up", b"\x1b[1;5A"),
    (b"\x1b=", "kp_5", b"\x1bOu"),
    (b"\x1b=", "kp_enter", b"\x1bOM"),
    (b"\x1b=", "up", b"\x1b[A"),
    (b"\x1b[?67h", "backspace", b"\b"),
    (b"\x1b[?67h", "ctrl+backspace", b"\x7f"),
    (b"\x1b[20h", "enter", b"\r\n"),
]


@tabled(("key", "data"), KEYS)
def test_a_key_sends_what_xterm_sends(key, data):
    assert encode_key(key, modes_after(b"")) == data


@tabled(("modes", "key", "data"), BY_MODE)
def test_a_program_chooses_what_some_keys_send(modes, key, data):
    assert encode_key(key, modes_after(modes)) == data


@tabled("key", ["", "nokey", "hyper+a", "ctrl+", "ctrl+nokey", "f99", "ab"])
def test_what_is_no_key_is_refused_by_name(key):
    with pytest.raises(UnknownKey, match="unknown key"):
        encode_key(key, modes_after(b""))


def test_a_paste_sends_enter_for_line_ends_and_is_marked_on_request():
    assert paste("a\nb\r\nc", modes_after(b"")) == b"a\rb\rc"
    assert paste("a\nb", modes_after(b"\x1b[?2004h")) == b"\x1b[200~a\rb\x1b[201~"


@given(st.lists(st.sampled_from(["\x1b[201~", "\x9b201~", "\x1b[20", "1~", "\x1b[", "201~", "x", "\x9b"])).map("".join))
def test_nothing_in_a_paste_ends_it(text):
    marked = paste(text, modes_after(b"\x1b[?2004h")).decode()
    inside = marked.removeprefix("\x1b[200~").removesuffix("\x1b[201~")
    assert "\x1b[201~" not in inside
    assert "\x9b201~" not in inside


def test_the_focus_is_told_on_request():
    assert focus(modes_after(b""), gained=True) == b""
    asked = modes_after(b"\x1b[?1004h")
    assert (focus(asked, gained=True), focus(asked, gained=False)) == (b"\x1b[I", b"\x1b[O")
