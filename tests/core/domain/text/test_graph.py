"""Dependencies come first, circles are named, and nothing is too deep."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.text.graph import Cycle, below, critical_path, find_cycle, levels, order
from tests.kit.cases import tabled

DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
BACKWARDS = {"d": ["c", "b"], "c": ["a"], "b": ["a"], "a": []}
DEEP = 5_000
"""Far behind the recursion limit."""

ORDERS = [
    ({}, []),
    (DIAMOND, ["a", "b", "c", "d"]),
    (BACKWARDS, ["a", "c", "b", "d"]),
    ({"z": [], "m": [], "a": []}, ["z", "m", "a"]),
    ({"a": ["z"], "b": [], "z": []}, ["b", "z", "a"]),
    ({"a": ["gone"], "b": []}, ["a", "b"]),
    ({"b": ["a", "a"], "a": []}, ["a", "b"]),
]


@tabled(("edges", "expected"), ORDERS)
def test_an_order_takes_the_first_that_may_come(edges, expected):
    assert order(edges) == expected


CIRCLES = [
    ({}, None),
    (DIAMOND, None),
    ({"a": ["a"]}, ["a"]),
    ({"a": ["b"], "b": ["a"]}, ["a", "b"]),
    ({"start": ["c"], "a": ["b"], "b": ["c"], "c": ["a"]}, ["a", "b", "c"]),
    ({"x": ["gone", "y"], "y": ["x"]}, ["x", "y"]),
    ({"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": ["c"]}, ["c", "a"]),
]


@tabled(("edges", "expected"), CIRCLES)
def test_a_circle_is_named_in_order(edges, expected):
    assert find_cycle(edges) == expected


@pytest.mark.parametrize("ask", [order, levels, lambda edges: critical_path(edges, {})])
def test_a_circle_has_no_order(ask):
    with pytest.raises(Cycle, match=r"^b -> c -> b$") as refused:
        ask({"a": [], "b": ["c", "a"], "c": ["b"], "d": ["b"]})
    assert refused.value.members == ("b", "c")


BELOW = [
    (["a"], {"b", "c", "d"}),
    (["b"], {"d"}),
    (["d"], set()),
    (["a", "b"], {"b", "c", "d"}),
    (["b", "c"], {"d"}),
    (["gone"], set()),
    ([], set()),
]


@tabled(("names", "expected"), BELOW)
def test_what_depends_on_something(names, expected):
    assert below(DIAMOND, names) == expected


def test_in_a_circle_each_depends_on_itself():
    assert below({"a": ["b"], "b": ["a"], "c": []}, ["a"]) == {"a", "b"}


LEVELS = [
    ({}, []),
    (DIAMOND, [["a"], ["b", "c"], ["d"]]),
    (BACKWARDS, [["a"], ["c", "b"], ["d"]]),
    ({"a": [], "b": ["a"], "c": ["a", "b"], "free": []}, [["a", "free"], ["b"], ["c"]]),
    ({"a": ["gone"]}, [["a"]]),
]


@pytest.mark.parametrize(("edges", "expected"), LEVELS)
def test_a_level_depends_on_those_above(edges, expected):
    assert levels(edges) == expected


CRITICAL = [
    ({}, {}, []),
    (DIAMOND, {"a": 1, "b": 2, "c": 3, "d": 1}, ["a", "c", "d"]),
    (DIAMOND, {}, ["a", "b", "d"]),
    ({"quick": [], "slow": [], "last": ["quick"]}, {"slow": 5.0, "quick": 1.0, "last": 1.0}, ["slow"]),
    ({"last": ["first", "gone"], "first": []}, {"gone": 9.0}, ["first", "last"]),
]


@pytest.mark.parametrize(("edges", "seconds", "expected"), CRITICAL)
def test_the_chain_that_takes_longest(edges, seconds, expected):
    assert critical_path(edges, seconds) == expected


def test_a_long_chain_is_nothing_special():
    chain = {str(number): [str(number + 1)] for number in range(DEEP)} | {str(DEEP): []}
    assert order(chain) == list(chain)[::-1] == critical_path(chain, {})
    assert len(levels(chain)) == DEEP + 1
    assert len(below(chain, [str(DEEP)])) == DEEP
    assert find_cycle(chain | {str(DEEP): ["0"]}) == list(chain)


def graphs(*, circles):
    """Up to twelve names in any order, each with dependencies; without circles only on lower numbers."""

    def edges_of(count):
        above = st.integers(0, count - 1)
        one = [st.lists(above if circles else st.integers(0, max(n - 1, 0)), max_size=4) for n in range(count)]
        return st.tuples(*one).flatmap(lambda rows: st.permutations(list(enumerate(rows))))

    def named(rows):
        return {f"n{n}": [f"n{d}" for d in found if circles or d < n] for n, found in rows}

    return st.integers(1, 12).flatmap(edges_of).map(named)


@given(graphs(circles=False))
def test_every_order_has_each_once_and_respects_the_edges(edges):
    found = order(edges)
    assert sorted(found) == sorted(edges)
    place = {name: number for number, name in enumerate(found)}
    assert all(place[one] < place[name] for name, dependencies in edges.items() for one in dependencies)
    assert order({name: edges[name] for name in found}) == found
    assert find_cycle(edges) is None


@given(graphs(circles=False))
def test_every_level_is_as_high_as_it_can_be(edges):
    depth = {name: number for number, level in enumerate(levels(edges)) for name in level}
    assert depth == {name: 1 + max((depth[one] for one in edges[name]), default=-1) for name in edges}


@given(graphs(circles=True))
def test_there_is_an_order_or_a_circle_never_both(edges):
    circle = find_cycle(edges)
    if circle is None:
        assert len(order(edges)) == len(edges)
        return
    assert len(set(circle)) == len(circle)
    assert all(following in edges[one] for one, following in zip(circle, [*circle[1:], circle[0]], strict=True))
    with pytest.raises(Cycle):
        order(edges)


@given(graphs(circles=True), st.integers(1, 12))
def test_below_is_what_reaches_it(edges, number):
    name = f"n{number}"
    expected = {one for one, dependencies in edges.items() if name in dependencies and name in edges}
    while more := {one for one in edges if expected & set(edges[one])} - expected:
        expected |= more
    assert below(edges, [name]) == expected


@given(graphs(circles=False), st.lists(st.integers(0, 9), min_size=12, max_size=12))
def test_no_chain_takes_longer_than_the_critical_one(edges, numbers):
    seconds = {name: float(one) for name, one in zip(edges, numbers, strict=False)}
    path = critical_path(edges, seconds)
    assert all(one in edges[following] for one, following in pairwise(path))
    longest: dict[str, float] = {}
    for name in order(edges):
        longest[name] = seconds[name] + max((longest[one] for one in edges[name]), default=0.0)
    assert sum(seconds[name] for name in path) == max(longest.values())
