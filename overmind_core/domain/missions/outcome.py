"""How work ended, in the words that people read: of missions, agents, plans, quests, rituals and headless runs. Pure.

`status` says where a mission is in its life, as scripts know it; the outcome says whether it did what it was for. Why
it failed is a code among ourselves; `sentence` is what people read of it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from overmind_core.domain.missions.mission import FINAL, Cause, Mission, Status
from overmind_core.domain.missions.run_end import FENCED

if TYPE_CHECKING:
    from collections.abc import Mapping


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

_BY_TIME = frozenset({"timeout", "stalled"})
_LOST = frozenset({Cause.KEEPER_LOST.value, FENCED})
_ON_PURPOSE = frozenset({"restart_cancelled", "stopped"})


def outcome_of(mission: Mission) -> Outcome | None:
    """How a mission ended; None: it has not."""
    if mission.status not in FINAL:
        return None
    if mission.reason in _LOST:
        return Outcome.LOST
    if mission.status is Status.KILLED:
        return Outcome.KILLED
    if mission.status is Status.CRASHED:
        return Outcome.TIMED_OUT if mission.reason in _BY_TIME else Outcome.FAILED
    if mission.ended_by is Cause.STOP or mission.reason in _ON_PURPOSE:
        return Outcome.STOPPED
    # An older program did not note who ended it. What was stopped ended by a signal, unless it handles those.
    is_unknown = mission.ended_by is None and mission.exit_code != 0
    return Outcome.STOPPED if is_unknown else Outcome.SUCCEEDED


def was_stopped(mission: Mission | None) -> bool:
    """Whether somebody has stopped it, or its restart; its exit code does not say, for a program may end well then."""
    return mission is not None and outcome_of(mission) is Outcome.STOPPED


SENTENCES: Mapping[str, str] = {
    "api_error": "the service of its model answered with an error",
    "blocked": "it reported that it can't go on",
    "check_failed": "its check failed",
    "conflicts": "its work conflicts with what has landed meanwhile",
    "cwd_not_found": "its folder does not exist",
    "dirty": "the branch is checked out where files are not committed",
    "disk_full": "the disk was full",
    "exit": "its command failed",
    "failed": "it failed",
    "fenced": "its lease ended: another machine may have its work",
    "forbidden": "a limit of it is used up",
    "gone": "something that it needs was removed",
    "internal": "Overmind made a mistake; see daemon.log",
    "interrupted": "its turn was interrupted",
    "invalid": "its request is not valid",
    "keeper_lost": "the program that held it, or the machine, went away",
    "killed": "it was killed",
    "limited": "its account has reached a limit",
    "max_cost": "it reached its limit of cost",
    "max_turns": "it reached its limit of turns",
    "name_taken": "its name was taken",
    "no_change": "nothing was changed or committed",
    "no_credit": "its account has no credit left",
    "no_result": "it ended without an answer",
    "no_structured_output": "it gave no answer in the form that was asked for",
    "no_terminals": "the machine had no free terminals",
    "not_found": "its program was not found",
    "not_logged_in": "it is not logged in",
    "not_pushed": "its work could not be pushed",
    "output_invalid": "its outputs are not valid",
    "output_missing": "it did not hand in what was asked for",
    "provider_missing": "its program was not found",
    "removed": "it was taken out of the plan",
    "restart_budget_spent": "restarted too often, gave up",
    "restart_cancelled": "it was stopped before its restart",
    "retries_spent": "it failed in each attempt",
    "review_denied": "its review was denied",
    "setup_failed": "the project's set-up failed",
    "stalled": "it was silent for too long",
    "steered": "it was ended for another way to its goal",
    "stopped": "it was stopped",
    "timeout": "it took too long",
    "unknown_provider": "its provider is not known",
    "untrusted_project": "the project's configuration is not trusted",
    "usage_error": "its program refused the arguments",
    "verify_failed": "the check of the merged work failed",
    "wrong_start": "its conversation could not be continued",
}
"""Code of a reason or of a class of failures → what people read. A number behind a code stays behind the sentence."""


def sentence(code: str) -> str:
    """What people read of a code; one that nobody knows, as of a newer program, with blanks."""
    first, blank, rest = code.partition(" ")
    return SENTENCES.get(first, first.replace("_", " ")) + (f" ({rest})" if blank else "")


def words(outcome: Outcome, *, exit_code: int | None = None, reason: str | None = None) -> str:
    """The outcome with why: `failed (3): restarted too often, gave up`, `failed (1)`, `timed out`.

    Args:
        outcome: How it ended.
        exit_code: As a shell shows it; None: it has none.
        reason: The code of its reason; None: there is none but its exit code.
    """
    if outcome is not Outcome.FAILED:
        return outcome.value
    code = f" ({exit_code})" if exit_code else ""
    return f"{outcome.value}{code}" + (f": {sentence(reason)}" if reason and reason not in {"exit", "failed"} else "")
