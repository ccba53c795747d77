"""What may happen to a mission, and when. No clock, no IO.

`TABLE` is the only truth about statuses: the diagram in docs/ and the tests read it. `next_state` turns a fact
(what the keeper, the clock or a person reports) into a step of the table, the changed mission and the effects
that the supervisor carries out after it has saved them.
"""

from __future__ import annotations

import signal
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, assert_never

from overmind_core.domain import liveness, restart
from overmind_core.domain.facts import (
    Effect,
    EndAsked,
    EndTree,
    Exited,
    Fact,
    Frozen,
    Gone,
    KeeperLost,
    Note,
    Now,
    Outcome,
    RestartDue,
    SignalTree,
    Spawn,
    Spawned,
    SpawnFailed,
    StartAsked,
    Thawed,
)
from overmind_core.domain.mission import Cause, Ending, Kind, Mission, Status, shell_code
from overmind_core.domain.moment import format_time

if TYPE_CHECKING:
    from collections.abc import Mapping

LEFTOVER_GRACE = 1.0
"""Seconds that background processes get after TERM once their mission's own process has ended."""
TIMEOUT_CODE = 124
STALL_CODE = 137


class Step(StrEnum):
    """The edges of the table."""

    PREPARED = "prepared"
    SPAWNED = "spawned"
    END = "end"
    CLEAN = "clean"
    BAD = "bad"
    KILLED = "killed"
    AGAIN = "again"
    START = "start"
    FREEZE = "freeze"
    THAW = "thaw"
    HIDE = "hide"
    SWEEP = "sweep"


_CONCLUDE = {
    Step.CLEAN: Status.STOPPED,
    Step.BAD: Status.CRASHED,
    Step.KILLED: Status.KILLED,
    Step.AGAIN: Status.RESTARTING,
    Step.START: Status.STARTING,
}
_NOT_YET_SPAWNED = frozenset({Status.PREPARING, Status.STARTING, Status.STOPPING})
TABLE: Mapping[Status, Mapping[Step, Status]] = {
    Status.PREPARING: {Step.PREPARED: Status.STARTING, Step.END: Status.STOPPING},
    Status.STARTING: {Step.SPAWNED: Status.RUNNING, Step.END: Status.STOPPING},
    Status.RUNNING: {Step.END: Status.STOPPING, Step.FREEZE: Status.PAUSED},
    Status.PAUSED: {Step.END: Status.STOPPING, Step.THAW: Status.RUNNING},
    Status.RESTARTING: {
        Step.START: Status.STARTING,
        Step.CLEAN: Status.STOPPED,
        Step.KILLED: Status.KILLED,
        Step.SWEEP: Status.STOPPING,
    },
    Status.STOPPING: {Step.END: Status.STOPPING, **_CONCLUDE},
    Status.STOPPED: {Step.START: Status.STARTING, Step.HIDE: Status.KILLED},
    Status.CRASHED: {Step.START: Status.STARTING, Step.HIDE: Status.KILLED},
    Status.KILLED: {Step.START: Status.STARTING, Step.HIDE: Status.KILLED},
}


class IllegalTransition(Exception):
    """`step` means nothing in `status`; nothing changed."""

    def __init__(self, status: Status, step: Step) -> None:
        super().__init__(f"{step} in {status}")
        self.status = status
        self.step = step


def transition(status: Status, step: Step) -> Status:
    """Return the status after `step`.

    Raises:
        IllegalTransition: `step` means nothing in `status`; nothing changed.
    """
    try:
        return TABLE[status][step]
    except KeyError:
        raise IllegalTransition(status, step) from None


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
        case StartAsked():
            return _start_asked(mission, now)
        case RestartDue():
            return _restart_due(mission, now)
        case Frozen():
            held = liveness.hold(mission, now.mono)
            return _step(held, Step.FREEZE), (Note("paused"),)
        case Thawed():
            moving = liveness.unhold(mission, fact.last_output, now.mono)
            return _step(moving, Step.THAW), (Note("thawed"),)
        case KeeperLost():
            return _keeper_lost(mission, now)
    assert_never(fact)


