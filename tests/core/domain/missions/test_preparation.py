"""What may happen to a mission while it is prepared, its set-up included; a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overmind_core.domain.events import MissionEvent
from overmind_core.domain.missions.facts import (
    EndAsked,
    EndTree,
    Exited,
    KeeperLost,
    Now,
    Prepare,
    Prepared,
    RestartDue,
    SetUpAsked,
    SignalTree,
    Spawn,
    Spawned,
    SpawnFailed,
    StartAsked,
)
from overmind_core.domain.missions.lifecycle import next_state
from overmind_core.domain.missions.mission import Cause, Definition, Mission, Restart, RestartPolicy, Status
from overmind_core.domain.missions.restart_policy import stall_due, timeout_due
from overmind_core.domain.missions.transitions import IllegalTransition
from tests.kit.cases import tabled

NOW = Now(1_800_000_000.0, 1_000.0)
AGAIN = RestartPolicy(when=Restart.ON_FAILURE)
FAILED = SpawnFailed("git_failed", "Git refused.")


def mission(status=Status.PREPARING, *, policy=None, **fields):
    definition = Definition("m", "true", ("true",), "/", restart=policy or RestartPolicy(), isolated=True)
    return Mission("a1b2c3d4", definition, NOW.wall, status=status, run=1, **fields)


def set_up(**fields):
    """One whose set-up runs."""
    return mission(setup=True, pid=7, run_started_mono=NOW.mono, **fields)


def asked(one, cause):
    return next_state(one, EndAsked(cause, 1.0), NOW)[0]


STEPS = [
    # before, fact, status, run, setup, set_up, reason, effects but notes
    (mission(), SetUpAsked(), Status.PREPARING, 1, True, False, None, [Spawn()]),
    (mission(setup=True), Spawned(7, NOW.wall, NOW.mono), Status.PREPARING, 1, True, False, None, []),
    (set_up(), Exited(0, NOW.wall, left=False), Status.PREPARING, 2, False, True, None, [Prepare()]),
    (set_up(), Exited(3, NOW.wall, left=False), Status.CRASHED, 1, False, False, "setup_failed", []),
    (set_up(policy=AGAIN), Exited(3, NOW.wall, left=False), Status.RESTARTING, 1, False, False, "setup_failed", []),
    (set_up(), KeeperLost(), Status.CRASHED, 1, False, False, "keeper_lost", []),
    (mission(setup=True), FAILED, Status.CRASHED, 1, False, False, "git_failed", []),
    (mission(), Prepared(), Status.STARTING, 1, False, False, None, [Spawn()]),
    (mission(), FAILED, Status.CRASHED, 1, False, False, "git_failed", []),
    (mission(policy=AGAIN), FAILED, Status.RESTARTING, 1, False, False, "git_failed", []),
    (mission(), EndAsked(Cause.STOP, 1.0), Status.STOPPING, 1, False, False, None, []),
    (mission(), EndAsked(Cause.KILL, 0.0), Status.STOPPING, 1, False, False, None, []),
    (set_up(), EndAsked(Cause.STOP, 1.0), Status.STOPPING, 1, True, False, None, [SignalTree((15, 18))]),
    (set_up(), EndAsked(Cause.KILL, 0.0), Status.STOPPING, 1, True, False, None, [EndTree()]),
    (asked(mission(), Cause.STOP), FAILED, Status.STOPPED, 1, False, False, None, []),
    (asked(mission(), Cause.KILL), FAILED, Status.KILLED, 1, False, False, None, []),
    (asked(mission(), Cause.RESTART), FAILED, Status.PREPARING, 2, False, False, None, [Prepare()]),
    (asked(set_up(), Cause.STOP), Exited(-15, NOW.wall, left=False), Status.STOPPED, 1, False, False, None, []),
    (
        asked(set_up(), Cause.RESTART),
        Exited(0, NOW.wall, left=False),
        Status.PREPARING,
        2,
        False,
        False,
        None,
        [Prepare()],
    ),
    (asked(set_up(), Cause.TIMEOUT), Exited(0, NOW.wall, left=False), Status.CRASHED, 1, False, False, "timeout", []),
    (mission(Status.STOPPED, set_up=True), StartAsked(), Status.PREPARING, 2, False, True, None, [Prepare()]),
    (
        mission(Status.RESTARTING, next_restart_mono=1.0, next_restart_at=1.0),
        RestartDue(),
        Status.PREPARING,
        2,
        False,
        False,
        None,
        [Prepare()],
    ),
]


@tabled(("before", "fact", "status", "run", "setup", "has", "reason", "effects"), STEPS)
def test_what_a_fact_makes_of_it(before, fact, status, run, setup, has, reason, effects):
    after, told = next_state(before, fact, NOW)
    assert (after.status, after.run, after.setup, after.set_up, after.reason) == (status, run, setup, has, reason)
    assert [one for one in told if not isinstance(one, MissionEvent)] == effects


def test_each_start_is_a_preparation_of_its_own_and_a_set_up_is_none():
    set_up_done = next_state(set_up(), Exited(0, NOW.wall, left=False), NOW)[0]
    again = next_state(asked(set_up_done, Cause.RESTART), FAILED, NOW)[0]
    once_more = next_state(replace(again, status=Status.STOPPED), StartAsked(), NOW)[0]
    assert [one.restart_count for one in (set_up_done, again, once_more)] == [0, 1, 2]


@tabled(
    ("one", "fact"),
    [
        (mission(setup=True), SetUpAsked()),
        (mission(Status.STARTING), SetUpAsked()),
        (mission(Status.RUNNING, pid=7), Prepared()),
        (mission(Status.RUNNING, pid=7), FAILED),
        (set_up(), FAILED),
        (mission(), StartAsked()),
        (mission(), RestartDue()),
    ],
)
def test_what_means_nothing_is_refused(one, fact):
    with pytest.raises(IllegalTransition):
        next_state(one, fact, NOW)


def test_limits_hold_for_a_set_up_and_not_for_what_we_do_ourselves():
    limits = Definition("m", "true", ("true",), "/", timeout=5.0, activity_timeout=3.0, isolated=True)
    runs = replace(set_up(), definition=limits, quiet_since_mono=NOW.mono)
    assert (timeout_due(runs), stall_due(runs, 0.0)) == (NOW.mono + 5, NOW.mono + 3)
    for one in (replace(runs, pid=None), replace(runs, setup=False)):
        assert (timeout_due(one), stall_due(one, 0.0)) == (None, None)
