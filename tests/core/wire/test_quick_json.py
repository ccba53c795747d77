"""JSON without the module `json`: the same texts and values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.wire import quick_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
BUILT_IN = quick_json._built_in()
WAYS = [pytest.param(BUILT_IN, id="built in"), pytest.param(quick_json._by_module(), id="by the module")]


@pytest.mark.parametrize("way", WAYS)
@given(value=VALUES)
def test_what_is_written_is_what_the_module_writes_and_reads(way, value):
    encode, decode = way
    text = encode(value)
    assert text == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert decode(text) == value


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "text", ["", " ", "{", "}", '{"a":}', "[1,]", "nul", "1 2", '{"a": 1} x', '"\n"', '"\\u12"', "{'a': 1}", "\ufeff{}"]
)
def test_what_is_no_json_is_a_value_error(way, text):
    with pytest.raises(ValueError):  # noqa: PT011 -- each way has words of its own
        way[1](text)


@pytest.mark.parametrize("way", WAYS)
def test_blanks_around_a_value_are_no_part_of_it(way):
    assert way[1](' \n {"a": [1, -2.5e3, "\\u00e9\\n"]} \r\n') == {"a": [1, -2500.0, "\u00e9\n"]}


@pytest.mark.parametrize("way", WAYS)
def test_a_value_that_json_does_not_know_is_refused(way):
    with pytest.raises(TypeError):
        way[0]({"a": object()})


def test_the_interpreter_has_what_is_needed():
    """Where this fails, commands are as slow as with `json`, and nothing else is wrong."""
    assert quick_json.encode.__qualname__.startswith("_built_in")