def stop_signals(mission: Mission) -> tuple[int, ...]:
    """What a stop sends to every process: the stop signal, HUP for sessions on a PTY, and CONT for the stopped.

    Interactive shells ignore TERM, so they get HUP as well (architecture.md, the life of a mission).
    """
    definition = mission.definition
    hangup = (signal.SIGHUP,) if definition.kind is Kind.SESSION and definition.tty else ()
    return (definition.stop_signal, *hangup, signal.SIGCONT)


def _step(mission: Mission, step: Step) -> Mission:
    return replace(mission, status=transition(mission.status, step))


def _spawned(mission: Mission, fact: Spawned) -> Outcome:
    known = replace(
        mission,
        pid=fact.pid,
        started_at=mission.started_at if mission.started_at is not None else fact.wall,
        run_started_mono=fact.mono,
        quiet_since_mono=fact.mono,
        held_mono=None,
    )
    if mission.status is Status.STOPPING:  # asked to end while the spawn was under way
        return known, _ending_effects(known)
    return _step(known, Step.SPAWNED), (Note("started", data=(("pid", fact.pid),)),)


def _spawn_failed(mission: Mission, fact: SpawnFailed, now: Now) -> Outcome:
    if mission.status not in _NOT_YET_SPAWNED or mission.pid is not None:
        raise IllegalTransition(mission.status, Step.END)
    if mission.ending is None:
        mission = _step(mission, Step.END)
    cause = mission.ending.cause if mission.ending else Cause.SPAWN_FAILED
    ending = Ending(cause, now.mono, exited=True, gone=True)
    failed = replace(mission, pid=None, exit_code=None, reason=fact.code, ending=ending, run_started_mono=now.mono)
    return _conclude(failed, now, (Note("spawn_failed", f"--- could not start: {fact.message} ---"),))


def _exited(mission: Mission, fact: Exited, now: Now) -> Outcome:
    code = None if fact.code is None else shell_code(fact.code)
    ended = replace(mission, pid=None, exit_code=code, ended_at=fact.wall)
    note = Note("exited", data=(("exit_code", code),))
    if mission.ending is not None:
        # Earlier runs may have left something behind, of which this exit says nothing.
        left = fact.left or mission.definition.leave_background
        ending = replace(mission.ending, exited=True, gone=mission.ending.gone or not left)
        ended = replace(ended, ending=ending)
        return _conclude(ended, now, (note,)) if ending.gone else (ended, (note,))
    ended = _step(ended, Step.END)
    spared = mission.definition.leave_background
    if spared or not fact.left:
        return _conclude(replace(ended, ending=Ending(Cause.EXITED, now.mono, exited=True, gone=True)), now, (note,))
    ending = Ending(Cause.EXITED, now.mono + LEFTOVER_GRACE, exited=True)
    return replace(ended, ending=ending), (note, SignalTree((signal.SIGTERM, signal.SIGCONT)))


def _gone(mission: Mission, fact: Gone, now: Now) -> Outcome:
    if mission.ending is None:
        raise IllegalTransition(mission.status, Step.CLEAN)
    ending = replace(mission.ending, gone=True, survivors=fact.survivors)
    known = replace(mission, ending=ending)
    notes = (Note("survivors", f"--- could not end: {', '.join(fact.survivors)} ---"),) if fact.survivors else ()
    if ending.exited or fact.survivors:
        return _conclude(known, now, notes)
    return known, notes


