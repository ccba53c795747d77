"""A gate's greeting, cut anywhere, behind any noise."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overmind_core.wire.gate import BEGINNING, LONGEST_LINE, NOISE_LIMIT, greeting_in, line

HELLO = {"gate": 1, "version": "0.1.0", "home": "/home/ada/.overmind"}


def noises():
    """What a login shell may print: anything but a line that begins as a greeting."""
    return st.binary(max_size=200).filter(lambda data: BEGINNING not in data)


@given(noises(), st.binary(max_size=100), st.data())
@example(b'{"gat\n{', b"", None)
def test_a_greeting_is_found_behind_any_noise_wherever_it_is_cut(noise, behind, data):
    before = noise + b"\n" if noise else b""
    whole = before + line(HELLO) + behind
    assert greeting_in(whole) == (HELLO, behind)
    end = len(before) + len(line(HELLO))
    cuts = range(end) if data is None else [data.draw(st.integers(0, end - 1))]
    for cut in cuts:
        assert greeting_in(whole[:cut]) is None


@given(st.binary(max_size=2000))
def test_any_bytes_are_no_greeting_yet_or_a_fault_and_nothing_else(data):
    found, why = None, ""
    try:
        found = greeting_in(BEGINNING + data)
    except ValueError as error:
        why = str(error)
    assert why.startswith("its greeting") if why else found is None or isinstance(found[0]["gate"], int)


@pytest.mark.parametrize(
    ("received", "why"),
    [
        (b"x" * (NOISE_LIMIT + 1), "more than 64 KiB before the gate begins"),
        (b"\n" * (NOISE_LIMIT + 1), "more than 64 KiB before the gate begins"),
        (BEGINNING + b"1" * (LONGEST_LINE + 1), "its greeting has no end"),
        (BEGINNING + b"}\n", "not JSON"),
        (BEGINNING + b"\xff}\n", "not JSON"),
        (BEGINNING + b'"1"}\n', "that of no gate"),
        (BEGINNING + b"1.5}\n", "that of no gate"),
        (BEGINNING + b"true}\n", "that of no gate"),
        (BEGINNING + b"[" * 50_000 + b"\n", "not JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_be_no_greeting_any_more_is_said_to_be_none(received, why):
    with pytest.raises(ValueError, match=why):
        greeting_in(received)


def test_a_greeting_in_the_middle_of_a_line_is_noise():
    assert greeting_in(b"welcome " + line(HELLO)) is None
