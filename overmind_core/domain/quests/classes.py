"""The classes of failed attempts: what each of them means for the quest. Pure; nothing is guessed from text.

A class is a reason of a mission, or the phase of the attempt that failed. One that stands nowhere in the table, such as
a service that did not become ready, counts: so each sequence of failures comes to its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.agents.agent_events import NO_CREDIT
from overmind_core.domain.engine_questions import UNDOES_LANDED
from overmind_core.domain.missions.lost import KEEPER_LOST
from overmind_core.domain.missions.mission import Status
from overmind_core.domain.missions.reasons import RETRIES_SPENT
from overmind_core.domain.quests.checked_work import checked_work
from overmind_core.domain.quests.life import is_refused
from overmind_core.domain.quests.quest import QuestPhase, QuestStatus
from overmind_core.domain.replacing import replace

if TYPE_CHECKING:
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.quests.quest import Quest, QueueState


class Consequence(StrEnum):
    """The consequence of a failure."""

    COUNTS = "counts"
    """Another attempt, after a pause that doubles, while retries are left."""
    LIMITED = "limited"
    """Another attempt when the limit of the service ends; it doesn't count."""
    FREE = "free"
    """Another attempt, three times; it doesn't count, for neither the work nor its quest is at fault."""
    FINAL = "final"
    """No other attempt: it would fail the same way."""
    CANCELLED = "cancelled"
    """No other attempt: somebody has ended it."""


EXIT = "exit"
LIMITED = "limited"
BLOCKED = "blocked"
"""It has reported something without which it can't go on, and needs that now."""
CHECK_FAILED = "check_failed"
VERIFY_FAILED = "verify_failed"
REVIEW_DENIED = "review_denied"
CONFLICTS = "conflicts"
CONFLICT_LEFT = "conflict_left"
"""It was to bring its work and what had landed together, and left a conflict as it was, or its marks."""
NO_CHANGE = "no_change"
"""It was to land, and has changed nothing."""
WORK_LOST = "work_lost"
"""Its worktree and its branch were gone when the state was recovered."""
UNFIT = "output_invalid"
"""What it has handed in can't be used, or its work can't land as it is, whatever its target is."""
UNFIT_TO_LAND = frozenset({UNFIT, CONFLICT_LEFT, NO_CHANGE})
"""Classes of work that can't land as it is: nobody reviews it."""
INTERNAL = "internal"
"""A bug of the daemon's own kept the attempt from going on."""
TABLE: Mapping[str, Consequence] = {
    **dict.fromkeys(
        (EXIT, "stalled", "steered", "output_missing", UNFIT, CHECK_FAILED, REVIEW_DENIED, CONFLICTS,
         CONFLICT_LEFT, UNDOES_LANDED, VERIFY_FAILED, NO_CHANGE, "api_error"),
        Consequence.COUNTS,
    ),
    LIMITED: Consequence.LIMITED,
    **dict.fromkeys((KEEPER_LOST, "disk_full", "no_terminals", BLOCKED, WORK_LOST), Consequence.FREE),
    **dict.fromkeys(
        ("timeout", "max_turns", "max_cost", "max_tokens", "no_structured_output", "not_logged_in", "usage_error",
         "setup_failed", "cwd_not_found", "not_found", "name_taken", "provider_missing", "unknown_provider",
         "untrusted_project",
         "forbidden", "invalid", "gone", INTERNAL),
        Consequence.FINAL,
    ),
    **dict.fromkeys(("stopped", "killed"), Consequence.CANCELLED),
}  # fmt: skip
"""By class; `api_error` with any number behind it."""
_OF_THE_WORK = frozenset({EXIT, "stalled", "steered", "api_error"})
_SAME = {
    None: EXIT,
    "failed": EXIT,
    "no_result": EXIT,
    "restart_budget_spent": EXIT,
    "restart_cancelled": "stopped",
    NO_CREDIT: LIMITED,
}
"""Reasons of missions that are another class."""

