"""Leaves first, whatever the family looks like."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.missions.tree import children_of, levels
from tests.kit.cases import tabled

TREE = {"a": None, "b": "a", "c": "a", "d": "b", "e": "d", "x": None, "y": "x", "o": "gone"}
LEVELS = [
    (["a"], [["e"], ["d"], ["b", "c"], ["a"]]),
    (["b"], [["e"], ["d"], ["b"]]),
    (["e"], [["e"]]),
    (["x"], [["y"], ["x"]]),
    (["a", "x"], [["e"], ["d"], ["b", "c", "y"], ["a", "x"]]),
    (["a", "d"], [["e"], ["d"], ["b", "c"], ["a"]]),
    (["a", "a"], [["e"], ["d"], ["b", "c"], ["a"]]),
    (["gone"], [["o"], ["gone"]]),
    ([], []),
]


@tabled(("roots", "expected"), LEVELS)
def test_a_family_in_levels(roots, expected):
    assert [sorted(level) for level in levels(roots, TREE)] == expected


def test_children_are_listed_in_order():
    assert children_of(TREE) == {"a": ["b", "c"], "b": ["d"], "d": ["e"], "x": ["y"], "gone": ["o"]}


def test_a_circle_ends():
    assert sorted(one for level in levels(["a"], {"a": "b", "b": "a"}) for one in level) == ["a", "b"]


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(*(st.integers(-1, i - 1) for i in range(n)))))
def test_nobody_comes_after_its_parent_and_everybody_once(above):
    parents = {str(i): None if p < 0 else str(p) for i, p in enumerate(above)}
    order = levels(["0"], parents)
    place = {one: number for number, level in enumerate(order) for one in level}
    assert len(place) == sum(map(len, order))
    below = {"0"}
    for child, parent in parents.items():  # a child's number is above its parent's
        if parent in below:
            below.add(child)
            assert place[child] < place[parent]
    assert set(place) == below
