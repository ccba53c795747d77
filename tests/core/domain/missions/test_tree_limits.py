"""How far trees grow: the tightest limit of a line counts, and nobody gives away more than it has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.missions.tree import MAX_CHILDREN, MAX_DEPTH, Ancestor, refusal
from tests.kit.cases import tabled


def line(*given):
    """A line from the parent up to the root, of (max_children, max_depth)."""
    return [Ancestor(f"id{place}", f"name{place}", *limits) for place, limits in enumerate(given)]


NONE = (None, None)
CASES = [
    # line, live children of the parent, an agent may, a person may
    ([], 0, True, True),
    ([NONE], 9, True, True),
    ([NONE], 10, False, True),
    ([(2, None)], 1, True, True),
    ([(2, None)], 2, False, False),
    ([(0, None)], 0, False, False),
    ([(100, None)], 99, True, True),
    ([NONE, (2, None)], 2, False, False),
    ([(50, None), (2, None)], 2, False, False),
    ([(1, None), (20, None)], 1, False, False),
    ([(1000, None), NONE], 10, False, True),
    ([NONE, NONE], 0, True, True),
    ([NONE, NONE, NONE], 0, True, True),
    ([NONE, NONE, NONE, NONE], 0, False, True),
    ([NONE, NONE, NONE, (None, 4)], 0, True, True),
    ([NONE, (None, 1)], 0, False, False),
    ([(None, 0)], 0, False, False),
    ([NONE, NONE, (None, 1), (None, 9)], 0, False, False),
    ([(None, 9), NONE, NONE, NONE], 0, False, True),
]


@tabled(("limits", "live", "agent", "person"), CASES)
def test_who_may_start_one_more(limits, live, agent, person):
    assert (refusal(line(*limits), live, inside=True) is None) is agent
    assert (refusal(line(*limits), live, inside=False) is None) is person


SENTENCES = [
    (
        line((2, None)),
        2,
        (
            "Mission id0 (name0) has 2 live children, and --max-children of mission id0 (name0) allows 2."
            " Wait until one ends, or stop one."
        ),
    ),
    (
        line(NONE, (1, None)),
        1,
        (
            "Mission id0 (name0) has 1 live child, and --max-children of mission id1 (name1) allows 1."
            " Wait until one ends, or stop one."
        ),
    ),
    (
        line(NONE, NONE, NONE, NONE),
        0,
        (
            "Mission id0 (name0) stands 3 generations below id3 (name3), and --max-depth (the default) of mission"
            " id3 (name3) allows 3: it can't start missions."
        ),
    ),
]


@pytest.mark.parametrize(("above", "live", "said"), SENTENCES)
def test_a_refusal_names_the_limit_and_who_has_it(above, live, said):
    assert refusal(above, live, inside=True) == said


limits = st.tuples(st.none() | st.integers(0, 12), st.none() | st.integers(0, 5))


@given(st.lists(limits, min_size=1, max_size=6), st.integers(0, 15), limits)
def test_a_mission_below_may_never_do_what_one_above_may_not(above, live, own):
    """Whatever a child is given, its line is bound by everything above it."""
    alone = refusal(line(*above), live, inside=True)
    with_child = refusal(line(own, *above), live, inside=True)
    if alone is not None:
        assert with_child is not None


@given(st.lists(limits, max_size=6), st.integers(0, 15))
def test_a_person_may_whatever_an_agent_may(above, live):
    if refusal(line(*above), live, inside=True) is None:
        assert refusal(line(*above), live, inside=False) is None


def test_the_defaults_are_those_of_the_contract():
    assert (MAX_CHILDREN, MAX_DEPTH) == (10, 3)
