"""Whether and when: behaviour 17 of the command line's contract, as tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.missions.mission import Cause, Restart, RestartPolicy
from overmind_core.domain.missions.restart_policy import (
    MAX_DELAY,
    NEVER_AGAIN,
    GiveUp,
    RestartAfter,
    applies,
    decide,
    recent,
)
from tests.kit.cases import tabled

NOW = 1_000.0


@pytest.mark.parametrize("when", Restart)
@pytest.mark.parametrize("failed", [True, False])
@pytest.mark.parametrize("cause", Cause)
def test_which_endings_a_policy_answers(when, cause, failed):
    wanted = when is Restart.ALWAYS or (when is Restart.ON_FAILURE and failed)
    somebody_wanted_it = cause in {Cause.STOP, Cause.KILL, Cause.TIMEOUT, Cause.LIMIT, Cause.FENCED}
    assert applies(RestartPolicy(when=when), cause, failed=failed) is (wanted and not somebody_wanted_it)


def test_what_somebody_wanted_ended_stays_ended():
    assert frozenset({Cause.STOP, Cause.KILL, Cause.TIMEOUT, Cause.LIMIT, Cause.FENCED}) == NEVER_AGAIN


DELAYS = [
    # backoff, restarts since the last healthy run, delay
    (1.0, 0, 1.0),
    (1.0, 1, 2.0),
    (1.0, 2, 4.0),
    (1.0, 5, 32.0),
    (1.0, 6, 60.0),
    (1.0, 10_000, 60.0),
    (0.1, 3, 0.8),
    (0.0, 9, 0.0),
    (90.0, 0, 60.0),
    (60.0, 0, 60.0),
]


@tabled(("backoff", "streak", "delay"), DELAYS)
def test_the_delay_doubles_up_to_a_minute(backoff, streak, delay):
    policy = RestartPolicy(max_restarts=0, backoff=backoff)
    assert decide(policy, [], streak, 1.0, NOW) == RestartAfter(delay, streak + 1)


@pytest.mark.parametrize(
    ("lasted", "healthy"), [(0.0, False), (59.0, False), (60.0, False), (60.001, True), (1e6, True)]
)
def test_a_run_that_lasted_longer_than_the_window_resets_the_delay(lasted, healthy):
    policy = RestartPolicy(max_restarts=0, window=60.0)
    assert decide(policy, [], 4, lasted, NOW) == (RestartAfter(1.0, 1) if healthy else RestartAfter(16.0, 5))


BUDGETS = [
    # allowed, seconds since each restart, whether another is allowed
    (2, [], True),
    (2, [10], True),
    (2, [10, 5], False),
    (2, [70, 5], True),
    (2, [60, 5], True),
    (2, [59.9, 5], False),
    (1, [59], False),
    (1, [61], True),
    (5, [50, 40, 30, 20], True),
    (5, [50, 40, 30, 20, 10], False),
    (0, [5, 4, 3, 2, 1], True),
]


@tabled(("allowed", "ages", "again"), BUDGETS)
def test_the_budget_is_a_sliding_window(allowed, ages, again):
    policy = RestartPolicy(max_restarts=allowed, window=60.0)
    verdict = decide(policy, [NOW - age for age in ages], len(ages), 1.0, NOW)
    assert (verdict == GiveUp(spent=True)) is not again


@given(
    st.integers(0, 6),
    st.floats(1, 100),
    st.lists(st.floats(0, 50), max_size=60),
)
def test_no_window_ever_holds_more_restarts_than_allowed(allowed, window, pauses):
    policy = RestartPolicy(max_restarts=allowed, window=window)
    now = 0.0
    kept: tuple[float, ...] = ()
    happened: list[float] = []
    for pause in pauses:
        now += pause
        if isinstance(decide(policy, kept, 0, 0.0, now), RestartAfter):
            happened.append(now)
            kept = recent(policy, (*kept, now), now)
        in_window = [at for at in happened if now - at < window]
        assert not allowed or len(in_window) <= allowed
        assert len(kept) <= max(1, allowed)


@given(st.floats(0, 1e6), st.integers(0, 100_000), st.floats(0, 1e6))
def test_the_delay_is_never_longer_than_a_minute_nor_negative(backoff, streak, lasted):
    verdict = decide(RestartPolicy(max_restarts=0, backoff=backoff), [], streak, lasted, NOW)
    assert isinstance(verdict, RestartAfter)
    assert 0 <= verdict.delay <= MAX_DELAY
