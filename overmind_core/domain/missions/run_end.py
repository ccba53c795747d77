"""What follows when a run is over and nothing of it is left: a final status, or another run. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

from overmind_core.domain.missions import events, restart_policy
from overmind_core.domain.missions.facts import Effect, Now, Outcome, Prepare, Spawn
from overmind_core.domain.missions.mission import Cause, Mission, Status
from overmind_core.domain.missions.outcome import outcome_of
from overmind_core.domain.missions.reasons import SPENT, sentence
from overmind_core.domain.missions.transitions import TransitionStep, transition, with_step
from overmind_core.domain.replacing import replace
from overmind_core.domain.text.moment import format_time

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_CODE = 124
STALL_CODE = 137
FENCED = Cause.FENCED.value
"""The reason of a mission whose lease has ended."""
_OF_TIME = frozenset({Cause.TIMEOUT, Cause.STALLED})
"""Ends by a limit of time or silence; who asked for the end has said how long that is."""
_ENDS: Mapping[Status, type[events.MissionEnded]] = {
    Status.STOPPED: events.MissionStopped,
    Status.CRASHED: events.MissionCrashed,
    Status.KILLED: events.MissionKilled,
}


def conclude(  # noqa: C901, PLR0911 - one case per cause
    mission: Mission, now: Now, effects: tuple[Effect, ...]
) -> Outcome:
    """The run is over and swept: final status, or another run."""
    ending = mission.ending
    assert ending is not None
    limit = mission.limit if ending.cause in _OF_TIME else None
    done = replace(mission, pid=None, survivors=ending.survivors, held_mono=None, limit=limit)
    match ending.cause:
        case Cause.RESTART:
            return start(replace(done, ending=None), now, effects)
        case Cause.KILL:
            return _final(done, _EndVerdict(TransitionStep.KILLED, None, None), now, effects)
        case Cause.FENCED:
            return _final(done, _EndVerdict(TransitionStep.KILLED, FENCED, None), now, effects)
        case Cause.STOP:
            return _final(done, _EndVerdict(TransitionStep.CLEAN, None, done.exit_code), now, effects)
        case Cause.TIMEOUT:
            return _final(done, _EndVerdict(TransitionStep.BAD, "timeout", TIMEOUT_CODE), now, effects)
        case Cause.STALLED:
            return _by_policy(done, now, "stalled", STALL_CODE, effects)
        case Cause.KEEPER_LOST:
            return _by_policy(done, now, "keeper_lost", None, effects)
        case Cause.SPAWN_FAILED:
            return _by_policy(done, now, mission.reason, None, effects)
        case Cause.EXITED if mission.setup:
            return _set_up(done, now, effects)
        case Cause.EXITED:
            return _by_policy(done, now, ending.reason, done.exit_code, effects)
        case Cause.LIMIT:
            return _final(done, _EndVerdict(TransitionStep.BAD, ending.reason, done.exit_code), now, effects)
        case Cause.CHANGE_OVER:
            return _change_over(done, effects)
    assert_never(ending.cause)


def _by_policy(
    mission: Mission, now: Now, reason: str | None, code: int | None, effects: tuple[Effect, ...]
) -> Outcome:
    assert mission.ending is not None
    policy = mission.definition.restart
    failed = reason is not None or code != 0
    step = TransitionStep.BAD if failed else TransitionStep.CLEAN
    if mission.ending.hopeless or not restart_policy.applies(policy, mission.ending.cause, failed=failed):
        return _final(mission, _EndVerdict(step, reason, code), now, effects)
    lasted = now.mono - mission.run_started_mono
    verdict = restart_policy.decide(policy, mission.restarts_mono, mission.streak, lasted, now.mono)
    if isinstance(verdict, restart_policy.GiveUp):
        last = "" if reason is None else f"; the last run: {sentence(reason, mission.limit)}"
        spent = events.RestartBudgetSpent(text=f"--- not restarted: the restart budget is used up{last} ---")
        given_up = replace(mission, run_reason=reason)
        return _final(given_up, _EndVerdict(step, SPENT, code), now, (*effects, spent))
    delay = max(verdict.delay, (mission.ending.resume_at or now.wall) - now.wall)
    waiting = replace(
        with_step(mission, TransitionStep.AGAIN),
        setup=False,
        ending=None,
        reason=reason,
        exit_code=code,
        ended_at=mission.ended_at or now.wall,
        streak=verdict.streak,
        next_restart_at=now.wall + delay,
        next_restart_mono=now.mono + delay,
    )
    return waiting, (*effects, events.RestartScheduled(delay_seconds=delay, exit_code=code))


class _EndVerdict(NamedTuple):
    """How a mission ends for good."""

    step: TransitionStep
    reason: str | None
    code: int | None
    """As a shell shows it."""


def _final(mission: Mission, verdict: _EndVerdict, now: Now, effects: tuple[Effect, ...]) -> Outcome:
    status = transition(mission.status, verdict.step)
    resume_at = None if mission.ending is None else mission.ending.resume_at
    ended = replace(
        mission,
        status=status,
        ended_by=None if mission.ending is None else mission.ending.cause,
        setup=False,
        ending=None,
        reason=verdict.reason,
        exit_code=verdict.code,
        resume_at=resume_at,
        ended_at=mission.ended_at or now.wall,
        next_restart_at=None,
        next_restart_mono=None,
    )
    return ended, (*effects, _ENDS[status](reason=verdict.reason, exit_code=verdict.code, outcome=outcome_of(ended)))


def start(mission: Mission, now: Now, effects: tuple[Effect, ...]) -> Outcome:
    """Another run of the same mission; the first restart of an ended one begins a new budget."""
    fresh = mission.status is not Status.RESTARTING or mission.next_restart_mono is None
    isolated = mission.definition.isolated
    started = replace(
        with_step(mission, TransitionStep.PREPARE if isolated else TransitionStep.START),
        run=mission.run + 1,
        setup=False,
        ending=None,
        ended_by=None,
        reason=None,
        pid=None,
        exit_code=None,
        run_reason=None,
        limit=None,
        resume_at=None,
        ended_at=None,
        run_ended_at=None,
        survivors=(),
        hidden=False,
        next_restart_at=None,
        next_restart_mono=None,
        streak=0 if fresh else mission.streak,
        restarts_mono=() if fresh else mission.restarts_mono,
        restart_count=mission.restart_count + (1 if fresh else 0),
    )
    return started, (
        *effects,
        events.RunRestarted(text=restart_text(started.restart_count, now.wall)),
        Prepare() if isolated else Spawn(),
    )


def _set_up(mission: Mission, now: Now, effects: tuple[Effect, ...]) -> Outcome:
    """The project's set-up is over: what is prepared goes on, or nothing comes of the mission."""
    if mission.exit_code != 0:
        how = "" if mission.exit_code is None else f" with exit code {mission.exit_code}"
        failed = events.SetUpFailed(text=f"--- could not start: the project's set-up failed{how} ---")
        return _by_policy(mission, now, "setup_failed", mission.exit_code, (*effects, failed))
    ready = replace(
        with_step(mission, TransitionStep.PREPARE),
        run=mission.run + 1,
        setup=False,
        set_up=True,
        ending=None,
        reason=None,
        exit_code=None,
        ended_at=None,
    )
    return ready, (*effects, events.SetUpSucceeded(), Prepare())


def _change_over(mission: Mission, effects: tuple[Effect, ...]) -> Outcome:
    """The next run is the same work in another way: nothing is counted, and the log says nothing of a restart."""
    started = replace(
        with_step(mission, TransitionStep.START),
        run=mission.run + 1,
        ending=None,
        reason=None,
        exit_code=None,
        ended_at=None,
    )
    return started, (*effects, Spawn())


def restart_text(number: int, wall: float) -> str:
    """The line that the log shows between two runs (cli.md, behaviour 18)."""
    return f"--- restart #{number} at {format_time(wall)} ---"