def _end_asked(mission: Mission, fact: EndAsked, now: Now) -> Outcome:
    if mission.status is Status.RESTARTING:
        return _cancel_restart(mission, fact, now)
    if not mission.is_live:
        if fact.cause is Cause.KILL:
            return _step(mission, Step.HIDE), (Note("hidden"),)
        raise IllegalTransition(mission.status, Step.END)
    before = mission.ending
    if before is not None and fact.cause is not Cause.KILL:
        return replace(mission, ending=_merge(before, fact, now)), ()
    ending = (
        replace(before, cause=fact.cause, deadline_mono=now.mono)
        if before
        else Ending(fact.cause, now.mono + fact.grace)
    )
    stopping = replace(_step(mission, Step.END), ending=ending, held_mono=None)
    notes: tuple[Effect, ...] = (Note("stopping", fact.text, (("cause", fact.cause.value),)),)
    if mission.status in {Status.PREPARING, Status.STARTING}:
        return stopping, notes  # the answer to the spawn comes first
    return stopping, (*notes, *_ending_effects(stopping))


def _merge(before: Ending, fact: EndAsked, now: Now) -> Ending:
    """A wish on top of an ending can shorten its grace, and decide what follows an ending that nobody asked for."""
    undecided = before.cause in {Cause.EXITED, Cause.RESTART, Cause.STALLED}
    cause = fact.cause if undecided and fact.cause in {Cause.STOP, Cause.RESTART} else before.cause
    return replace(before, cause=cause, deadline_mono=min(before.deadline_mono, now.mono + fact.grace))


def _ending_effects(mission: Mission) -> tuple[Effect, ...]:
    assert mission.ending is not None
    at_once = mission.ending.cause in {Cause.KILL, Cause.STALLED}
    return (EndTree(),) if at_once else (SignalTree(stop_signals(mission)),)


def _cancel_restart(mission: Mission, fact: EndAsked, now: Now) -> Outcome:
    calm = replace(mission, next_restart_at=None, next_restart_mono=None, ended_at=mission.ended_at or now.wall)
    if fact.cause is Cause.RESTART:
        return _start(calm, now, ())
    if mission.definition.leave_background:  # what earlier runs left behind ends with the mission
        stopping = replace(_step(calm, Step.SWEEP), ending=Ending(fact.cause, now.mono + fact.grace, exited=True))
        return stopping, (Note("stopping", fact.text, (("cause", fact.cause.value),)), *_ending_effects(stopping))
    if fact.cause is Cause.KILL:
        return replace(_step(calm, Step.KILLED), exit_code=None, reason=None), (Note("killed"),)
    return replace(_step(calm, Step.CLEAN), reason="restart_cancelled"), (Note("stopped"),)


def _keeper_lost(mission: Mission, now: Now) -> Outcome:
    if not mission.is_live or mission.status is Status.RESTARTING:
        raise IllegalTransition(mission.status, Step.END)
    before = mission.ending
    # With EXITED the true code is known: only the sweep was interrupted.
    cause = before.cause if before else Cause.KEEPER_LOST
    code = mission.exit_code if before and before.exited else None
    stopping = replace(mission, status=Status.STOPPING) if before else _step(mission, Step.END)
    ending = Ending(cause, now.mono, exited=True, gone=True, survivors=before.survivors if before else ())
    lost = replace(
        stopping, ending=ending, pid=None, exit_code=code, ended_at=mission.ended_at if code is not None else now.wall
    )
    notes: tuple[Effect, ...] = (
        (Note("keeper_lost", "--- lost with its keeper ---"),) if cause is Cause.KEEPER_LOST else ()
    )
    return _conclude(lost, now, notes)


def _conclude(mission: Mission, now: Now, effects: tuple[Effect, ...]) -> Outcome:  # noqa: PLR0911 - one case per cause
    """The run is over and swept: final status, or another run."""
    ending = mission.ending
    assert ending is not None
    done = replace(mission, pid=None, survivors=ending.survivors, held_mono=None)
    match ending.cause:
        case Cause.RESTART:
            return _start(replace(done, ending=None), now, effects)
        case Cause.KILL:
            return _final(done, _Verdict(Step.KILLED, None, None), now, effects)
        case Cause.STOP:
            return _final(done, _Verdict(Step.CLEAN, None, done.exit_code), now, effects)
        case Cause.TIMEOUT:
            return _final(done, _Verdict(Step.BAD, "timeout", TIMEOUT_CODE), now, effects)
        case Cause.STALLED:
            return _by_policy(done, now, "stalled", STALL_CODE, effects)
        case Cause.KEEPER_LOST:
            return _by_policy(done, now, "keeper_lost", None, effects)
        case Cause.SPAWN_FAILED:
            return _by_policy(done, now, mission.reason, None, effects)
        case Cause.EXITED:
            return _by_policy(done, now, None, done.exit_code, effects)
    assert_never(ending.cause)


