"""Ratios and rows of the figures."""

from __future__ import annotations

import pytest

from bench.figures import Rounds, at_least, at_most, per_second, ratio, take_turns


def test_sides_take_turns():
    order = []

    def side(name):
        order.append(name)
        return float(len(order))

    taken = take_turns({"a": lambda: side("a"), "b": lambda: side("b")}, rounds=2)
    assert order == ["a", "b", "a", "b"]
    assert (taken["a"].values, taken["b"].values) == ([1.0, 3.0], [2.0, 4.0])


def test_the_ratio_is_the_middle_one_of_the_rounds():
    ours, theirs = Rounds("a", [2.0, 30.0, 4.0]), Rounds("b", [1.0, 10.0, 4.0])
    assert ratio(ours, theirs) == 2.0


@pytest.mark.parametrize(
    ("judge", "values", "met"),
    [(at_least, [2.0], True), (at_least, [1.9], False), (at_most, [2.0], True), (at_most, [2.1], False)],
)
def test_a_row_says_whether_the_goal_is_met(judge, values, met):
    row = judge("starts", Rounds("a", values), Rounds("b", [1.0]), 2.0, per_second)
    assert row.met is met
    assert row.beside == "b 1/s"
