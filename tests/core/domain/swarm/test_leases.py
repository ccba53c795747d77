"""The arithmetic of leases: whoever takes the work begins after the holder's end, whatever the two clocks show."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.swarm.leases import DRIFT, MARGIN, RETRY, deadline_of, may_take_after, retry_pause

LEASES = st.floats(10.0, 86_400.0)
"""Seconds."""
MOMENTS = st.floats(0.0, 1e7)
DELAYS = st.floats(0.0, 3600.0)
"""Seconds that a beat takes to be accepted, and to be seen."""
DRIFTS = st.floats(-DRIFT, DRIFT)
"""By how much of a second more the taker's clock counts in one of the holder's."""
ROUNDING = 1e-4
"""Seconds; of the numbers of this test, which go up to 1e7."""


@given(sent=MOMENTS, lease=LEASES, accepted=DELAYS, seen=DELAYS, drift=DRIFTS)
def test_nobody_takes_what_another_one_may_still_run(sent, lease, accepted, seen, drift):
    """All in seconds of the holder's clock; the taker waits by its own."""
    since = sent + accepted + seen
    taken = since + may_take_after(lease) / (1 + drift)
    assert taken - deadline_of(sent, lease) >= MARGIN / (1 + DRIFT) - ROUNDING


@given(lease=LEASES, drift=DRIFTS, beats=st.lists(st.tuples(st.floats(0.01, 60), st.booleans(), DELAYS), max_size=30))
def test_lost_answers_only_bring_the_holders_end_forward(lease, drift, beats):
    """A beat that was accepted and not answered is not known to the holder, though others may have seen it."""
    sent = known = seen = 0.0
    for pause, answered, delay in beats:
        sent += pause
        seen = max(seen, sent + delay)
        known = sent if answered else known
    assert seen + may_take_after(lease) / (1 + drift) > deadline_of(known, lease)


@pytest.mark.parametrize(("lease", "after"), [(10.0, 12.1), (60.0, 62.6), (600.0, 608.0)])
def test_the_wait_is_the_lease_two_seconds_and_a_hundredth(lease, after):
    assert may_take_after(lease) == pytest.approx(after)


@pytest.mark.parametrize(
    ("failures", "left", "pause"),
    [
        *((number, math.inf, pause) for number, pause in enumerate((1, 2, 4, 8, 16, 30, 30))),
        (0, 9.0, 1),
        (2, 7.0, 3.5),
        (5, 590.0, 30),
        (9, 20.0, 10),
        (9, 1.5, 1),
        (9, 0.0, 30),
        (9, -100.0, 30),
    ],
)
def test_a_store_that_fails_is_tried_again_more_and_more_rarely_unless_a_lease_is_about_to_end(failures, left, pause):
    assert retry_pause(failures, left) == pause


@given(lease=LEASES, away=st.floats(0.0, 86_400.0))
def test_a_store_that_is_there_again_two_seconds_before_the_lease_ends_is_beaten_in_time(lease, away):
    now, failures = 0.0, 0
    while now < min(away, lease - 2 * RETRY[0]):
        now += retry_pause(failures, lease - now)
        failures += 1
    assert now < lease
