"""Missions drawn as a tree."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.cli.output import branches


def rows(**parents):
    return [{"id": mission, "parent": parent} for mission, parent in parents.items()]


def drawn(*args):
    return [prefix + row["id"] for prefix, row in branches(*args)]


def test_children_stand_below_their_parents_with_branches():
    shown = drawn(rows(a=None, b="a", z=None, c="a", d="b", e="b", f="c"))

    assert shown == ["a", "├─ b", "│  ├─ d", "│  └─ e", "└─ c", "   └─ f", "z"]


def test_an_orphan_is_a_root():
    assert drawn(rows(a="gone", b="a")) == ["a", "└─ b"]


def test_a_circle_neither_hangs_nor_hides_anything():
    assert sorted(row["id"] for _, row in branches(rows(a="b", b="a", c="c"))) == ["a", "b", "c"]


def test_a_chain_of_thousands_is_drawn():
    chain = [{"id": str(n), "parent": str(n - 1) if n else None} for n in range(5000)]

    assert len(branches(chain)) == 5000


@given(st.lists(st.one_of(st.none(), st.integers(0, 20)), max_size=20))
def test_every_row_appears_exactly_once_whatever_the_parents(parents):
    made = [{"id": n, "parent": parent} for n, parent in enumerate(parents)]

    assert sorted(row["id"] for _, row in branches(made)) == list(range(len(parents)))
