"""What is drawn can be read: the lines lead from each name to those that depend on it, and to no others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.text.graph import Cycle, order
from overmind_core.domain.text.graph_drawing import MAX_NAMES, draw
from tests.kit.cases import tabled

DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
RELEASE = {"lint": [], "fetch": [], "build": ["fetch"], "test": ["fetch", "lint"], "publish": ["build", "test"]}
CHAIN = {"fetch": [], "build": ["fetch"], "test": ["build"]}
DRAWN = {
    "nothing": ({}, 80, ""),
    "one": ({"a": []}, 80, "a"),
    "free ones": ({"a": [], "b": []}, 80, "a\nb"),
    "chain": (
        CHAIN,
        80,
        """
fetch ─┐
       └─ build ─┐
                 └─ test""",
    ),
    "chain in a narrow place": (
        CHAIN,
        20,
        """
fetch
└─ build
   └─ test""",
    ),
    "diamond": (
        DIAMOND,
        80,
        """
a ─┐
   ├─ b ─┐
   └─ c ─┤
         └─ d""",
    ),
    "diamond in a narrow place": (
        DIAMOND,
        12,
        """
a
├─ b
└──│─ c
   └──┴─ d""",
    ),
    "crossing lines": (
        RELEASE,
        80,
        """
lint ────┐
fetch ─┐ │
       ├─│─ build ─┐
       └─┴─ test ──┤
                   └─ publish""",
    ),
    "over several levels": (
        {"a": [], "b": ["a"], "c": ["b"], "d": ["a", "c"], "free": []},
        80,
        """
a ────┐
      ├─ b ─┐
      │     └─ c ─┐
      └───────────┴─ d
free""",
    ),
    "unknown and double dependencies": ({"a": ["gone"], "b": ["a", "a"]}, 80, "\na ─┐\n   └─ b"),
    "too narrow for lines": (
        RELEASE,
        18,
        """
lint
fetch
  build (depend...
  test (depends...
    publish""",
    ),
}


def text(edges, **chosen):
    return "\n".join(row.text for row in draw(edges, **chosen))


@tabled(("edges", "columns", "expected"), DRAWN.values(), ids=DRAWN)
def test_a_graph_is_drawn_as_it_fits(edges, columns, expected):
    assert text(edges, columns=columns) == expected.removeprefix("\n")


def test_a_terminal_without_line_characters_gets_others():
    assert text(RELEASE, ascii_only=True).splitlines() == [
        "lint ----+",
        "fetch -+ |",
        "       +-|- build -+",
        "       +-+- test --+",
        "                   +- publish",
    ]


def test_a_row_knows_its_name():
    assert [tuple(row) for row in draw(CHAIN)] == [
        ("", "fetch", " ─┐"),
        ("       └─ ", "build", " ─┐"),
        ("                 └─ ", "test", ""),
    ]


def test_many_names_are_a_list():
    chain = {f"step-{number}": [f"step-{number - 1}"] if number else [] for number in range(MAX_NAMES + 1)}
    rows = [row.text for row in draw(chain)]
    assert rows[:2] == ["step-0", "  step-1 (depends on: step-0)"]
    assert max(map(len, rows)) <= 80


def test_a_circle_can_not_be_drawn():
    with pytest.raises(Cycle):
        draw({"a": ["b"], "b": ["a"]})


@st.composite
def graphs(draw_one):
    names = [f"{letter * draw_one(st.integers(1, 9))}{place}" for place, letter in enumerate("abcdefghij")]
    names = names[: draw_one(st.integers(1, 10))]
    pick = [st.lists(st.sampled_from(names[:place]), unique=True, max_size=3) for place in range(1, len(names))]
    edges = {names[0]: []} | {name: draw_one(one) for name, one in zip(names[1:], pick, strict=True)}
    return {name: edges[name] for name in draw_one(st.permutations(names))}


MEETS_LEFT, MEETS_RIGHT, GOES_UP = set("┐┤┘┬┴┼"), set("└├┴┬┼┌"), set("│├┤└┘┴┼")


def read(rows):
    """The edges that the lines show: from each name to the left, up each line that is met, and to its names."""
    lines = [row.text.ljust(300) for row in rows]
    starts = [len(row.before) for row in rows]
    return {row.name: sorted(set(_sources(rows, lines, starts, place))) for place, row in enumerate(rows)}


def _sources(rows, lines, starts, place):
    for column in range(starts[place] - 2):
        if lines[place][column] in MEETS_RIGHT:
            yield from _up(rows, lines, starts, place, column)


def _up(rows, lines, starts, place, column):
    while lines[place][column] in GOES_UP:
        place -= 1
        if starts[place] == column:
            yield rows[place].name
            return
        if lines[place][column] in MEETS_LEFT - MEETS_RIGHT:
            assert set(lines[place][starts[place] + len(rows[place].name) + 1 : column]) <= set("─│")
            yield rows[place].name


@given(graphs(), st.sampled_from([25, 40, 80, 250]))
def test_what_is_drawn_is_what_was_meant(edges, columns):
    rows = draw(edges, columns=columns)
    assert all(len(row.text) <= columns for row in rows)
    place = {row.name: number for number, row in enumerate(rows)}
    assert list(place) == order(edges)
    if any("depends on" in row.after or "..." in row.after for row in rows):
        return
    assert read(rows) == {name: sorted(edges[name]) for name in place}


@given(graphs(), st.sampled_from([25, 80, 250]))
def test_without_line_characters_everything_stands_where_it_did(edges, columns):
    lines, plain = (draw(edges, columns=columns, ascii_only=wanted) for wanted in (False, True))
    assert [(len(one.before), one.name, len(one.after)) for one in lines] == [
        (len(one.before), one.name, len(one.after)) for one in plain
    ]
    assert all(row.text.isascii() for row in plain)


@given(st.integers(0, 40), st.integers(4, 80))
def test_no_row_is_wider_than_it_may_be(count, columns):
    chain = {f"n{number}": [f"n{number - 1}"] if number else [] for number in range(count)}
    assert all(len(row.text) <= columns for row in draw(chain, columns=columns))
