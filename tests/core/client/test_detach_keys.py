"""Keys to leave, as terminals send them."""

from __future__ import annotations

import pytest

from overmind_core.client.detach_keys import DEFAULT_KEY, DetachKey, is_pressed, parse_key
from tests.kit.cases import tabled

LEAVES = {
    "kitty": b"\x1b[92;5u",
    "kitty, with the kind of event": b"\x1b[92;5:1u",
    "kitty, held": b"\x1b[92;5:2u",
    "kitty, with alternate keys": b"\x1b[92:124;5u",
    "kitty, with all keys": b"\x1b[92:124:92;5:1u",
    "kitty, with text": b"\x1b[92;5;28u",
    "kitty, caps lock": b"\x1b[92;69u",
    "kitty, num lock and caps lock": b"\x1b[92;197:1u",
    "kitty, on a Cyrillic keyboard": b"\x1b[1105::92;5u",
    "kitty, where shift makes it": b"\x1b[55:92;6u",
    "modifyOtherKeys": b"\x1b[27;5;92~",
}
OTHERS = {
    "let go": b"\x1b[92;5:3u",
    "without ctrl": b"\x1b[92u",
    "with alt": b"\x1b[92;7u",
    "with super": b"\x1b[92;13u",
    "another key": b"\x1b[93;5u",
    "another key at its place": b"\x1b[42::92;5u",
    "modifyOtherKeys, with alt": b"\x1b[27;7;92~",
    "a cursor position": b"\x1b[92;5R",
    "an arrow": b"\x1b[1;5A",
    "nothing": b"",
}


@tabled("sequence", LEAVES.values(), ids=LEAVES)
def test_it_leaves(sequence):
    assert is_pressed(sequence, [DEFAULT_KEY])


@tabled("sequence", OTHERS.values(), ids=OTHERS)
def test_it_does_not_leave(sequence):
    assert not is_pressed(sequence, [DEFAULT_KEY])


@pytest.mark.parametrize("text", ["ctrl-]", "ctrl+]", "C-]", "^]", " Ctrl-] "])
def test_a_key_can_be_written_in_the_usual_ways(text):
    assert parse_key(text) == DetachKey(ord("]"))


@tabled(
    ("text", "byte"), [("ctrl-a", 1), ("ctrl-Z", 26), ("ctrl-\\", 0x1C), ("ctrl-space", 0), ("ctrl-@", 0), ("^_", 0x1F)]
)
def test_a_key_has_its_byte(text, byte):
    assert parse_key(text).byte == byte
    assert is_pressed(b"\x1b[%d;5u" % parse_key(text).code, [parse_key(text)])


@tabled("text", ["", "x", "ctrl-", "ctrl-ab", "f12", "ctrl-1", "alt-x", "ctrl-é"])
def test_what_is_no_key_is_said_to_be_none(text):
    with pytest.raises(ValueError, match="is not a key"):
        parse_key(text)


@pytest.mark.parametrize(("text", "why"), [("ctrl-m", "Enter"), ("ctrl-i", "Tab"), ("^[", "Esc"), ("ctrl-c", "interr")])
def test_a_key_that_everybody_needs_can_not_leave(text, why):
    with pytest.raises(ValueError, match=why):
        parse_key(text)
