"""The table of statuses, and what each fact makes of a mission."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from overmind_core.domain.events import MissionEvent
from overmind_core.domain.missions import events, lifecycle, reasons
from overmind_core.domain.missions.facts import (
    EndAsked,
    EndTree,
    Exited,
    Frozen,
    Gone,
    KeeperLost,
    Now,
    RestartDue,
    SignalTree,
    Spawn,
    Spawned,
    SpawnFailed,
    StartAsked,
    Thawed,
)
from overmind_core.domain.missions.lifecycle import next_state, stop_signals
from overmind_core.domain.missions.mission import (
    FINAL,
    LIVE,
    Cause,
    Definition,
    Ending,
    Kind,
    Mission,
    Restart,
    RestartPolicy,
    Status,
)
from overmind_core.domain.missions.transitions import TABLE, IllegalTransition, TransitionStep, transition
from tests.kit.cases import tabled

NOW = Now(1_800_000_000.0, 1_000.0)
LEGAL = [(status, step, after) for status, row in TABLE.items() for step, after in row.items()]
ILLEGAL = [(status, step) for status in Status for step in TransitionStep if step not in TABLE[status]]


def mission(status=Status.RUNNING, *, cause=None, exited=False, policy=None, **fields):
    """A mission in a state that can really be: with an ending exactly when it is `stopping`."""
    definition = Definition("m", "true", ("true",), "/", restart=policy or RestartPolicy())
    if status is Status.STOPPING:
        fields["ending"] = Ending(cause or Cause.STOP, NOW.mono + 10, exited=exited)
    if status is Status.RESTARTING:
        fields |= {"next_restart_at": NOW.wall + 1, "next_restart_mono": NOW.mono + 1}
    if status in {Status.RUNNING, Status.PAUSED}:
        fields.setdefault("pid", 100)
    fields.setdefault("definition", definition)
    return Mission("a1b2c3d4", created_at=NOW.wall, status=status, run=1, run_started_mono=NOW.mono, **fields)


def always(**fields):
    return RestartPolicy(when=Restart.ALWAYS, **fields)


def on_failure(**fields):
    return RestartPolicy(when=Restart.ON_FAILURE, **fields)


# --- the table ----------------------------------------------------------------------------------------------------


@tabled(("status", "step", "after"), LEGAL)
def test_every_pair_in_the_table_leads_where_it_says(status, step, after):
    assert transition(status, step) is after


@tabled(("status", "step"), ILLEGAL)
def test_every_pair_not_in_the_table_is_refused(status, step):
    with pytest.raises(IllegalTransition) as refusal:
        transition(status, step)
    assert (refusal.value.status, refusal.value.step) == (status, step)


def test_every_status_has_a_row_and_can_be_left():
    assert set(TABLE) == set(Status)
    assert all(TABLE.values())


def test_every_status_is_either_live_or_final():
    assert set(Status) == FINAL | LIVE
    assert not FINAL & LIVE


# --- facts that mean nothing where the mission is -----------------------------------------------------------------

EXIT = Exited(0, NOW.wall, left=False)
ENDED = sorted(FINAL)
HAD_A_SPAWN = (Status.RUNNING, Status.PAUSED, Status.RESTARTING, *ENDED)


def but(status):
    return [one for one in Status if one is not status]


REFUSED = [
    *((status, Spawned(7, NOW.wall, NOW.mono)) for status in HAD_A_SPAWN),
    *((status, SpawnFailed("internal", "x")) for status in HAD_A_SPAWN),
    *((status, EXIT) for status in (Status.RESTARTING, *ENDED)),
    *((status, Gone()) for status in but(Status.STOPPING)),
    *((status, EndAsked(Cause.STOP, 1.0)) for status in ENDED),
    *((status, StartAsked()) for status in sorted(LIVE)),
    *((status, RestartDue()) for status in but(Status.RESTARTING)),
    *((status, Frozen()) for status in but(Status.RUNNING)),
    *((status, Thawed(0.0)) for status in but(Status.PAUSED)),
    *((status, KeeperLost(leased)) for status in (Status.RESTARTING, *ENDED) for leased in (False, True)),
    *((status, EndAsked(Cause.FENCED, 0.0)) for status in ENDED),
]


@tabled(("status", "fact"), REFUSED)
def test_a_fact_that_means_nothing_in_a_status_is_refused(status, fact):
    with pytest.raises(IllegalTransition):
        next_state(mission(status), fact, NOW)


# --- the end of a run ---------------------------------------------------------------------------------------------

ENDINGS = [
    # how it was being ended, exit status as the keeper gives it, status, reason, exit code, shell code
    (None, 0, Status.STOPPED, None, 0, 0),
    (None, 42, Status.CRASHED, None, 42, 42),
    (None, -9, Status.CRASHED, None, 137, 137),
    (None, -15, Status.CRASHED, None, 143, 143),
    (None, None, Status.CRASHED, None, None, 1),
    (Cause.STOP, -15, Status.STOPPED, None, 143, 143),
    (Cause.STOP, 0, Status.STOPPED, None, 0, 0),
    (Cause.KILL, -9, Status.KILLED, None, None, 137),
    (Cause.KILL, 0, Status.KILLED, None, None, 137),
    (Cause.TIMEOUT, -15, Status.CRASHED, "timeout", 124, 124),
    (Cause.TIMEOUT, 0, Status.CRASHED, "timeout", 124, 124),
    (Cause.STALLED, -9, Status.CRASHED, "stalled", 137, 137),
    (Cause.STALLED, 0, Status.CRASHED, "stalled", 137, 137),
    (Cause.FENCED, -9, Status.KILLED, "fenced", None, 137),
    (Cause.FENCED, 0, Status.KILLED, "fenced", None, 137),
]


@tabled(("cause", "code", "status", "reason", "exit_code", "shell"), ENDINGS)
def test_what_a_mission_is_after_its_run(cause, code, status, reason, exit_code, shell):
    before = mission() if cause is None else mission(Status.STOPPING, cause=cause)
    after, effects = next_state(before, Exited(code, NOW.wall + 1, left=False), NOW)
    assert (after.status, after.reason, after.exit_code) == (status, reason, exit_code)
    assert after.shell_exit == shell
    assert after.ended_at == NOW.wall + 1
    assert not [effect for effect in effects if not isinstance(effect, MissionEvent)]
    hidden, _ = next_state(after, EndAsked(Cause.KILL, 0.0), NOW)
    assert hidden == replace(after, hidden=True), "a later kill changes nothing about its end"


@tabled(("cause", "code"), [(cause, code) for cause, code, *_ in ENDINGS if cause])
def test_a_run_whose_other_processes_live_ends_when_they_are_gone(cause, code):
    before = mission(Status.STOPPING, cause=cause)
    waiting, _ = next_state(before, Exited(code, NOW.wall, left=True), NOW)
    assert waiting.status is Status.STOPPING
    after, _ = next_state(waiting, Gone(), NOW)
    alone, _ = next_state(before, Exited(code, NOW.wall, left=False), NOW)
    assert after == alone


@pytest.mark.parametrize(
    ("cause", "limit"), [(Cause.TIMEOUT, 60.0), (Cause.STALLED, 300.0), (Cause.STALLED, None), (Cause.STOP, None)]
)
def test_the_limit_that_has_ended_a_run_is_that_of_who_ended_it(cause, limit):
    """The guardian ends what is hung by beats, however long it may be silent by its own limit."""
    running = mission(definition=replace(mission().definition, timeout=60.0, activity_timeout=300.0))
    asked, _ = next_state(running, EndAsked(cause, 0.0, limit=limit), NOW)
    after, _ = next_state(asked, Exited(-9, NOW.wall, left=False), NOW)
    assert (after.ended_by, after.limit) == (cause, limit)


def test_the_end_of_the_sweep_may_be_known_before_the_exit():
    early, _ = next_state(mission(Status.STOPPING), Gone(), NOW)
    assert early.status is Status.STOPPING
    after, _ = next_state(early, Exited(-9, NOW.wall, left=True), NOW)
    assert after.status is Status.STOPPED


def test_leftovers_of_a_natural_end_get_term_and_a_moment():
    after, effects = next_state(mission(), Exited(0, NOW.wall, left=True), NOW)
    assert after.status is Status.STOPPING
    assert after.ending == Ending(Cause.EXITED, NOW.mono + lifecycle.LEFTOVER_GRACE, exited=True)
    assert SignalTree((signal.SIGTERM, signal.SIGCONT)) in effects


def test_leftovers_that_may_stay_are_not_touched():
    spared = mission(definition=replace(mission().definition, leave_background=True))
    after, effects = next_state(spared, Exited(0, NOW.wall, left=True), NOW)
    assert after.status is Status.STOPPED
    assert all(isinstance(effect, MissionEvent) for effect in effects)


def test_survivors_end_the_mission_all_the_same_and_are_named():
    after, effects = next_state(mission(Status.STOPPING), Gone(("7 sleep 1",)), NOW)
    assert (after.status, after.survivors) == (Status.STOPPED, ("7 sleep 1",))
    assert any(isinstance(effect, events.SurvivorsLeft) and "7 sleep 1" in str(effect.text) for effect in effects)


@pytest.mark.parametrize("status", [Status.STARTING, Status.RUNNING, Status.PAUSED])
def test_a_run_whose_keeper_died_crashed_for_that_reason(status):
    after, _ = next_state(mission(status), KeeperLost(), NOW)
    assert (after.status, after.reason, after.exit_code) == (Status.CRASHED, "keeper_lost", None)


@pytest.mark.parametrize(
    ("cause", "status", "reason"),
    [
        (Cause.STOP, Status.STOPPED, None),
        (Cause.KILL, Status.KILLED, None),
        (Cause.TIMEOUT, Status.CRASHED, "timeout"),
        (Cause.STALLED, Status.CRASHED, "stalled"),
        (Cause.FENCED, Status.KILLED, "fenced"),
    ],
)
def test_an_ending_that_was_under_way_stays_what_it_was_when_the_keeper_dies(cause, status, reason):
    after, _ = next_state(mission(Status.STOPPING, cause=cause), KeeperLost(), NOW)
    assert (after.status, after.reason) == (status, reason)


def test_a_true_exit_code_outlives_the_keeper():
    before = mission(Status.STOPPING, cause=Cause.EXITED, exited=True, exit_code=7, ended_at=NOW.wall - 5)
    after, _ = next_state(before, KeeperLost(), NOW)
    assert (after.status, after.reason, after.exit_code, after.ended_at) == (Status.CRASHED, None, 7, NOW.wall - 5)


@pytest.mark.parametrize("status", [Status.RUNNING, Status.PAUSED, Status.STOPPING])
def test_the_exit_code_of_an_earlier_run_is_not_that_of_the_one_lost_with_its_keeper(status):
    before = mission(status, exit_code=7, ended_at=NOW.wall - 5)
    after, _ = next_state(before, KeeperLost(), NOW)
    assert (after.exit_code, after.ended_at) == (None, NOW.wall)


# --- asking for an end --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.RUNNING, Status.PAUSED])
def test_a_stop_signals_the_tree_and_a_kill_ends_it(status):
    stopped, gentle = next_state(mission(status), EndAsked(Cause.STOP, 3.0), NOW)
    assert stopped.ending == Ending(Cause.STOP, NOW.mono + 3.0)
    assert [effect for effect in gentle if not isinstance(effect, MissionEvent)] == [SignalTree((15, 18))]
    for cause in (Cause.KILL, Cause.FENCED):
        killed, hard = next_state(mission(status), EndAsked(cause, 0.0), NOW)
        assert killed.ending == Ending(cause, NOW.mono)
        assert [effect for effect in hard if not isinstance(effect, MissionEvent)] == [EndTree()]


@pytest.mark.parametrize(
    ("cause", "effect"),
    [(Cause.STOP, SignalTree((15, 18))), (Cause.KILL, EndTree()), (Cause.FENCED, EndTree())],
)
def test_an_end_asked_for_while_starting_waits_for_the_process(cause, effect):
    stopping, effects = next_state(mission(Status.STARTING), EndAsked(cause, 3.0), NOW)
    assert stopping.status is Status.STOPPING
    assert all(isinstance(one, MissionEvent) for one in effects)
    spawned, effects = next_state(stopping, Spawned(7, NOW.wall, NOW.mono), NOW)
    assert (spawned.status, spawned.pid) == (Status.STOPPING, 7)
    assert effects == (effect,)


def test_a_kill_overtakes_a_stop():
    after, effects = next_state(mission(Status.STOPPING, cause=Cause.STOP), EndAsked(Cause.KILL, 0.0), NOW)
    assert after.ending == Ending(Cause.KILL, NOW.mono)
    assert EndTree() in effects


MERGES = [
    # what was under way, what is asked, what follows
    (Cause.STOP, Cause.STOP, Cause.STOP),
    (Cause.STOP, Cause.RESTART, Cause.STOP),
    (Cause.STOP, Cause.STALLED, Cause.STOP),
    (Cause.KILL, Cause.STOP, Cause.KILL),
    (Cause.KILL, Cause.RESTART, Cause.KILL),
    (Cause.TIMEOUT, Cause.STOP, Cause.TIMEOUT),
    (Cause.RESTART, Cause.STOP, Cause.STOP),
    (Cause.RESTART, Cause.RESTART, Cause.RESTART),
    (Cause.EXITED, Cause.STOP, Cause.STOP),
    (Cause.EXITED, Cause.RESTART, Cause.RESTART),
    (Cause.STALLED, Cause.STOP, Cause.STOP),
    *((Cause.FENCED, cause, Cause.FENCED) for cause in Cause),
]


@tabled(("under_way", "asked", "follows"), MERGES)
def test_what_follows_when_another_end_is_asked_for(under_way, asked, follows):
    after, effects = next_state(mission(Status.STOPPING, cause=under_way), EndAsked(asked, 2.0), NOW)
    assert after.ending is not None
    assert after.ending.cause is follows
    assert after.ending.deadline_mono == NOW.mono + 2.0, "the shorter grace holds"
    assert effects == ()


GRACE = 10.0
IN_TIME, TOO_LATE = Now(NOW.wall + GRACE - 1, NOW.mono + GRACE - 1), Now(NOW.wall + GRACE, NOW.mono + GRACE)
LATE_ENDS = [
    # how it is being ended, the grace that was given, how its process ended, whether others were killed, when, and the
    # seconds of which people read
    (Cause.STOP, None, -9, False, TOO_LATE, GRACE),
    (Cause.STOP, 3.0, -9, False, TOO_LATE, 3.0),
    (Cause.STOP, None, -9, True, TOO_LATE, GRACE),
    (Cause.STOP, None, -15, True, TOO_LATE, GRACE),
    (Cause.STOP, None, 0, True, TOO_LATE, GRACE),
    (Cause.TIMEOUT, None, -9, False, TOO_LATE, GRACE),
    (Cause.LIMIT, None, -9, False, TOO_LATE, GRACE),
    (Cause.STOP, None, -15, False, TOO_LATE, None),
    (Cause.STOP, None, -9, False, IN_TIME, None),
    (Cause.STOP, 0.0, -9, True, TOO_LATE, None),
    (Cause.KILL, None, -9, True, TOO_LATE, None),
    (Cause.STALLED, None, -9, True, TOO_LATE, None),
    (Cause.FENCED, None, -9, True, TOO_LATE, None),
]


@tabled(("cause", "given", "code", "others", "when", "seconds"), LATE_ENDS)
def test_what_had_to_be_killed_after_its_grace_says_so_once(cause, given, code, others, when, seconds):
    ending = Ending(cause, NOW.mono + GRACE, grace=given)
    before = replace(mission(Status.STOPPING), ending=ending)
    exited, first = next_state(before, Exited(code, when.wall, left=others), when)
    after, second = next_state(exited, Gone(killed=others), when) if others else (exited, ())
    assert after.killed_after == seconds
    told = [one.text for one in (*first, *second) if isinstance(one, (events.RunExited, events.BackgroundEnded))]
    words = [] if seconds is None else [f"--- {reasons.killed_words(seconds)} ---"]
    assert [text for text in told if text is not None] == words


def test_a_restart_that_had_to_kill_is_known_until_the_next_end():
    before = mission(Status.STOPPING, cause=Cause.RESTART)
    again, _ = next_state(before, Exited(-9, TOO_LATE.wall, left=False), TOO_LATE)
    assert (again.status, again.killed_after) == (Status.STARTING, GRACE)
    running, _ = next_state(again, Spawned(8, TOO_LATE.wall, TOO_LATE.mono), TOO_LATE)
    by_itself, _ = next_state(running, Exited(0, TOO_LATE.wall, left=False), TOO_LATE)
    assert by_itself.killed_after is None
    asked, _ = next_state(running, EndAsked(Cause.STOP, GRACE), TOO_LATE)
    assert asked.killed_after is None
    never_began, _ = next_state(again, SpawnFailed("cwd_not_found", "no such folder"), TOO_LATE)
    assert never_began.killed_after is None


def test_a_second_stop_never_lengthens_the_grace():
    after, _ = next_state(mission(Status.STOPPING), EndAsked(Cause.STOP, 99.0), NOW)
    assert after.ending is not None
    assert after.ending.deadline_mono == NOW.mono + 10


@pytest.mark.parametrize("status", sorted(FINAL))
def test_a_kill_hides_what_has_ended_and_keeps_its_record_until_it_is_started_again(status):
    before = mission(status, exit_code=3)
    after, effects = next_state(before, EndAsked(Cause.KILL, 0.0), NOW)
    assert after == replace(before, hidden=True)
    assert effects == (events.MissionHidden(),)
    again, _ = next_state(after, StartAsked(), NOW)
    assert not again.hidden


@pytest.mark.parametrize(
    ("cause", "status"),
    [(Cause.STOP, Status.STOPPED), (Cause.KILL, Status.KILLED), (Cause.FENCED, Status.KILLED)],
)
def test_an_end_asked_for_before_a_restart_cancels_it(cause, status):
    waiting = mission(Status.RESTARTING, ended_at=NOW.wall - 47)
    after, effects = next_state(waiting, EndAsked(cause, 1.0), NOW)
    assert (after.status, after.next_restart_at, after.next_restart_mono) == (status, None, None)
    assert (after.ended_at, after.run_ended_at) == (NOW.wall, NOW.wall - 47)
    assert next_state(after, StartAsked(), NOW)[0].run_ended_at is None
    assert all(isinstance(effect, MissionEvent) for effect in effects)


def test_a_limit_reached_while_a_restart_waits_is_the_reason_of_its_end():
    asked = EndAsked(Cause.LIMIT, 1.0, "--- stopped ---", "max_cost")
    after, effects = next_state(mission(Status.RESTARTING, ended_at=NOW.wall - 15), asked, NOW)
    assert (after.status, after.reason, after.next_restart_at) == (Status.CRASHED, "max_cost", None)
    assert after.ended_at == NOW.wall
    assert effects == (events.MissionCrashed(text="--- stopped ---", outcome="failed"),)


@pytest.mark.parametrize("cause", [Cause.EXITED, Cause.RESTART, Cause.CHANGE_OVER])
def test_no_run_follows_an_ending_during_which_a_limit_is_reached(cause):
    policy = RestartPolicy(when=Restart.ALWAYS)
    always = replace(mission().definition, restart=policy)
    before = mission(Status.STOPPING, cause=cause, definition=always)
    limited, _ = next_state(before, EndAsked(Cause.LIMIT, 1.0, None, "max_cost"), NOW)
    exited, _ = next_state(limited, Exited(0, NOW.wall, left=False), NOW)
    after = exited if not exited.is_live else next_state(exited, Gone(), NOW)[0]
    assert (after.status, after.reason) == (Status.CRASHED, "max_cost")


@pytest.mark.parametrize(
    ("cause", "effect", "status"),
    [
        (Cause.STOP, SignalTree((15, 18)), Status.STOPPED),
        (Cause.KILL, EndTree(), Status.KILLED),
        (Cause.FENCED, EndTree(), Status.KILLED),
    ],
)
def test_what_earlier_runs_left_behind_ends_before_a_restart_is_cancelled(cause, effect, status):
    spared = replace(mission().definition, leave_background=True)
    before = mission(Status.RESTARTING, definition=spared, exit_code=1, ended_at=NOW.wall - 1)
    stopping, effects = next_state(before, EndAsked(cause, 1.0, "--- ended ---"), NOW)
    assert (stopping.status, stopping.next_restart_at, stopping.next_restart_mono) == (Status.STOPPING, None, None)
    assert stopping.ending == Ending(cause, NOW.mono + 1.0, exited=True)
    assert effects == (events.MissionStopping(text="--- ended ---", cause=cause.value), effect)
    after, _ = next_state(stopping, Gone(), NOW)
    assert (after.status, after.ended_at) == (status, NOW.wall)


@pytest.mark.parametrize("cause", [Cause.STOP, Cause.RESTART, Cause.STALLED])
def test_where_earlier_runs_left_something_behind_an_exit_is_not_the_end_of_an_ending(cause):
    spared = replace(mission().definition, leave_background=True)
    before = mission(Status.STOPPING, cause=cause, definition=spared)
    after, _ = next_state(before, Exited(-15, NOW.wall, left=False), NOW)
    assert after.status is Status.STOPPING


@pytest.mark.parametrize(
    ("kind", "tty", "signals"),
    [
        (Kind.TASK, True, (2, 18)),
        (Kind.TASK, False, (2, 18)),
        (Kind.SESSION, True, (2, 1, 18)),
        (Kind.SESSION, False, (2, 18)),
    ],
)
def test_which_signals_a_stop_sends(kind, tty, signals):
    definition = replace(mission().definition, kind=kind, tty=tty, stop_signal=signal.SIGINT)
    assert stop_signals(mission(definition=definition)) == signals


# --- the end of a lease ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", [one for one in Cause if one is not Cause.FENCED])
@pytest.mark.parametrize("exited", [False, True])
def test_the_end_of_a_lease_takes_the_place_of_every_other_ending(cause, exited):
    before = mission(Status.STOPPING, cause=cause, exited=exited, policy=always(), exit_code=0 if exited else None)
    fenced, effects = next_state(before, EndAsked(Cause.FENCED, 0.0, "--- killed ---"), NOW)
    assert fenced.ending == Ending(Cause.FENCED, NOW.mono, exited=exited)
    assert effects == (events.MissionStopping(text="--- killed ---", cause="fenced"), EndTree())
    if not exited:
        fenced, _ = next_state(fenced, Exited(0, NOW.wall, left=True), NOW)
    after, effects = next_state(fenced, Gone(), NOW)
    assert (after.status, after.reason, after.exit_code) == (Status.KILLED, "fenced", None)
    assert effects == (events.MissionKilled(reason="fenced", exit_code=None, outcome="lost"),)


def test_a_lease_that_ends_before_a_restart_is_the_end():
    asked = EndAsked(Cause.FENCED, 0.0, "--- killed ---")
    after, effects = next_state(mission(Status.RESTARTING, policy=always()), asked, NOW)
    assert (after.status, after.reason, after.next_restart_at) == (Status.KILLED, "fenced", None)
    assert effects == (events.MissionKilled(text="--- killed ---", reason="fenced", outcome="lost"),)


def test_a_spawn_that_came_after_the_end_of_its_lease_has_not_failed_but_was_fenced():
    fenced, _ = next_state(mission(Status.STARTING, policy=always()), EndAsked(Cause.FENCED, 0.0), NOW)
    after, _ = next_state(fenced, SpawnFailed("fenced", "the lease has ended"), NOW)
    assert (after.status, after.reason) == (Status.KILLED, "fenced")


@pytest.mark.parametrize("status", [Status.PREPARING, Status.STARTING, Status.RUNNING, Status.PAUSED])
def test_a_leased_run_whose_keeper_died_was_fenced_whatever_its_policy(status):
    after, effects = next_state(mission(status, policy=always()), KeeperLost(leased=True), NOW)
    assert (after.status, after.reason, after.exit_code) == (Status.KILLED, "fenced", None)
    assert [type(effect) for effect in effects] == [events.RunLost, events.MissionKilled]


@pytest.mark.parametrize("cause", list(Cause))
def test_a_leased_run_that_was_being_ended_when_its_keeper_died_was_fenced(cause):
    after, _ = next_state(mission(Status.STOPPING, cause=cause, policy=always()), KeeperLost(leased=True), NOW)
    assert (after.status, after.reason) == (Status.KILLED, "fenced")


def test_a_true_exit_code_outlives_the_keeper_of_a_leased_run():
    before = mission(Status.STOPPING, cause=Cause.EXITED, exited=True, exit_code=0, ended_at=NOW.wall - 5)
    after, _ = next_state(before, KeeperLost(leased=True), NOW)
    assert (after.status, after.reason, after.exit_code) == (Status.STOPPED, None, 0)


# --- starting again -----------------------------------------------------------------------------------------------

AGAIN = [
    # policy, how it was ended, exit status, whether another run follows
    (Restart.NEVER, None, 1, False),
    (Restart.ON_FAILURE, None, 1, True),
    (Restart.ON_FAILURE, None, -9, True),
    (Restart.ON_FAILURE, None, 0, False),
    (Restart.ALWAYS, None, 0, True),
    (Restart.ALWAYS, None, 1, True),
    (Restart.ALWAYS, Cause.STOP, 0, False),
    (Restart.ALWAYS, Cause.KILL, -9, False),
    (Restart.ALWAYS, Cause.TIMEOUT, -15, False),
    (Restart.ALWAYS, Cause.FENCED, -9, False),
    (Restart.ALWAYS, Cause.FENCED, 0, False),
    (Restart.ON_FAILURE, Cause.FENCED, -9, False),
    (Restart.ALWAYS, Cause.STALLED, -9, True),
    (Restart.ON_FAILURE, Cause.STALLED, 0, True),
    (Restart.NEVER, Cause.STALLED, -9, False),
]


@tabled(("when", "cause", "code", "again"), AGAIN)
def test_which_ends_the_policy_answers_with_a_restart(when, cause, code, again):
    policy = RestartPolicy(when=when, backoff=2.0)
    before = mission(policy=policy) if cause is None else mission(Status.STOPPING, cause=cause, policy=policy)
    after, _ = next_state(before, Exited(code, NOW.wall, left=False), NOW)
    assert (after.status is Status.RESTARTING) is again
    assert after.next_restart_at == (NOW.wall + 2.0 if again else None)
    assert after.next_restart_mono == (NOW.mono + 2.0 if again else None)


@pytest.mark.parametrize("when", [Restart.ON_FAILURE, Restart.ALWAYS])
def test_a_lost_keeper_and_a_failed_spawn_are_failures_to_the_policy(when):
    policy = RestartPolicy(when=when)
    lost, _ = next_state(mission(policy=policy), KeeperLost(), NOW)
    failed, _ = next_state(mission(Status.STARTING, policy=policy), SpawnFailed("no_terminals", "none left"), NOW)
    assert (lost.status, lost.reason) == (Status.RESTARTING, "keeper_lost")
    assert (failed.status, failed.reason) == (Status.RESTARTING, "no_terminals")


def test_a_due_restart_is_the_next_run_and_says_so_in_the_log():
    before = mission(Status.RESTARTING, policy=always(), restart_count=2)
    after, effects = next_state(before, RestartDue(), NOW)
    assert (after.status, after.run, after.restart_count) == (Status.STARTING, 2, 3)
    assert (after.pid, after.exit_code, after.ended_at, after.next_restart_at) == (None, None, None, None)
    assert effects[-1] == Spawn()
    assert [effect.text for effect in effects if isinstance(effect, MissionEvent)] == [
        "--- restart #3 at 2027-01-15T08:00:00.000Z ---"
    ]


@pytest.mark.parametrize("status", sorted(FINAL))
def test_a_restart_by_a_person_begins_a_new_budget(status):
    spent = mission(status, restarts_mono=(990.0, 991.0), streak=5, restart_count=5, survivors=("7 x",))
    after, effects = next_state(spent, StartAsked(), NOW)
    assert (after.status, after.run, after.restart_count) == (Status.STARTING, 2, 6)
    assert (after.restarts_mono, after.streak, after.survivors) == ((), 0, ())
    assert effects[-1] == Spawn()


def test_a_restart_of_what_runs_ends_it_first():
    ending, effects = next_state(mission(), EndAsked(Cause.RESTART, 1.0), NOW)
    assert (ending.status, ending.run) == (Status.STOPPING, 1)
    assert Spawn() not in effects
    after, effects = next_state(ending, Exited(-15, NOW.wall, left=False), NOW)
    assert (after.status, after.run) == (Status.STARTING, 2)
    assert effects[-1] == Spawn()


def test_a_restart_that_is_waited_for_can_be_had_at_once():
    after, effects = next_state(mission(Status.RESTARTING), EndAsked(Cause.RESTART, 1.0), NOW)
    assert (after.status, after.run, after.streak) == (Status.STARTING, 2, 0)
    assert effects[-1] == Spawn()


def test_when_the_budget_is_spent_the_mission_has_its_natural_status():
    policy = always(max_restarts=2)
    for code, status in ((0, Status.STOPPED), (3, Status.CRASHED)):
        before = mission(policy=policy, restarts_mono=(990.0, 995.0))
        after, effects = next_state(before, Exited(code, NOW.wall, left=False), NOW)
        assert (after.status, after.reason, after.exit_code) == (status, "restart_budget_spent", code)
        (end,) = [effect for effect in effects if isinstance(effect, events.MissionEnded)]
        assert (end.outcome, after.shell_exit) == ("failed", code or 1), "it was to run on, and does not"
        assert any(isinstance(effect, events.RestartBudgetSpent) for effect in effects)


def test_why_its_last_run_ended_is_kept_of_what_was_given_up_until_it_is_started_again():
    before = mission(Status.STARTING, policy=always(max_restarts=1), restarts_mono=(990.0,))
    after, effects = next_state(before, SpawnFailed("cwd_not_found", "no such folder"), NOW)
    assert (after.reason, after.run_reason) == ("restart_budget_spent", "cwd_not_found")
    (spent,) = [effect for effect in effects if isinstance(effect, events.RestartBudgetSpent)]
    assert spent.text == (
        "--- not restarted: the restart budget is used up; the last run: its folder does not exist ---"
    )
    again, _ = next_state(after, StartAsked(), NOW)
    assert (again.reason, again.run_reason) == (None, None)


def test_a_frozen_run_that_ends_and_leaves_something_holds_no_clock():
    after, _ = next_state(mission(Status.PAUSED, held_mono=NOW.mono), Exited(0, NOW.wall, left=True), NOW)
    assert (after.status, after.held_mono) == (Status.STOPPING, None)