def _by_policy(
    mission: Mission, now: Now, reason: str | None, code: int | None, effects: tuple[Effect, ...]
) -> Outcome:
    assert mission.ending is not None
    policy = mission.definition.restart
    failed = reason is not None or code != 0
    step = Step.BAD if failed else Step.CLEAN
    if not restart.applies(policy, mission.ending.cause, failed=failed):
        return _final(mission, _Verdict(step, reason, code), now, effects)
    lasted = now.mono - mission.run_started_mono
    verdict = restart.decide(policy, mission.restarts_mono, mission.streak, lasted, now.mono)
    if isinstance(verdict, restart.GiveUp):
        spent = Note("budget_spent", "--- not restarted again: the restart budget is spent ---")
        return _final(mission, _Verdict(step, "restart_budget_spent", code), now, (*effects, spent))
    waiting = replace(
        _step(mission, Step.AGAIN),
        ending=None,
        reason=reason,
        exit_code=code,
        ended_at=mission.ended_at or now.wall,
        streak=verdict.streak,
        next_restart_at=now.wall + verdict.delay,
        next_restart_mono=now.mono + verdict.delay,
    )
    return waiting, (*effects, Note("restarting", data=(("delay_seconds", verdict.delay), ("exit_code", code))))


class _Verdict(NamedTuple):
    """How a mission ends for good."""

    step: Step
    reason: str | None
    code: int | None
    """As a shell shows it."""


def _final(mission: Mission, verdict: _Verdict, now: Now, effects: tuple[Effect, ...]) -> Outcome:
    status = transition(mission.status, verdict.step)
    ended = replace(
        mission,
        status=status,
        ending=None,
        reason=verdict.reason,
        exit_code=verdict.code,
        ended_at=mission.ended_at or now.wall,
        next_restart_at=None,
        next_restart_mono=None,
    )
    return ended, (*effects, Note(status.value, data=(("reason", verdict.reason), ("exit_code", verdict.code))))


def _restart_due(mission: Mission, now: Now) -> Outcome:
    if mission.status is not Status.RESTARTING:
        raise IllegalTransition(mission.status, Step.START)
    policy = mission.definition.restart
    counted = replace(
        mission,
        restart_count=mission.restart_count + 1,
        restarts_mono=restart.recent(policy, (*mission.restarts_mono, now.mono), now.mono),
    )
    return _start(counted, now, ())


def _start_asked(mission: Mission, now: Now) -> Outcome:
    if mission.is_live:  # a second run beside the first is never meant; `EndAsked` with `Cause.RESTART` is
        raise IllegalTransition(mission.status, Step.START)
    return _start(mission, now, ())


def _start(mission: Mission, now: Now, effects: tuple[Effect, ...]) -> Outcome:
    """Another run of the same mission; the first restart of an ended one begins a new budget."""
    fresh = mission.status is not Status.RESTARTING or mission.next_restart_mono is None
    started = replace(
        _step(mission, Step.START),
        run=mission.run + 1,
        ending=None,
        reason=None,
        pid=None,
        exit_code=None,
        ended_at=None,
        survivors=(),
        next_restart_at=None,
        next_restart_mono=None,
        streak=0 if fresh else mission.streak,
        restarts_mono=() if fresh else mission.restarts_mono,
        restart_count=mission.restart_count + (1 if fresh else 0),
    )
    return started, (*effects, Note("restart", restart_text(started.restart_count, now.wall)), Spawn())


def restart_text(number: int, wall: float) -> str:
    """The line that the log shows between two runs (cli.md, behaviour 18)."""
    return f"--- restart #{number} at {format_time(wall)} ---"
