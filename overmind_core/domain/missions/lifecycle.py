"""The life cycle of a mission: what may happen to it, and when. No clock, no IO.

`next_state` turns a fact (what the keeper, the clock or a person reports) into a step of the table (`transitions`), the
changed mission and the effects that the supervisor carries out after it has saved them.
"""

from __future__ import annotations

import signal
from typing import assert_never

from overmind_core.domain.agents.agent_events import Retry, RunVerdict
from overmind_core.domain.missions import events, restart_policy
from overmind_core.domain.missions.facts import (
    Effect,
    EndAsked,
    EndTree,
    Exited,
    Fact,
    Frozen,
    Gone,
    KeeperLost,
    Now,
    Outcome,
    Prepared,
    RestartDue,
    SetUpAsked,
    SignalTree,
    Spawn,
    Spawned,
    SpawnFailed,
    StartAsked,
    Thawed,
)
from overmind_core.domain.missions.mission import UNFORGIVING, Cause, Ending, Kind, Mission, Status, shell_code
from overmind_core.domain.missions.outcome import outcome_of
from overmind_core.domain.missions.reasons import killed_words
from overmind_core.domain.missions.run_end import FENCED, conclude, start
from overmind_core.domain.missions.transitions import IllegalTransition, TransitionStep, transition, with_step
from overmind_core.domain.replacing import replace

LEFTOVER_GRACE = 1.0
"""Seconds that background processes get after TERM once their mission's own process has ended."""
_ASKED = frozenset({Cause.STOP, Cause.RESTART, Cause.TIMEOUT, Cause.LIMIT})
"""Endings that begin with a stop signal, and kill what is left after the grace."""
_NOT_YET_SPAWNED = frozenset({Status.PREPARING, Status.STARTING, Status.STOPPING})


def next_state(mission: Mission, fact: Fact, now: Now) -> Outcome:  # noqa: C901, PLR0911 - one case per fact
    """What `fact` makes of `mission`, and what is to be done about it.

    Raises:
        IllegalTransition: the fact means nothing in this status; nothing changed.
    """
    match fact:
        case Spawned():
            return _spawned(mission, fact)
        case SpawnFailed():
            return _spawn_failed(mission, fact, now)
        case Exited():
            return _exited(mission, fact, now)
        case Gone():
            return _gone(mission, fact, now)
        case EndAsked():
            return _end_asked(mission, fact, now)
        case SetUpAsked():
            return _set_up_asked(mission), (Spawn(),)
        case Prepared():
            return with_step(mission, TransitionStep.PREPARED), (events.MissionPrepared(), Spawn())
        case StartAsked():
            return _start_asked(mission, now)
        case RestartDue():
            return _restart_due(mission, now)
        case Frozen():
            held = restart_policy.hold(mission, now.mono)
            return with_step(held, TransitionStep.FREEZE), (events.MissionPaused(),)
        case Thawed():
            moving = restart_policy.unhold(mission, fact.last_output, now.mono)
            return with_step(moving, TransitionStep.THAW), (events.MissionThawed(),)
        case KeeperLost():
            return _keeper_lost(mission, fact, now)
    assert_never(fact)


def stop_signals(mission: Mission) -> tuple[int, ...]:
    """What a stop sends to every process: the stop signal, HUP for sessions on a PTY, and CONT for the stopped.

    Interactive shells ignore TERM, so they get HUP as well (architecture.md, the life of a mission).
    """
    definition = mission.definition
    hangup = (signal.SIGHUP,) if definition.kind is Kind.SESSION and definition.tty else ()
    return (definition.stop_signal, *hangup, signal.SIGCONT)


def _spawned(mission: Mission, fact: Spawned) -> Outcome:
    asked_to_end = mission.status is Status.STOPPING  # while the spawn was under way
    stays = asked_to_end or mission.setup
    known = replace(
        mission,
        status=mission.status if stays else transition(mission.status, TransitionStep.SPAWNED),
        pid=fact.pid,
        started_at=mission.started_at if mission.started_at is not None else fact.wall,
        run_started_at=fact.wall,
        run_started_mono=fact.mono,
        quiet_since_mono=fact.mono,
        held_mono=None,
    )
    if asked_to_end:
        return known, _ending_effects(known)
    if mission.setup:
        return known, (events.SetUpStarted(pid=fact.pid),)
    return known, (events.RunStarted(pid=fact.pid),)


def _spawn_failed(mission: Mission, fact: SpawnFailed, now: Now) -> Outcome:
    if mission.status not in _NOT_YET_SPAWNED or mission.pid is not None:
        raise IllegalTransition(mission.status, TransitionStep.END)
    if mission.ending is None:
        mission = with_step(mission, TransitionStep.END)
    begun = mission.ending or Ending(Cause.SPAWN_FAILED, now.mono)
    ending = Ending(begun.cause, now.mono, exited=True, gone=True, hopeless=fact.hopeless, resume_at=begun.resume_at)
    failed = replace(
        mission,
        pid=None,
        exit_code=None,
        reason=fact.code,
        ending=ending,
        run_started_mono=now.mono,
        killed_after=None,
    )
    return conclude(failed, now, (events.StartFailed(text=f"--- could not start: {fact.message} ---"),))


