"""The life of a quest of the queue: which event leads from which state to which. Pure.

`TABLE` is the only truth about it: the diagram in docs/quests.md and the tests read it. A state is a status, and of one
that runs the phase of its attempt. One that began at once has its own, shorter life, see `quest.next_step`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from overmind_core.domain.missions.reasons import (
    A_PERSON,
    DENIED,
    NOTHING_LANDED,
    achieved,
    kept_limit,
    landed_after,
    sentence,
)
from overmind_core.domain.quests.quest import PERSON, REVIEW, QuestPhase, QuestStatus, QueueState
from overmind_core.domain.replacing import replace

if TYPE_CHECKING:
    from overmind_core.domain.quests.quest import LandedWork, Quest


class QuestState(StrEnum):
    """The states of a quest of the queue, named as the command line, the API and the full-screen program name them."""

    QUEUED = "queued"
    WORKING = "working"
    CHECKING = "checking"
    REVIEWING = "reviewing"
    LANDING = "landing"
    REVIEW = "review"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class QuestEvent(StrEnum):
    """The edges of the table."""

    LEASE = "lease"
    """Its turn has come: an attempt begins."""
    CHECK = "check"
    REVIEW = "review"
    """A provider looks at its work."""
    ASK = "ask"
    """A person is asked to."""
    LAND = "land"
    COMPLETE = "complete"
    REQUEUE = "requeue"
    """The attempt is over, and another one follows."""
    FAIL = "fail"
    CANCEL = "cancel"
    RETRY = "retry"
    """A person gives it another round of attempts."""


_ENDS = {
    QuestEvent.COMPLETE: QuestState.COMPLETED,
    QuestEvent.REQUEUE: QuestState.QUEUED,
    QuestEvent.FAIL: QuestState.FAILED,
    QuestEvent.CANCEL: QuestState.CANCELLED,
}
"""How an attempt may end in each of its phases."""
_JUDGED = {QuestEvent.LAND: QuestState.LANDING, **_ENDS}
_REVIEWED = {QuestEvent.ASK: QuestState.REVIEW, **_JUDGED}
_CHECKED = {QuestEvent.REVIEW: QuestState.REVIEWING, **_REVIEWED}
_AGAIN = {QuestEvent.RETRY: QuestState.QUEUED}
TABLE: Mapping[QuestState, Mapping[QuestEvent, QuestState]] = {
    QuestState.QUEUED: {
        QuestEvent.LEASE: QuestState.WORKING,
        QuestEvent.COMPLETE: QuestState.COMPLETED,  # a person has landed its work by hand
        QuestEvent.CANCEL: QuestState.CANCELLED,
    },
    QuestState.WORKING: {QuestEvent.CHECK: QuestState.CHECKING, **_CHECKED},
    QuestState.CHECKING: _CHECKED,
    QuestState.REVIEWING: _REVIEWED,
    QuestState.REVIEW: _JUDGED,
    QuestState.LANDING: _ENDS,
    QuestState.COMPLETED: {},
    QuestState.FAILED: _AGAIN,
    QuestState.CANCELLED: _AGAIN,
}
HAVE_SLOT = frozenset({QuestState.WORKING, QuestState.CHECKING, QuestState.REVIEWING})
"""States in which a quest takes one of the slots of the queue."""
OWN = HAVE_SLOT | {QuestState.LANDING, QuestState.REVIEW}
"""States in which a quest keeps the paths that it owns from others."""

_PHASES: Mapping[QuestPhase, QuestState] = {
    QuestPhase.WORK: QuestState.WORKING,
    QuestPhase.CHECK: QuestState.CHECKING,
    QuestPhase.REVIEWING: QuestState.REVIEWING,
    QuestPhase.LANDING: QuestState.LANDING,
}
_STATES: Mapping[QuestStatus, QuestState] = {
    status: QuestState(status.value) for status in QuestStatus if status is not QuestStatus.RUNNING
}
_PHASE_OF: Mapping[QuestState, QuestPhase] = {state: phase for phase, state in _PHASES.items()}


class IllegalQuestEvent(Exception):
    """The event is not allowed in this state: a bug, or a late answer."""

    def __init__(self, state: QuestState, event: QuestEvent) -> None:
        super().__init__(f"{event} in {state}")
        self.state = state
        self.event = event


def state_of(quest: Quest) -> QuestState:
    """Return where a quest is in its life; one that runs and began at once is working, or is checked."""
    if quest.status is QuestStatus.RUNNING and quest.queue is not None:
        return _PHASES[quest.queue.phase]
    if quest.status is QuestStatus.RUNNING:
        is_at_check = quest.check_id is not None and quest.checked >= quest.attempts
        return QuestState.CHECKING if is_at_check else QuestState.WORKING
    return _STATES[quest.status]


def is_refused(quest: Quest) -> bool:
    """Return whether the target of its landing has refused it, for its `reason`: a person decides what follows."""
    return quest.reason is not None and state_of(quest) is QuestState.LANDING


DISK_FULL = "disk_full"
"""The reason of a landing, or of a check, for which there is no room: it is tried again until there is."""


def waits_for_room(quest: Quest) -> bool:
    """Return whether its landing, or its check, is tried again by itself: the disk is full."""
    return quest.reason == DISK_FULL and state_of(quest) in {QuestState.CHECKING, QuestState.LANDING}


DIRTY = "dirty"
"""The reason of a landing that meets uncommitted files in the checkout of its target."""


def waits_for_target(quest: Quest) -> bool:
    """Return whether its landing is tried again by itself: once a person's files are out of its way."""
    return quest.reason == DIRTY and state_of(quest) is QuestState.LANDING


