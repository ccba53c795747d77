"""Edges beside a list of names: the lines lead from each name to those that depend on it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.text.graph import NODE, Cycle, drawing, order
from tests.kit.cases import tabled

DRAWN = {
    "nothing": ({}, ""),
    "free ones": ({"a": [], "b": []}, "● a\n● b"),
    "a chain": ({"a": [], "b": ["a"]}, "● a\n│\n● b"),
    "a diamond": ({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}, "● a\n├─╮\n● │ b\n│ ● c\n├─╯\n● d"),
    "one that has nothing to do with it": ({"a": [], "b": [], "c": ["a"]}, "● a\n│ ● b\n● c"),
    "one that is no key": ({"a": ["x"], "b": ["a", "a"]}, "● a\n│\n● b"),
    "lines that cross": (
        {"a": [], "b": [], "c": ["a", "b"], "d": ["a"], "e": ["b", "d"], "f": ["c", "e", "a"]},
        "● a\n├─┬─╮\n│ │ │ ● b\n├─│─│─┤\n● │ │ │ c\n╰─│─┤ │\n  ● │ │ d\n  ╰─│─┤\n    │ ● e\n    ├─╯\n    ● f",
    ),
}
RIGHT = "─╭╰├┬┴┼"
LEFT = "─╮╯┤┬┴┼"
UP = "│├┤╰╯┴┼"
DOWN = "│├┤╭╮┬┼"


@tabled(("edges", "expected"), DRAWN.values(), ids=DRAWN)
def test_a_graph_looks_like_this(edges, expected):
    assert "\n".join(f"{row.lines} {row.name or ''}".rstrip() for row in drawing(edges)) == expected


def test_a_circle_is_refused():
    with pytest.raises(Cycle):
        drawing({"a": ["b"], "b": ["a"]})


def edges_of(numbers):
    """Each number depends on some that are smaller."""
    return st.fixed_dictionaries(
        {
            str(n): st.lists(st.sampled_from([str(m) for m in range(n)]), max_size=3) if n else st.just([])
            for n in numbers
        }
    )


def reached(rows):
    """Name → names that its lines lead down to, followed from cell to cell."""
    cells = [row.lines.ljust(200) for row in rows]
    names = {place: row.name for place, row in enumerate(rows) if row.name}

    def ends(place, column, came):
        sign = cells[place][column]
        if sign == NODE:
            return {names[place]}
        ways = {"up": UP, "down": DOWN, "left": LEFT, "right": RIGHT}
        if sign == "│" and came in {"left", "right"}:  # it passes under
            return ends(place, column + (1 if came == "left" else -1), came)
        steps = {"down": (1, 0, "up"), "left": (0, -1, "right"), "right": (0, 1, "left")}
        found = set()
        for way, (row, side, from_there) in steps.items():
            if way != came and sign in ways[way]:
                found |= ends(place + row, column + side, from_there)
        return found

    found = {}
    for place, name in names.items():
        column = cells[place].index(NODE)
        below = cells[place + 1][column] if place + 1 < len(rows) else " "
        found[name] = ends(place + 1, column, "up") if below in UP else set()
    return found


@given(st.integers(0, 9).flatmap(lambda size: edges_of(range(size))))
def test_whoever_follows_the_lines_finds_who_depends_on_a_name(edges):
    rows = drawing(edges)
    found = reached(rows)

    assert [row.name for row in rows if row.name] == order(edges)
    for name in edges:
        dependents = {one for one, needs in edges.items() if name in needs}
        assert dependents <= found[name]
        assert bool(dependents) == bool(found[name])


def test_a_long_chain_is_drawn():
    edges = {str(number): [str(number - 1)] if number else [] for number in range(2000)}

    assert len(drawing(edges)) == 2 * len(edges) - 1