def _exited(mission: Mission, fact: Exited, now: Now) -> Outcome:
    code = None if fact.code is None else shell_code(fact.code)
    if mission.ending is None and fact.verdict is not None and fact.verdict.succeeded:
        code = 0
    had_to_be_killed = fact.code == -signal.SIGKILL and _is_overdue(mission, now)
    ended = replace(mission, pid=None, exit_code=code, ended_at=fact.wall, held_mono=None)
    ended, text = _killed_late(ended) if had_to_be_killed else (ended, None)
    event = events.RunExited(exit_code=code, text=text)
    if mission.ending is not None:
        # Earlier runs may have left something behind, of which this exit says nothing.
        left = fact.left or mission.definition.leave_background
        ending = replace(mission.ending, exited=True, gone=mission.ending.gone or not left)
        ended = replace(ended, ending=ending)
        return conclude(ended, now, (event,)) if ending.gone else (ended, (event,))
    ended = replace(with_step(ended, TransitionStep.END), killed_after=None)
    ending = _natural_end(fact.verdict, code, now)
    spared = mission.definition.leave_background
    if spared or not fact.left:
        return conclude(replace(ended, ending=replace(ending, gone=True)), now, (event,))
    ending = replace(ending, deadline_mono=now.mono + LEFTOVER_GRACE)
    return replace(ended, ending=ending), (event, SignalTree((signal.SIGTERM, signal.SIGCONT)))


def _is_overdue(mission: Mission, now: Now) -> bool:
    """Whether a run that was asked to end has let its grace pass; one that was given none was killed on purpose."""
    ending = mission.ending
    return ending is not None and ending.cause in _ASKED and now.mono >= ending.deadline_mono and _grace(mission) > 0


def _grace(mission: Mission) -> float:
    given = None if mission.ending is None else mission.ending.grace
    return mission.definition.grace if given is None else given


def _killed_late(mission: Mission) -> tuple[Mission, str | None]:
    """The mission whose run had to be killed after its grace, and the text for its log; None: the log has it."""
    if mission.killed_after is not None:
        return mission, None
    grace = _grace(mission)
    return replace(mission, killed_after=grace), f"--- {killed_words(grace)} ---"


def _natural_end(verdict: RunVerdict | None, code: int | None, now: Now) -> Ending:
    """The ending that nobody asked for, with what the run itself said about it."""
    ending = Ending(Cause.EXITED, now.mono, exited=True)
    if verdict is None:
        return ending
    if verdict.retry is Retry.SWITCH:
        return replace(ending, cause=Cause.CHANGE_OVER)
    unsaid = "failed" if code == 0 else None  # any other code says it
    return replace(
        ending,
        reason=verdict.reason or unsaid if verdict.failed else None,
        hopeless=verdict.retry is Retry.NEVER,
        resume_at=verdict.resume_at if verdict.retry is Retry.WAIT else None,
    )


def _gone(mission: Mission, fact: Gone, now: Now) -> Outcome:
    if mission.ending is None:
        raise IllegalTransition(mission.status, TransitionStep.CLEAN)
    ending = replace(mission.ending, gone=True, survivors=fact.survivors)
    known = replace(mission, ending=ending)
    recorded: tuple[Effect, ...] = ()
    if fact.killed and ending.exited and _is_overdue(mission, now):
        known, text = _killed_late(known)
        recorded = () if text is None else (events.BackgroundEnded(text=text),)
    if fact.survivors:
        recorded = (*recorded, events.SurvivorsLeft(text=f"--- could not be ended: {', '.join(fact.survivors)} ---"))
    if ending.exited or fact.survivors:
        return conclude(known, now, recorded)
    return known, recorded


def _end_asked(mission: Mission, fact: EndAsked, now: Now) -> Outcome:
    if mission.status is Status.RESTARTING:
        return _cancel_restart(mission, fact, now)
    if not mission.is_live:
        if fact.cause is Cause.KILL:
            return replace(mission, hidden=True), (events.MissionHidden(),)
        raise IllegalTransition(mission.status, TransitionStep.END)
    before = mission.ending
    if before is not None and not _overtakes(before.cause, fact.cause):
        return replace(mission, ending=_merge(before, fact, now)), ()
    ending = (
        replace(before, cause=fact.cause, deadline_mono=now.mono)
        if before
        else Ending(fact.cause, now.mono + fact.grace, reason=fact.reason, grace=fact.given)
    )
    late = None if before is None else mission.killed_after
    stopping = replace(
        with_step(mission, TransitionStep.END), ending=ending, held_mono=None, killed_after=late, limit=fact.limit
    )
    notes: tuple[Effect, ...] = (events.MissionStopping(text=fact.text, cause=fact.cause.value),)
    if mission.status in {Status.PREPARING, Status.STARTING} and mission.pid is None:
        return stopping, notes  # the answer to the spawn, or what was prepared and has to go, comes first
    return stopping, (*notes, *_ending_effects(stopping))