def is_tried_again(quest: Quest) -> bool:
    """Return whether what was refused, or had no room, goes on by itself as soon as it can."""
    return waits_for_room(quest) or waits_for_target(quest)


def moved(quest: Quest, event: QuestEvent) -> Quest:
    """Return a quest of the queue with the status and phase that an event leads to.

    Raises:
        IllegalQuestEvent: it means nothing in this state; nothing changed.
    """
    before = state_of(quest)
    after = TABLE[before].get(event)
    if after is None:
        raise IllegalQuestEvent(before, event)
    queue = quest.queue or QueueState()
    phase = _PHASE_OF.get(after)
    if phase is not None:
        return replace(quest, status=QuestStatus.RUNNING, queue=replace(queue, phase=phase))
    return replace(quest, status=QuestStatus(after.value), queue=queue)


def because(quest: Quest) -> str:
    """Return the reason for a state that a quest has reached without a person's request."""
    failure = None if quest.queue is None else quest.queue.failure
    if quest.is_over and quest.reason is not None:
        return (left_conflict(quest) if quest.reason == failure else "") or _with_limit(quest.reason, quest.limit)
    if quest.status is QuestStatus.QUEUED and failure is not None:
        return left_conflict(quest) or _with_limit(failure, quest.limit)
    if has_landed_nothing(quest):
        return NOTHING_LANDED
    if landed_by_hand(quest) is not None:
        return achievement(quest)
    return landed_after(landed_conflicts(quest)) or no_verdict(quest) or _BECAUSE[state_of(quest)]


def _with_limit(code: str, limit: float | None) -> str:
    """The code of a reason; where a limit is known that is behind it, the words for both."""
    return code if kept_limit(code, limit) is None else sentence(code, limit)


LEFT = "It left "
"""The beginning of what is said of conflicts that an attempt has left."""


def left_conflict(quest: Quest) -> str:
    """Return which conflicts its newest attempt has left: `it left the marks of a conflict in a`; "": it left none."""
    if quest.queue is None or quest.queue.failure != _CONFLICT_LEFT:
        return ""
    from overmind_core.domain.quests.briefing import bare  # noqa: PLC0415 - for those that did

    lines = bare(quest.queue.feedback).splitlines()
    found = next((line for line in lines if line.startswith(LEFT)), "")
    return f"{found[:1].lower()}{found[1:]}".rstrip(".")


_CONFLICT_LEFT = "conflict_left"
"""`classes.CONFLICT_LEFT`."""


def no_verdict(quest: Quest) -> str:
    """Return why a person decides about work that a provider was to review, with its log; "" for any other."""
    if not lacks_verdict(quest):
        return ""
    return f"its reviewer gave no verdict: {review_log(quest)}"


def lacks_verdict(quest: Quest) -> bool:
    """Return whether a person decides about it because the provider that was to has not, or not so that it helps."""
    queue = quest.queue
    is_undecided = queue is not None and queue.undecided is not None and queue.undecided == queue.review_id
    return quest.status is QuestStatus.REVIEW and is_undecided


