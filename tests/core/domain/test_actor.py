"""Who asked: which words stand for a person."""

from __future__ import annotations

import pytest

from overmind_core.domain.actor import ENGINE, PERSON, is_person
from tests.kit.cases import tabled

PERSONS = [PERSON, "web:phone", "web:browser-2", f"{'a' * 16}:{'z' * 32}"]
OTHERS = [
    None, 7, "", ENGINE, "?", "a1b2c3d4", "a person", "rule Bash(git:status)", "web:", ":phone", "web:Phone", "web:a b",
    "web:phone\n", "\nweb:phone", "web:phone:x", "web:ph\u00f6ne", f"{'a' * 17}:z", f"web:{'z' * 33}", "Web:phone",
    b"person",
]  # fmt: skip


@pytest.mark.parametrize("by", PERSONS)
def test_a_person_is(by):
    assert is_person(by)


@tabled("by", OTHERS)
def test_no_person_is(by):
    assert not is_person(by)
