"""Text that a database takes, whatever an agent has written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.text.storable import storable_json

TEXTS = st.text(st.characters(min_codepoint=0, max_codepoint=0xFFFF, categories=None))


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"a": "b\0c"}, {"a": "b\ufffdc"}),
        ({"a\0": [1, None, "\udc80"]}, {"a\ufffd": [1, None, "\ufffd"]}),
        ("\\u0000", "\\u0000"),
        (("x", 1.5, True), ["x", 1.5, True]),
    ],
)
def test_what_can_t_be_kept_is_replaced_and_nothing_else(value, kept):
    assert json.loads(storable_json(value)) == kept


@given(st.recursive(TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=8))
def test_no_value_has_a_nul_or_half_a_character(value):
    text = repr(json.loads(storable_json(value)))
    assert "\\x00" not in text.replace("\\\\", "")
    json.loads(storable_json(value).encode())
