"""Text that is no UTF-8 travels as valid UTF-8, and arrives byte for byte."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.text.bytestrings import from_wire, to_wire


@given(st.binary())
def test_every_byte_string_survives_the_wire(data):
    wire = to_wire(os.fsdecode(data))

    assert wire.encode("utf-8").decode("utf-8") == wire
    assert os.fsencode(from_wire(wire)) == data


@pytest.mark.parametrize("text", ["", "plain", "grün", "漢字 🙂"])
def test_ordinary_text_stays_as_it_is(text):
    assert to_wire(text) == text
    assert from_wire(text) == text


def test_a_byte_that_is_no_utf8_becomes_a_private_character():
    assert to_wire("a\udcffb") == "a\U0010dcffb"


def test_a_private_character_of_ours_in_real_text_is_not_mistaken_for_a_byte():
    text = "\U0010dcff"

    assert os.fsencode(from_wire(to_wire(text))) == text.encode()
