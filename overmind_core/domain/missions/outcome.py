"""How work ended, in the words that people read: of missions, agents, plans, quests, rituals and headless runs. Pure.

`status` says where a mission is in its life, as scripts know it; the outcome says whether it did what it was for. Why
it failed is a code among ourselves; `reasons` has what people read of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from overmind_core.domain.missions.mission import FINAL, Cause, Mission, Status
from overmind_core.domain.missions.reasons import OUT_OF_TIME
from overmind_core.domain.replacing import replace


class Outcome(StrEnum):
    """How work ended."""

    SUCCEEDED = "succeeded"
    """By itself, and well."""
    FAILED = "failed"
    """By itself, and not well."""
    TIMED_OUT = "timed out"
    """A limit of time or of silence ended it."""
    STOPPED = "stopped"
    """A person, its plan or its parent ended it on purpose."""
    KILLED = "killed"
    """The same, by `kill`."""
    LOST = "lost"
    """Nobody knows: its keeper or its machine went away."""


ON_PURPOSE = frozenset({Outcome.STOPPED, Outcome.KILLED})
"""Nobody wants it any more, so it is not tried again."""

CUT_OFF = ON_PURPOSE | {Outcome.LOST}
"""Somebody has ended it, as a shutdown does, or it was lost: nothing of it need have failed."""

LOST = frozenset({Cause.KEEPER_LOST.value, Cause.FENCED.value})
"""Reasons of what nobody knows the end of."""


_OF_FAILURES: Mapping[str, Outcome] = {
    **dict.fromkeys(OUT_OF_TIME, Outcome.TIMED_OUT),
    **dict.fromkeys(LOST, Outcome.LOST),
    **{outcome.value: outcome for outcome in ON_PURPOSE},
}
"""The reason of what has failed for those that need it → how it ended, where that is another outcome."""


def failure_outcome(reason: str | None) -> Outcome:
    """How what its plan, quest or ritual calls failed has ended, by its reason."""
    return _OF_FAILURES.get(reason or "", Outcome.FAILED)


def outcome_of(mission: Mission) -> Outcome | None:
    """How a mission ended; None: it has not."""
    if mission.status not in FINAL:
        return None
    if mission.reason in LOST:
        return Outcome.LOST
    if mission.is_killed:
        return Outcome.KILLED
    if mission.ended_by_stop:
        return Outcome.STOPPED
    is_hidden = mission.status is Status.KILLED  # by an older program, after its end: its code and reason tell of that
    had_failed = is_hidden and (mission.reason is not None or mission.exit_code != 0)
    if mission.status is Status.CRASHED or mission.is_given_up or had_failed:
        return Outcome.TIMED_OUT if mission.reason in OUT_OF_TIME else Outcome.FAILED
    # An older program did not note who ended it. What was stopped ended by a signal, unless it handles those.
    is_unknown = mission.ended_by is None and mission.exit_code != 0
    return Outcome.STOPPED if is_unknown else Outcome.SUCCEEDED


def with_true_status(mission: Mission) -> Mission:
    """The mission, with the status of its end where an older program has put `killed` in its place to hide it."""
    if mission.status is not Status.KILLED or mission.is_killed:
        return mission
    gave_up_well = mission.is_given_up and mission.exit_code == 0  # its status says how its last run ended
    has_ended_well = gave_up_well or outcome_of(mission) in {Outcome.SUCCEEDED, Outcome.STOPPED}
    return replace(mission, status=Status.STOPPED if has_ended_well else Status.CRASHED, hidden=True)


def outcome_of_state(state: str, reason: str | None) -> Outcome | None:
    """How a quest or a run of a ritual ended, by the word of its state; None: it has not, or never began.

    `reason`: the code of why; of attempts that all failed, that of the last one.
    """
    match state:
        case "completed":
            return Outcome.SUCCEEDED
        case "failed":
            return failure_outcome(reason)
        case "cancelled":
            return Outcome.KILLED if reason == "killed" else Outcome.STOPPED
    return None


def state_of_ended(mission: Mission) -> str:
    """The state of what a mission did, once that has ended: the word to which `outcome_of_state` finds its outcome."""
    if outcome_of(mission) in ON_PURPOSE:  # its exit code does not say so, for a program may end well then
        return "cancelled"
    return "failed" if mission.shell_exit else "completed"


def was_stopped(mission: Mission | None) -> bool:
    """Whether somebody has stopped it, or its restart; its exit code does not say, for a program may end well then."""
    return mission is not None and outcome_of(mission) is Outcome.STOPPED
