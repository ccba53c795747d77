"""When silence and time run out, and when their clocks stand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.missions.mission import FINAL, Definition, Mission, Status
from overmind_core.domain.missions.restart_policy import has_come, hold, rebase, stall_due, timeout_due, unhold
from tests.kit.cases import tabled

START = 1_000.0


def mission(status=Status.RUNNING, *, silence=5.0, limit=0.0, **fields):
    definition = Definition("m", "true", ("true",), "/", activity_timeout=silence, timeout=limit)
    fields.setdefault("quiet_since_mono", START)
    return Mission(
        "a1b2c3d4", definition, 0.0, status, run=1, run_started_mono=START, boot=fields.pop("boot", "b"), **fields
    )


def test_silence_counts_from_the_start_until_there_is_output():
    assert stall_due(mission(), last_output=0.0) == START + 5
    assert stall_due(mission(), last_output=START - 100) == START + 5, "output of an earlier run is none"
    assert stall_due(mission(), last_output=START + 3) == START + 8


def test_without_a_limit_nobody_stalls():
    assert stall_due(mission(silence=0.0), last_output=0.0) is None


@tabled("status", sorted(set(Status) - {Status.RUNNING}))
def test_only_what_runs_can_stall(status):
    assert stall_due(mission(status), last_output=0.0) is None


def test_what_is_held_can_not_stall():
    assert stall_due(hold(mission(), START + 1), last_output=0.0) is None


HOLDS = [
    # last output, held from, until, the silence is over at
    (START, START + 3, START + 100, START + 102),
    (START + 2, START + 3, START + 100, START + 104),
    (START + 50, START + 3, START + 100, START + 105),
    (0.0, START, START + 1, START + 6),
]


@pytest.mark.parametrize(("last", "start", "end", "due"), HOLDS)
def test_the_silence_before_a_hold_counts_and_the_hold_does_not(last, start, end, due):
    going = unhold(hold(mission(), start), last, end)
    assert going.held_mono is None
    assert stall_due(going, last) == max(due, last + 5)


def test_a_second_hold_changes_nothing_and_neither_does_letting_go_twice():
    held = hold(mission(), START + 1)
    assert hold(held, START + 9) == held
    going = unhold(held, 0.0, START + 2)
    assert unhold(going, 0.0, START + 7) == going


@given(
    st.floats(0.1, 100),
    st.lists(st.tuples(st.floats(0, 20), st.floats(0, 500)), max_size=8),
)
def test_however_often_it_is_held_only_the_time_between_counts(limit, spans):
    one = mission(silence=limit)
    now, silent = START, 0.0
    for running, held in spans:
        now, silent = now + running, silent + running
        one = hold(one, now)
        now += held
        one = unhold(one, 0.0, now)
    assert stall_due(one, 0.0) == pytest.approx(now + limit - silent)


@tabled(
    ("status", "due"),
    [
        (Status.RUNNING, START + 7),
        (Status.PAUSED, START + 7),
        *((status, None) for status in (Status.STARTING, Status.STOPPING, Status.RESTARTING, *sorted(FINAL))),
    ],
)
def test_the_time_limit_of_a_run_is_wall_clock_also_while_paused(status, due):
    assert timeout_due(mission(status, limit=7.0)) == due


def test_without_a_limit_a_run_lasts_as_long_as_it_likes():
    assert timeout_due(mission()) is None


def test_on_the_same_boot_clocks_stay():
    one = mission(next_restart_at=50.0, next_restart_mono=5.0)
    assert rebase(one, boot="b", wall=1.0, mono=2.0) is one


WAITS = [
    # due (wall), end of the run before (wall), now (wall), seconds until then
    (None, None, 100.0, None),
    (103.0, 99.0, 100.0, 3.0),
    (50.0, 40.0, 100.0, 0.0),
    (100_000.0, None, 100.0, 60.0),
    (100_020.0, 100_000.0, 100.0, 60.0),  # the clock was set back
    (10_000.0, 90.0, 100.0, 9_900.0),  # a stated time
    (10_000.0, 9_000.0, 100.0, 1_000.0),
]


@pytest.mark.parametrize(("due", "ended", "wall", "wait"), WAITS)
def test_after_a_boot_a_restart_keeps_its_time_of_day_and_is_never_further_away_than_it_was(due, ended, wall, wait):
    mono = None if due is None else 9e9
    one = mission(next_restart_at=due, ended_at=ended, next_restart_mono=mono, restarts_mono=(1.0, 2.0))
    moved = rebase(one, boot="c", wall=wall, mono=7.0)
    assert moved.next_restart_mono == (None if wait is None else 7.0 + wait)
    assert moved.next_restart_at == (None if wait is None else wall + wait), "both clocks say the same"
    assert (moved.boot, moved.restarts_mono, moved.quiet_since_mono, moved.held_mono) == ("c", (), 7.0, None)
    assert replace(moved, boot="b", quiet_since_mono=0.0).definition == one.definition


MOMENTS = [
    # seconds that are left by the wall clock, by the monotonic one, whether it has come
    (0.0, 0.0, True),
    (5.0, 0.0, True),  # the wall clock was set back
    (3600.0, -1.0, True),
    (0.0, 3600.0, True),  # the machine has slept
    (-9.0, 61.0, True),
    (-3600.0, 59.0, False),  # a back-off, and the wall clock was set forward
    (0.0, 60.0, False),
    (1.0, 3600.0, False),
]


@tabled(("by_wall", "by_mono", "come"), MOMENTS)
def test_a_stated_time_has_come_by_either_clock_and_a_back_off_by_the_monotonic_one(by_wall, by_mono, come):
    assert has_come(1_000.0 + by_wall, 50.0 + by_mono, wall=1_000.0, mono=50.0) is come
