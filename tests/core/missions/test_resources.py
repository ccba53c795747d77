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


def test_a_process_is_known_for_as_long_as_its_last_look_is_fresh():
    meter = Meter()
    assert not meter.knows({"a": {BUSY}}, 1.0)
    looked(meter, BUSY, 1.0)
    assert meter.knows({"a": {BUSY, OTHER}}, 1.0 + FRESH_SECONDS)
    assert not meter.knows({"a": {OTHER}, "b": set()}, 1.0)
    assert not meter.knows({"a": {BUSY}}, 1.1 + FRESH_SECONDS)
    meter.forget(1.1 + FRESH_SECONDS)
    assert not meter.knows({"a": {BUSY}}, 1.0)


def test_who_looks_seldom_may_have_the_mean_since_the_look_before():
    meter = Meter()
    seldom = 10 * FRESH_SECONDS
    assert meter.percent(BUSY, Sample(1.0, 0.5), seldom) == 0.0
    assert meter.knows({"a": {BUSY}}, 1.0 + seldom, seldom)
    assert not meter.knows({"a": {BUSY}}, 1.1 + seldom, seldom)
    assert meter.percent(BUSY, Sample(1.0 + seldom, 0.5 + seldom / 4), seldom) == 25.0
