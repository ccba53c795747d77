"""Keys by the names of tmux."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.terminal.input_encoding import UnknownKey, encode_key
from overmind_core.terminal.key_names import NAMES, key_bytes
from overmind_core.terminal.modes import Modes

KEYS = {
    "Enter": b"\r", "enter": b"\r", "Escape": b"\x1b", "C-c": b"\x03", "C-C": b"\x03", "M-x": b"\x1bx", "y": b"y",
    "Up": b"\x1b[A", "S-Up": b"\x1b[1;2A", "C-M-Left": b"\x1b[1;7D", "BTab": b"\x1b[Z", "Space": b" ", "-": b"-",
    "C--": b"-", "PgDn": b"\x1b[6~", "F12": b"\x1b[24~", "é": "é".encode(), "+": b"+", "C-+": b"+",
}  # fmt: skip


@pytest.mark.parametrize(("name", "data"), KEYS.items(), ids=KEYS)
def test_a_key_by_its_name(name, data):
    assert key_bytes(name, Modes()) == data


@pytest.mark.parametrize("name", ["", "Entre", "C-", "X-a", "ctrl+c", "\x1b", "\n", "ab", "F21", "C-C-"])
def test_what_is_no_key_is_refused_by_its_name(name):
    with pytest.raises(UnknownKey) as error:
        key_bytes(name, Modes())
    assert error.value.name == name


def test_each_name_is_of_a_key():
    assert {name: key_bytes(name, Modes()) for name in NAMES} == {
        name: encode_key(key, Modes()) for name, key in NAMES.items()
    }


@given(st.text(max_size=6))
def test_any_word_is_a_key_or_refused(name):
    named = ""
    try:
        data = key_bytes(name, Modes())
    except UnknownKey as error:
        data, named = b"refused", error.name
    assert data
    assert named in {"", name}