def review_log(quest: Quest) -> str:
    """Return the command that shows what its reviewer printed."""
    return f"overmind logs {quest.name}/{REVIEW}"


def has_landed_nothing(quest: Quest) -> bool:
    """Return whether it has completed, was to land, and there was nothing to."""
    to_land = quest.goal is not None and quest.goal.into is not None
    landed = None if quest.queue is None else quest.queue.landed
    return to_land and quest.status is QuestStatus.COMPLETED and landed is None


def lands_on(quest: Quest, branch: str) -> bool:
    """Return whether its work is to be on a branch; one without a target has none that is wrong."""
    into = None if quest.goal is None else quest.goal.into
    return into is None or into == branch


def landed_by_hand(quest: Quest) -> LandedWork | None:
    """Return where a person has landed its work, which has ended or completed by that; None: nobody has."""
    landed = None if quest.queue is None else quest.queue.landed
    if landed is None or not quest.is_over:
        return None
    did_not_itself = quest.status is not QuestStatus.COMPLETED or landed.by_hand_at is not None
    return landed if did_not_itself else None


def is_done(quest: Quest) -> bool:
    """Return whether those that need it may go on: it has completed, or a person has landed its work where it was to.

    It may have failed, or have been cancelled, before.
    """
    if quest.status is QuestStatus.COMPLETED:
        return True
    landed = landed_by_hand(quest)
    return landed is not None and lands_on(quest, landed.branch)


def is_landed_by_hand(quest: Quest) -> bool:
    """Return whether those that need it may go on because of a person, who has landed its work."""
    return is_done(quest) and landed_by_hand(quest) is not None


def done_at(quest: Quest) -> float:
    """Return since when it `is_done`, in seconds since the epoch; 0: nobody knows."""
    landed = landed_by_hand(quest)
    by_hand_at = None if landed is None else landed.by_hand_at
    return by_hand_at or quest.ended_at or 0.0


def landed_conflicts(quest: Quest) -> list[str]:
    """Return the files in which its work had met conflicts before it landed, sorted. Wire form."""
    queue = quest.queue
    if quest.status is not QuestStatus.COMPLETED or queue is None or queue.landed is None:
        return []
    return sorted({file.path for one in queue.met for file in one.files})


def achievement(quest: Quest) -> str:
    """Return what the end of a completed quest is worth: `landed on main`, `checked`; "" where it says no more.

    Only what has landed is on a branch; what was checked alone lies where it was done. Of one that has failed, or was
    cancelled, and whose work a person has landed: `landed by hand on main`.
    """
    by_hand = landed_by_hand(quest)
    if quest.status is not QuestStatus.COMPLETED and by_hand is None:
        return ""
    landed = None if quest.queue is None else quest.queue.landed
    return achieved(
        None if landed is None else landed.branch,
        to_land=quest.goal is not None and quest.goal.into is not None,
        checked=quest.check is not None,
        denied=quest.reason == DENIED,
        conflicts=landed_conflicts(quest),
        not_owned=0 if landed is None else len(landed.not_owned),
        by_hand=by_hand is not None,
        reviewer=_reviewer(quest),
    )


def _reviewer(quest: Quest) -> str:
    """The one that has accepted its work; "": nobody was to review it."""
    if quest.goal is None or quest.goal.review is None or quest.queue is None:
        return ""
    is_person = quest.goal.review == PERSON or any(one.by_person for one in quest.queue.tries[-1:])
    return A_PERSON if is_person else quest.goal.review


_BECAUSE: Mapping[QuestState, str] = {
    QuestState.QUEUED: "it waits for its turn",
    QuestState.WORKING: "its turn has come",
    QuestState.CHECKING: "its work has ended",
    QuestState.REVIEWING: "its work is to be reviewed",
    QuestState.LANDING: "its work is to land",
    QuestState.REVIEW: "a person decides",
    QuestState.COMPLETED: "it is done",
    QuestState.FAILED: "its attempt has failed",
    QuestState.CANCELLED: "it was cancelled",
}


def may_become(before: Quest, after: Quest) -> bool:
    """Return whether an event leads from one state to the other, or it is the same."""
    here, there = state_of(before), state_of(after)
    return here is there or there in TABLE[here].values()
