"""What a YAML text says, and where: with names given twice, merged tables and words that are meant as texts."""

from __future__ import annotations

from typing import Any

import pytest

from overmind_core.documents.yaml import Scalar, ScalarKind, YamlPlaces, document
from overmind_core.domain.text.problems import Problem
from tests.kit.cases import tabled

CASES = {
    "a name that is given again": ("[&a 1, *a, &a 2, *a]", ["1", "1", "2", "2"]),
    "a name that is given again within what has it": ("[&a [&a 1, *a], *a]", [["1", "1"], ["1", "1"]]),
    "a merged table": ("a: &a { x: 1, y: 1 }\nb:\n  <<: *a\n  y: 2\n", {"a": ["x", "y"], "b": ["y", "x"]}),
    "several": ("- &a { x: 1 }\n- &b { x: 2, y: 2 }\n- <<: [*a, *b]\n  z: 3\n", [["x"], ["x", "y"], ["z", "x", "y"]]),
    "of a table that has one merged": (
        "- &a { x: 1 }\n- &b { <<: *a, y: 2 }\n- { <<: *b }\n",
        [["x"], ["y", "x"], ["y", "x"]],
    ),
}


def read(text: str) -> tuple[Any, YamlPlaces, list[Problem]]:
    return document(text.encode())


def outline(value):
    """Texts and lists as they are, the tables within as their keys."""
    if isinstance(value, Scalar):
        return value.text
    if isinstance(value, list):
        return [list(one) if isinstance(one, dict) else outline(one) for one in value]
    return {name: list(one) for name, one in value.items()}


@pytest.mark.parametrize("case", CASES)
def test_names_and_merged_tables_mean_what_yaml_says(case):
    text, expected = CASES[case]
    value, _, doubled = read(text)
    assert outline(value) == expected
    assert not doubled


WORDS = [
    ("1", ScalarKind.WHOLE), ("! 1", ScalarKind.TEXT), ("!!str 1", ScalarKind.TEXT), ("'1'", ScalarKind.TEXT),
    ("", ScalarKind.NOTHING), ("yes", ScalarKind.FLAG), ("1.5", ScalarKind.NUMBER), ("2026-11-20", ScalarKind.TEXT),
    ("!!int '1'", ScalarKind.WHOLE),
]  # fmt: skip


@tabled(("written", "kind"), WORDS)
def test_a_word_is_of_the_kind_that_yaml_takes_it_for(written, kind):
    value, _, _ = read(f"- {written}")
    assert [one.kind for one in value] == [kind]


def test_what_an_alias_stands_for_is_where_it_is_written():
    value, places, _ = read("a: &a\n  x: 1\nb: *a\nc: { <<: *a, y: [2] }\n")
    assert list(value) == ["a", "b", "c"]
    assert places.at_value(("a",)) == places.at_value(("b",)) == (1, 4)
    assert places.at_key(("b",)) == (3, 1)
    assert places.at_key(("a", "x")) == places.at_key(("b", "x")) == places.at_key(("c", "x")) == (2, 3)
    assert places.at_value(("c", "x")) == places.at_character(("c", "x"), 0) == (2, 6)
    assert places.at_value(("c", "y", 0)) == places.at_key(("c", "y", 0)) == (4, 18)
    assert places.at_key(()) == (1, 1)


def test_a_key_that_is_there_twice_is_told_once_however_often_its_table_is_used():
    value, _, doubled = read("a: &a { x: 1, x: { y: 1, y: 2 } }\nb: *a\nc: { <<: *a }\nb: 1\n")
    assert doubled == [
        Problem(1, 26, "y is listed twice: first in line 1"),
        Problem(1, 15, "x is listed twice: first in line 1"),
        Problem(4, 1, "b is listed twice: first in line 2"),
    ]
    assert value["a"]["x"] == value["b"]["x"] == value["c"]["x"] == Scalar("1", ScalarKind.WHOLE)
