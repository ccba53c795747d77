"""What follows for a quest when a person has landed its work by hand. Pure.

A quest that has ended stays what it is: it has failed, and its work is there all the same, so that those that need it
go on. One that waited for a person, or for another attempt at what that has taken over, is done. All others go on by
themselves; what they have left to land then, they land.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from overmind_core.domain.quests.classes import BLOCKED, REVIEW_DENIED, Consequence, consequence_of
from overmind_core.domain.quests.life import QuestState, is_refused, lands_on, state_of
from overmind_core.domain.quests.quest import QuestPhase, QuestStatus
from overmind_core.domain.quests.shared_folder import shown_state

if TYPE_CHECKING:
    from overmind_core.domain.quests.quest import Quest


class AfterHandLanding(StrEnum):
    """What follows."""

    NOTHING = "nothing"
    """Completed or being cancelled, or its work is on another branch than its own."""
    NOTE = "note"
    """Under way, or tried again by itself: where a part of its work has landed is kept until it ends."""
    SETTLE = "settle"
    """It has failed, or was cancelled: where its work has landed is noted, and nothing is asked about it any more."""
    ACCEPT = "accept"
    """A person was to review its work, and has landed it: that accepts it."""
    LAND_AGAIN = "land_again"
    """Its landing was refused: it is tried again, and nothing is left of it."""
    COMPLETE = "complete"
    """Its newest attempt has failed, or could not go on, and another one was to follow: it is done instead."""


def after_hand_landing(quest: Quest, branch: str) -> AfterHandLanding:
    """Return what follows once a person has landed the work of a quest on a branch.

    On another branch than its own its work is not where others look for it: only what is asked about it is settled.
    """
    if quest.queue is None or quest.cancelling:
        return AfterHandLanding.NOTHING
    if quest.status in {QuestStatus.FAILED, QuestStatus.CANCELLED}:
        return AfterHandLanding.SETTLE
    return _on_its_branch(quest) if lands_on(quest, branch) else AfterHandLanding.NOTHING


def _on_its_branch(quest: Quest) -> AfterHandLanding:
    match state_of(quest):
        case QuestState.REVIEW:
            return AfterHandLanding.ACCEPT
        case QuestState.LANDING if is_refused(quest):
            return AfterHandLanding.LAND_AGAIN
        case QuestState.QUEUED if _was_left(quest):
            return AfterHandLanding.COMPLETE
        case QuestState.COMPLETED:
            return AfterHandLanding.NOTHING
    return AfterHandLanding.NOTE


def is_unreviewed(quest: Quest | None) -> bool:
    """Return whether its work is to be reviewed, and nobody has accepted what its newest attempt has come to.

    What was accepted was shown, be it that nobody could record how: then it may have changed since.
    """
    if quest is None or quest.queue is None or quest.goal is None or quest.goal.review is None:
        return False
    is_accepted = quest.queue.phase is QuestPhase.LANDING and shown_state(quest) is not None
    return quest.status is not QuestStatus.COMPLETED and not is_accepted


def why_unreviewed(quest: Quest) -> str:
    """Return what is missing before the work of one may land that `is_unreviewed`, or has changed since.

    As a sentence without its end.
    """
    if quest.status is QuestStatus.REVIEW:
        return f"{quest.name} waits for your review"
    if not quest.runs and _is_denied(quest):
        return f"The review of {quest.name} was denied"
    if not is_unreviewed(quest):
        return f"{quest.name} has changed since its review"
    if quest.queue is not None and quest.queue.phase is QuestPhase.LANDING:
        # It was accepted, and nobody could record how it was then; or its review is wanted only since.
        return f"Nobody can tell whether {quest.name} was reviewed as it is now"
    return f"{quest.name} is to be reviewed before it lands, and was not"


def _is_denied(quest: Quest) -> bool:
    """True if the review of its newest attempt was denied; the class of its last failure may be of an earlier one."""
    queue = quest.queue
    if queue is None or queue.failure != REVIEW_DENIED:
        return False
    return not queue.tries or queue.tries[-1].failure == REVIEW_DENIED


def _was_left(quest: Quest) -> bool:
    """Whether its newest attempt has handed in work that was not good enough, or could not go on.

    One that a limit, or the end of its machine, has ended was in the middle of its work: that goes on.
    """
    queue = quest.queue
    if queue is None or not queue.tries or queue.failure is None:
        return False
    return queue.failure == BLOCKED or consequence_of(queue.failure) is Consequence.COUNTS