LONGEST_PAUSE = 60.0
"""Seconds; the pause before an attempt never grows beyond."""
LIMIT_PAUSE, LONGEST_LIMIT_PAUSE = 60.0, 900.0
"""Seconds before the first attempt after a limit of which nobody knows the end, and before any."""
RESET_MARGIN = 2.0
"""Seconds ago that the end of a limit may be: it is told in whole ones, and may pass before the attempt has ended."""
FREE_PAUSES = (0.0, 10.0, 60.0)
"""Seconds before each attempt that a free class is answered with; then it is enough."""
MOST_UNCOUNTED = 10
"""Attempts in a row that may fail without counting, the last of them included."""
MOST_REDONE = 10
"""Conflicts of a round that its work may leave, and be done once more for, without counting."""


class Requeue(NamedTuple):
    """Another attempt, from `at` on (seconds since the epoch); `counts`: this one has used up a retry."""

    at: float
    counts: bool
    redone: bool = False
    """It does the work once more on what has landed; what the conflict has used up is given back."""


class Fail(NamedTuple):
    """No other attempt: the quest has failed, for this reason."""

    reason: str


def consequence_of(failure: str) -> Consequence:
    """Return what follows from a class."""
    return TABLE.get(failure.partition(" ")[0], Consequence.COUNTS)


def last_failure(quest: Quest) -> str | None:
    """Return why it has ended: the class of its last failure, where all its attempts have failed, else its reason."""
    return quest.queue.failure if quest.reason == RETRIES_SPENT and quest.queue is not None else quest.reason


def is_nobodys_fault(mission: Mission) -> bool:
    """Whether a mission has ended for a reason that its work did not cause."""
    return mission.status is Status.CRASHED and consequence_of(mission.reason or EXIT) is Consequence.FREE


def is_redone(quest: Quest) -> bool:
    """Whether its work is done once more on what has landed, where it has left a conflict: a command reads no marks."""
    return quest.provider == RAW and quest.goal is not None and quest.goal.into is not None


def spent_for_good(quest: Quest) -> int:
    """The attempts of its round that count and are not given back, whatever the next one comes to.

    A conflict is given back where the attempt after it leaves it, and the work is done once more on what has landed.
    That is known once the landing of that attempt is refused for something else.
    """
    queue = quest.queue
    assert queue is not None
    is_open = not quest.is_over and is_redone(quest) and not is_refused(quest)
    is_pending = is_open and queue.failure == CONFLICTS and not queue.free and queue.redone < MOST_REDONE
    return max(0, queue.spent - is_pending)


def own_verify(quest: Quest | None, *, is_changed: bool = False) -> str | None:
    """Return the command that has to succeed on its merged work before it lands; None: there is none.

    Where its check is not passed, that is a part of it. `is_changed`: since it was.
    """
    if quest is None:
        return None
    verify = None if quest.goal is None else quest.goal.verify
    return both_succeed([one for one in (quest.check if is_changed else unpassed_check(quest), verify) if one])


def command_of(quest: Quest, failure: str | None) -> str | None:
    """Return the command of a quest, as it is now, whose exit code a class is about; None: there is none."""
    match failure:
        case "check_failed":
            return quest.check
        case "verify_failed":
            return None if quest.goal is None else quest.goal.verify
        case "exit" | "retries_spent" if quest.provider == RAW:  # what an agent is told is no command
            return quest.command
    return None


def failed_check(quest: Quest) -> str | None:
    """Return the check of a quest that has failed for it; None: it has failed for something else, or has not."""
    return quest.check if quest.status is QuestStatus.FAILED and last_failure(quest) == CHECK_FAILED else None


def unpassed_check(quest: Quest) -> str | None:
    """Return the check of a quest that its newest attempt has not passed, be it that it has yet to run."""
    if quest.status is QuestStatus.COMPLETED:
        return None
    queue = quest.queue
    passed = checked_work(quest)
    is_another = passed is not None and passed.command != quest.check
    if queue is not None and (quest.checked < len(queue.tries) or is_another):
        return quest.check
    if quest.status is QuestStatus.REVIEW:
        return None
    if queue is None or queue.phase in {QuestPhase.WORK, QuestPhase.CHECK}:
        is_denied = queue is not None and not quest.runs and queue.failure == REVIEW_DENIED
        return None if is_denied else quest.check
    return None


