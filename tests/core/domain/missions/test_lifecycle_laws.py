"""The laws of a mission's life: they hold whatever it is told in whatever order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overmind_core.domain.agents.agent_events import Retry, RunVerdict
from overmind_core.domain.missions import events
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
from overmind_core.domain.missions.lifecycle import next_state
from overmind_core.domain.missions.mission import FINAL, Cause, Restart, RestartPolicy, Status
from overmind_core.domain.missions.transitions import TABLE, IllegalTransition
from tests.core.domain.missions.test_lifecycle import NOW, mission

CODES = st.one_of(st.none(), st.integers(-31, 255))
VERDICTS = st.builds(
    RunVerdict,
    failed=st.booleans(),
    reason=st.sampled_from([None, "usage_limit"]),
    retry=st.sampled_from(Retry),
    resume_at=st.one_of(st.none(), st.floats(NOW.wall - 100, NOW.wall + 3600)),
)
FACTS = st.one_of(
    st.builds(Spawned, pid=st.integers(2, 9999), wall=st.just(0.0), mono=st.just(0.0)),
    st.builds(SpawnFailed, code=st.just("no_terminals"), message=st.just("none left")),
    st.builds(Exited, code=CODES, wall=st.just(NOW.wall), left=st.booleans(), verdict=st.one_of(st.none(), VERDICTS)),
    st.builds(Gone, survivors=st.sampled_from([(), (), ("7 sleep",)])),
    st.builds(EndAsked, cause=st.sampled_from([Cause.STOP, Cause.KILL, Cause.RESTART]), grace=st.floats(0, 30)),
    st.builds(EndAsked, cause=st.sampled_from([Cause.STALLED, Cause.TIMEOUT]), grace=st.floats(0, 30)),
    st.just(EndAsked(Cause.FENCED, 0.0)),
    st.just(StartAsked()),
    st.just(RestartDue()),
    st.just(Frozen()),
    st.just(Thawed(0.0)),
    st.builds(KeeperLost, leased=st.booleans()),
)
HISTORIES = st.lists(st.tuples(FACTS, st.floats(0, 40)), max_size=60)
POLICIES = st.builds(
    RestartPolicy,
    when=st.sampled_from(Restart),
    max_restarts=st.integers(0, 4),
    window=st.floats(0.5, 120),
    backoff=st.floats(0, 100),
)


def live_through(policy, history):
    """Yield (before, fact, after, effects, now) for each fact that meant something."""
    definition = replace(mission(policy=policy).definition, leave_background=len(history) % 4 == 0)
    current = mission(Status.STARTING, definition=definition)
    now = NOW
    for told, passed in history:
        now = Now(now.wall + passed, now.mono + passed)
        fact = told._replace(wall=now.wall, mono=now.mono) if isinstance(told, Spawned) else told
        if isinstance(fact, RestartDue) and current.next_restart_mono is not None:
            due = max(now.mono, current.next_restart_mono)
            now = Now(now.wall + due - now.mono, due)
        try:
            after, effects = next_state(current, fact, now)
        except IllegalTransition:
            continue
        yield current, fact, after, effects, now
        current = after


@given(POLICIES, HISTORIES)
def test_status_and_the_fields_that_go_with_it_never_disagree(policy, history):
    verdicts = [fact.verdict for fact, _ in history if isinstance(fact, Exited) and fact.verdict is not None]
    longest = max([60.0, *(one.resume_at - NOW.wall for one in verdicts if one.resume_at is not None)])
    for _, _, after, _, now in live_through(policy, history):
        assert (after.ending is not None) is (after.status is Status.STOPPING)
        assert (after.next_restart_mono is not None) is (after.status is Status.RESTARTING)
        assert (after.next_restart_at is not None) is (after.status is Status.RESTARTING)
        assert (after.pid is not None) is (after.status in {Status.RUNNING, Status.PAUSED}) or (
            after.status is Status.STOPPING
        )
        assert (after.held_mono is not None) is (after.status is Status.PAUSED)
        assert (after.ended_at is not None) or after.is_live
        assert after.next_restart_mono is None or now.mono <= after.next_restart_mono <= now.mono + longest
        assert 0 <= after.shell_exit <= 255


@given(POLICIES, HISTORIES)
def test_run_numbers_only_grow_and_each_is_spawned_once(policy, history):
    for before, _, after, effects, _ in live_through(policy, history):
        spawns = sum(isinstance(effect, Spawn) for effect in effects)
        assert after.run - before.run == spawns
        assert spawns in {0, 1}
        restarts = sum(isinstance(effect, events.RunRestarted) for effect in effects)
        assert after.restart_count - before.restart_count == restarts
        changes_over = before.ending is not None or after.reason is None
        assert restarts == spawns or (spawns == 1 and changes_over)
        assert (after.id, after.definition, after.created_at) == (before.id, before.definition, before.created_at)


@given(POLICIES, HISTORIES)
def test_a_new_run_never_begins_while_the_old_one_may_live(policy, history):
    over = False
    for before, fact, after, effects, _ in live_through(policy, history):
        if after.run > before.run:
            gone = fact.survivors or (before.ending and before.ending.exited) if isinstance(fact, Gone) else True
            exited = isinstance(fact, (Exited, KeeperLost, SpawnFailed))
            assert over or exited or (isinstance(fact, Gone) and gone)
        over = after.status in FINAL or after.status is Status.RESTARTING
        assert not (over and any(isinstance(effect, (Spawn, SignalTree, EndTree)) for effect in effects))


@given(POLICIES, HISTORIES)
def test_what_was_stopped_killed_or_ran_out_of_time_is_never_started_by_itself(policy, history):
    for before, fact, after, _, _ in live_through(policy, history):
        cause = before.ending.cause if before.ending else None
        if cause in {Cause.STOP, Cause.KILL, Cause.TIMEOUT, Cause.FENCED} and after.status is not Status.STOPPING:
            assert after.status in FINAL
        if before.status in FINAL and not isinstance(fact, StartAsked):
            assert after.status in FINAL


@given(POLICIES, HISTORIES)
def test_a_fence_is_final(policy, history):
    fenced = False
    for _, fact, after, effects, _ in live_through(policy, history):
        fenced = not isinstance(fact, StartAsked) and (
            fenced
            or fact == EndAsked(Cause.FENCED, 0.0)
            or (fact == KeeperLost(leased=True) and after.reason == "fenced")
        )
        if fenced:
            assert after.status in {Status.STOPPING, Status.KILLED}
            assert not any(isinstance(effect, (Spawn, SignalTree)) for effect in effects)
            assert after.status is Status.STOPPING or (after.reason, after.exit_code) == ("fenced", None)


@given(POLICIES, HISTORIES)
def test_the_restart_budget_is_never_exceeded(policy, history):
    restarts: list[float] = []
    for _, fact, after, effects, now in live_through(policy, history):
        if not any(isinstance(effect, Spawn) for effect in effects):
            continue
        restarts = [*restarts, now.mono] if isinstance(fact, RestartDue) else []
        recent = [at for at in restarts if now.mono - at < policy.window]
        assert not policy.max_restarts or len(recent) <= policy.max_restarts
        assert policy.when is not Restart.NEVER or not isinstance(fact, RestartDue)
        assert len(after.restarts_mono) <= max(1, policy.max_restarts), "memory is bounded, too"


LIMITED = Exited(None, NOW.wall, left=True, verdict=RunVerdict(False, None, Retry.WAIT, NOW.wall + 1))
"""The run has ended because of a limit of use; a process of it has not."""


@given(POLICIES, HISTORIES)
@example(
    RestartPolicy(Restart.ON_FAILURE, max_restarts=0, window=1.0, backoff=0.0),
    [(Spawned(2, 0.0, 0.0), 0.0), (LIMITED, 0.0), (SpawnFailed("no_terminals", "none left"), 0.0)],
)
def test_the_delay_doubles_from_the_last_healthy_run(policy, history):
    n = 0
    for before, fact, after, effects, now in live_through(policy, history):
        if after.status is Status.RESTARTING and before.status is not Status.RESTARTING:
            if now.mono - before.run_started_mono > policy.window and not isinstance(fact, SpawnFailed):
                n = 0
            delay = max(min(policy.backoff * 2**n, 60.0), _resume_delay(before, fact, now))
            assert after.next_restart_mono == pytest.approx(now.mono + delay)
            n += 1
        elif any(isinstance(effect, Spawn) for effect in effects) and not isinstance(fact, RestartDue):
            n = 0  # a person began anew


def _resume_delay(before, fact, now):
    """Seconds from now for which the run's own last words ask, such as until a limit of use is over; 0: for none."""
    resume_at = None
    if before.ending is not None:
        resume_at = before.ending.resume_at
    elif isinstance(fact, Exited) and fact.verdict is not None and fact.verdict.retry is Retry.WAIT:
        resume_at = fact.verdict.resume_at
    return 0.0 if resume_at is None else resume_at - now.wall


@given(POLICIES, HISTORIES)
def test_a_status_only_changes_along_the_table(policy, history):
    for before, _, after, _, _ in live_through(policy, history):
        near = set(TABLE[before.status].values())
        assert after.status in {before.status} | near | {two for one in near for two in TABLE[one].values()}


@given(POLICIES, HISTORIES, st.floats(0, 30))
def test_from_wherever_it_lives_a_kill_leads_to_killed(policy, history, grace):
    states = [mission(Status.STARTING, policy=policy), *(after for _, _, after, _, _ in live_through(policy, history))]
    after, _ = next_state(states[-1], EndAsked(Cause.KILL, grace), NOW)
    if not states[-1].is_live:
        assert after == replace(states[-1], hidden=True), "it is hidden; how it ended is what it was"
        return
    if after.status is Status.STOPPING:
        after, _ = next_state(after, Exited(-9, NOW.wall, left=False), NOW)
    if after.status is Status.STOPPING:
        after, _ = next_state(after, Gone(), NOW)
    assert (after.status, after.shell_exit) == (Status.KILLED, 137)