def _overtakes(before: Cause, asked: Cause) -> bool:
    """Whether an end that is asked for takes the place of one that is under way."""
    return asked in UNFORGIVING and before is not Cause.FENCED


def _merge(before: Ending, fact: EndAsked, now: Now) -> Ending:
    """A wish on top of an ending can shorten its grace, and decide what follows an ending that nobody asked for."""
    given = before.grace if fact.given is None else fact.given
    sooner = replace(before, deadline_mono=min(before.deadline_mono, now.mono + fact.grace), grace=given)
    if not before.is_of_run_only or fact.cause not in {Cause.STOP, Cause.RESTART, Cause.LIMIT}:
        return sooner
    return replace(sooner, cause=fact.cause, reason=fact.reason or before.reason)


def _ending_effects(mission: Mission) -> tuple[Effect, ...]:
    assert mission.ending is not None
    at_once = mission.ending.cause in {Cause.STALLED, *UNFORGIVING}
    return (EndTree(),) if at_once else (SignalTree(stop_signals(mission)),)


def _cancel_restart(mission: Mission, fact: EndAsked, now: Now) -> Outcome:
    # It ends now: to wait for a restart was part of its life.
    waited = replace(mission, ended_at=now.wall, run_ended_at=mission.ended_at)
    calm = replace(waited, next_restart_at=None, next_restart_mono=None)
    if fact.cause is Cause.RESTART:
        return start(calm, now, ())
    if mission.definition.leave_background:  # what earlier runs left behind ends with the mission
        ending = Ending(fact.cause, now.mono + fact.grace, exited=True)
        stopping = replace(with_step(calm, TransitionStep.SWEEP), ending=ending, limit=fact.limit)
        recorded = events.MissionStopping(text=fact.text, cause=fact.cause.value)
        return stopping, (recorded, *_ending_effects(stopping))
    if fact.cause is Cause.KILL:
        killed = replace(with_step(calm, TransitionStep.KILLED), exit_code=None, reason=None)
        return killed, (events.MissionKilled(outcome=outcome_of(killed)),)
    if fact.cause is Cause.FENCED:
        fenced = replace(with_step(calm, TransitionStep.KILLED), exit_code=None, reason=FENCED)
        return fenced, (events.MissionKilled(text=fact.text, reason=FENCED, outcome=outcome_of(fenced)),)
    if fact.cause is Cause.LIMIT:
        crashed = replace(with_step(calm, TransitionStep.BAD), reason=fact.reason)
        return crashed, (events.MissionCrashed(text=fact.text, outcome=outcome_of(crashed)),)
    stopped = replace(with_step(calm, TransitionStep.CLEAN), reason="restart_cancelled")
    return stopped, (events.MissionStopped(outcome=outcome_of(stopped)),)


def _keeper_lost(mission: Mission, fact: KeeperLost, now: Now) -> Outcome:
    if not mission.is_live or mission.status is Status.RESTARTING:
        raise IllegalTransition(mission.status, TransitionStep.END)
    before = mission.ending
    exited = before is not None and before.exited  # then the true code is known: only the sweep was interrupted
    cause = before.cause if before else Cause.KEEPER_LOST
    if fact.leased and not exited:
        cause = Cause.FENCED
    code = mission.exit_code if exited else None
    stopping = replace(mission, status=Status.STOPPING) if before else with_step(mission, TransitionStep.END)
    ending = Ending(cause, now.mono, exited=True, gone=True, survivors=before.survivors if before else ())
    lost = replace(
        stopping,
        ending=ending,
        pid=None,
        exit_code=code,
        ended_at=mission.ended_at if code is not None else now.wall,
        killed_after=mission.killed_after if exited else None,
    )
    recorded: tuple[Effect, ...] = ()
    if cause is Cause.KEEPER_LOST or (fact.leased and not exited):
        recorded = (events.RunLost(text="--- lost with its keeper ---"),)
    return conclude(lost, now, recorded)


def _restart_due(mission: Mission, now: Now) -> Outcome:
    if mission.status is not Status.RESTARTING:
        raise IllegalTransition(mission.status, TransitionStep.START)
    policy = mission.definition.restart
    counted = replace(
        mission,
        restart_count=mission.restart_count + 1,
        restarts_mono=restart_policy.recent(policy, (*mission.restarts_mono, now.mono), now.mono),
    )
    return start(counted, now, ())


def _set_up_asked(mission: Mission) -> Mission:
    if mission.status is not Status.PREPARING or mission.setup:
        raise IllegalTransition(mission.status, TransitionStep.START)
    return replace(mission, setup=True)


def _start_asked(mission: Mission, now: Now) -> Outcome:
    if mission.is_live:  # a second run beside the first is never meant; `EndAsked` with `Cause.RESTART` is
        raise IllegalTransition(mission.status, TransitionStep.START)
    return start(mission, now, ())