def both_succeed(commands: Sequence[str]) -> str | None:
    """Return the shell command that runs several, as long as they succeed; None for none."""
    if len(commands) == 1:
        return commands[0]
    return " && ".join(f"(\n{one}\n)" for one in commands) or None


def is_of_the_work(failure: str | None) -> bool:
    """Whether the work itself has failed, and nothing behind it, such as its check or its landing."""
    return failure is not None and failure.partition(" ")[0] in _OF_THE_WORK


def class_of(mission: Mission, beside: str | None = None) -> str:
    """Return the class of an attempt that a mission has failed, which has ended with a code other than 0.

    Args:
        mission: The attempt's work; or its check or review.
        beside: Of a check or review: the class that says so. What befell it, and not the work, keeps its own.
    """
    if mission.is_killed:
        return "killed"
    own = _SAME.get(mission.reason) or mission.reason or EXIT
    if beside is None:
        return own
    return own if consequence_of(own) in {Consequence.FREE, Consequence.CANCELLED} else beside


def after_failure(
    failure: str,
    queue: QueueState,
    retries: int,
    now: float,
    *,
    resume_at: float | None = None,
    backoff: float,
    redone: bool = False,
) -> Requeue | Fail:
    """Return what follows from an attempt that has failed.

    Args:
        failure: Its class.
        queue: How the quest stood during the attempt: it is not counted yet.
        retries: How many attempts may fail and be followed by another one.
        now: Seconds since the epoch.
        resume_at: When a limit ends, where that is known.
        backoff: Seconds before the second attempt; doubles.
        redone: Whether a conflict that was left is answered with the work once more, on what has landed.
    """
    if redone and failure == CONFLICT_LEFT and queue.redone < MOST_REDONE:
        return Requeue(now, counts=False, redone=True)
    match consequence_of(failure):
        case Consequence.COUNTS:
            if queue.spent < retries:
                return Requeue(now + _doubled(backoff, queue.spent, LONGEST_PAUSE), counts=True)
            return Fail(RETRIES_SPENT if retries and is_of_the_work(failure) else failure)
        case Consequence.LIMITED if queue.free + 1 < MOST_UNCOUNTED:
            pause = _doubled(LIMIT_PAUSE, _in_a_row(failure, queue), LONGEST_LIMIT_PAUSE)
            is_known = resume_at is not None and resume_at > now - RESET_MARGIN
            return Requeue(max(resume_at or 0.0, now) if is_known else now + pause, counts=False)
        case Consequence.FREE if queue.free + 1 < MOST_UNCOUNTED:
            before = 0 if failure == BLOCKED else _in_a_row(failure, queue)  # what it needs keeps it waiting
            return Requeue(now + FREE_PAUSES[before], counts=False) if before < len(FREE_PAUSES) else Fail(failure)
    return Fail(failure)


def requeued(failure: str, queue: QueueState, then: Requeue) -> QueueState:
    """Return how a quest stands in the queue whose attempt has failed with a class, and is followed by another one."""
    spent, free, redone = queue.spent + then.counts, 0 if then.counts else queue.free + 1, queue.redone
    if (
        then.redone
    ):  # the attempt before is the one that met the conflict, and has counted unless a person had allowed it
        before = queue.tries[-2].failure if len(queue.tries) > 1 else None
        spent, free, redone = max(0, spent - (before == CONFLICTS and not queue.free)), 0, redone + 1
    return replace(queue, failure=failure, spent=spent, free=free, redone=redone)


def _doubled(first: float, times: int, longest: float) -> float:
    return min(first * 2.0 ** min(times, 30), longest)


def _in_a_row(failure: str, queue: QueueState) -> int:
    """How many attempts before this one have failed with this class, one after the other."""
    number = 0
    ended = (one for one in reversed(queue.tries) if one.ended_at is not None)
    for one in ended:
        if one.failure != failure or number == queue.free:
            break
        number += 1
    return number
