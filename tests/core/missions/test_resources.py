"""How much of a processor missions use, whoever looks and however often."""

from __future__ import annotations

import pytest

from overmind_core.missions.resources import FRESH_SECONDS, PAUSE, Meter, Sample

BUSY = (1, 100)
"""A process that uses half a core."""
OTHER = (2, 100)


def looked(meter, identity, *moments):
    """What each look at a process that uses half a core says."""
    return [round(meter.percent(identity, Sample(at, at / 2)), 1) for at in moments]


def test_a_looker_at_another_mission_takes_nothing_away():
    meter = Meter()
    figures = []
    for second in range(1, 6):
        figures += looked(meter, BUSY, float(second))
        looked(meter, OTHER, second + 0.5)
        meter.forget(second + 0.5)
    assert figures == [0.0, 50.0, 50.0, 50.0, 50.0]


@pytest.mark.parametrize("gap", [0.0, 0.001, PAUSE / 2])
def test_two_looks_at_nearly_the_same_moment_say_the_same(gap):
    meter = Meter()
    assert looked(meter, BUSY, 1.0, 2.0, 2.0 + gap, 3.0, 3.0 + gap) == [0.0, 50.0, 50.0, 50.0, 50.0]


def test_a_first_look_and_one_after_a_long_time_say_nothing_of_now():
    meter = Meter()
    assert looked(meter, BUSY, 1.0, 2.0, 3.0 + FRESH_SECONDS, 4.0 + FRESH_SECONDS) == [0.0, 50.0, 0.0, 50.0]


def test_a_tree_is_unknown_until_one_of_its_processes_has_a_sample_to_compare_with():
    meter = Meter()
    trees = {"a": {BUSY, OTHER}, "b": {OTHER}, "none": set()}
    assert meter.unknown(trees, 1.0).keys() == {"a", "b"}
    looked(meter, BUSY, 1.0)
    assert meter.unknown(trees, 1.0 + PAUSE / 2).keys() == {"a", "b"}  # over less a figure says nothing
    assert meter.unknown(trees, 1.0 + FRESH_SECONDS).keys() == {"b"}
    assert meter.unknown(trees, 1.1 + FRESH_SECONDS).keys() == {"a", "b"}


def test_processes_that_nobody_looks_at_any_more_are_forgotten():
    meter = Meter()
    looked(meter, BUSY, 1.0, 1.0 + FRESH_SECONDS)
    looked(meter, OTHER, 1.0)
    meter.forget(1.1 + FRESH_SECONDS)
    now = 1.5 + FRESH_SECONDS
    assert meter.unknown({"a": {BUSY}, "b": {OTHER}}, now, 100.0).keys() == {"b"}
    meter.forget(1.1 + 2 * FRESH_SECONDS)
    assert meter.unknown({"a": {BUSY}}, now, 100.0).keys() == {"a"}


def test_who_looks_often_does_not_make_it_forget_what_is_kept_for_who_looks_seldom():
    meter = Meter()
    seldom = 10 * FRESH_SECONDS
    meter.percent(BUSY, Sample(0.0, 0.0), seldom)
    looked(meter, OTHER, seldom - 1.0)
    meter.forget(seldom - 1.0)
    assert meter.percent(BUSY, Sample(seldom - 1.0, seldom / 2), seldom) == pytest.approx(50.0, rel=0.05)


def test_of_two_who_begin_to_look_at_nearly_the_same_moment_neither_is_told_that_nothing_is_used():
    """The older sample is from somebody who looks seldom, the newer one from the other a moment ago."""
    meter = Meter()
    meter.percent(BUSY, Sample(1.0, 0.5), 10 * FRESH_SECONDS)
    begun = 2.0 + FRESH_SECONDS
    looked(meter, BUSY, begun)
    assert meter.unknown({"a": {BUSY}}, begun + PAUSE / 2).keys() == {"a"}
    assert looked(meter, BUSY, begun + PAUSE / 2, begun + 1.5 * PAUSE)[-1] == 50.0


def test_who_looks_seldom_may_have_the_mean_since_the_look_before():
    meter = Meter()
    seldom = 10 * FRESH_SECONDS
    assert meter.percent(BUSY, Sample(1.0, 0.5), seldom) == 0.0
    assert not meter.unknown({"a": {BUSY}}, 1.0 + seldom, seldom)
    assert meter.unknown({"a": {BUSY}}, 1.1 + seldom, seldom)
    assert meter.percent(BUSY, Sample(1.0 + seldom, 0.5 + seldom / 4), seldom) == 25.0
