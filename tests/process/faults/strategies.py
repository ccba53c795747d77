"""What an attacker may send, as hypothesis draws it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import strategies as st

from overmind_core.daemon.routes import TABLE

numbers = st.one_of(
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.just(10**400),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0, -1, 2**31, 2**53, 2**63, 2**64, 1e308, -1e308]),
)
texts = st.one_of(
    st.text(max_size=40),
    st.text(st.characters(categories=("Cs", "Cc", "Cf", "Lo")), max_size=10),
    st.sampled_from(
        ["", "\0", "a" * 200_000, "..", "../../etc", "-1", "1e400", "inf", "5m", "9" * 400 + "d", "\x1b[2J"]
    ),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=10
)
deep = st.integers(1, 3000).map(lambda depth: "[" * depth + "]" * depth)


def argument(field: str, known: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Something that fits the field more often than chance would have it, or anything at all."""
    return st.one_of(known[field], values) if field in known else values


def arguments(command: str, known: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments of a command: some of its own, with right and wrong values, and some that it never had."""
    fields = [field.name for field in msgspec.structs.fields(TABLE[command][0])]
    own = st.fixed_dictionaries({}, optional={field: argument(field, known) for field in fields})
    foreign = st.one_of(st.just({}), st.dictionaries(texts, values, max_size=1))
    return st.builds(lambda one, other: {**other, **one}, own, foreign)


def line(message: Any) -> bytes:
    """As JSON, whatever it is; lone surrogates travel as escapes, NaN and Infinity as no JSON has them."""
    return json.dumps(message).encode() + b"\n"
