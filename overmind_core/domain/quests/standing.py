"""How the missions of a quest stand: the one place that knows what the end of a program means for its quest. Pure.

The program of a quest that was checked and failed has ended well, and so has one whose work still has to land. What
people see of such a mission is this; its `status` stays what it is, as scripts know it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from overmind_core.domain.missions.mission import shell_code
from overmind_core.domain.missions.outcome import Outcome, outcome_of, outcome_of_state
from overmind_core.domain.missions.reasons import DENIED, ended_words, sentence
from overmind_core.domain.missions.standing import TRIED_AGAIN, WorkStanding, WorkState
from overmind_core.domain.quests.classes import last_failure
from overmind_core.domain.quests.life import (
    DISK_FULL,
    QuestState,
    achievement,
    is_refused,
    is_tried_again,
    state_of,
    waits_for_target,
)
from overmind_core.domain.quests.quest import CHECK, REVIEW, QuestStatus

if TYPE_CHECKING:
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.quests.quest import Quest

_BAD = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST})
NO_VERDICT = "gave no verdict: a person decides"
UNDECIDED = "no_verdict"
"""The code of a review that has ended without a verdict."""


def outcome_of_quest(quest: Quest) -> Outcome | None:
    """Return how a quest ended; None: it has not. One whose document a person has denied is wanted no more."""
    if quest.status is QuestStatus.COMPLETED and quest.reason == DENIED:
        return Outcome.STOPPED
    return outcome_of_state(quest.status, last_failure(quest))


def standing_of(quest: Quest, mission: Mission, in_the_way: str = "") -> WorkStanding | None:
    """Return how an ended mission of a quest stands; None: it says itself how.

    Args:
        quest: As it stands.
        mission: Its work, its check or its review.
        in_the_way: What its landing waits for, where that is known: `README.md is not committed`.
    """
    if mission.is_live:
        return None
    if mission.id != quest.id:
        return _beside(quest, mission)
    began = mission.run_started_at
    if quest.is_over and began is not None and quest.ended_at is not None and began > quest.ended_at:
        return None  # a person has started it again, and that is no attempt any more
    own, outcome = outcome_of(mission), outcome_of_quest(quest)
    if outcome is Outcome.FAILED and own in _BAD:
        outcome = own
    failure = last_failure(quest) if outcome is Outcome.FAILED and own not in _BAD else None
    return WorkStanding(state_word(quest), outcome, _text(quest, in_the_way, own), _next_try_at(quest), failure)


def _next_try_at(quest: Quest) -> float | None:
    if quest.queue is None or state_of(quest) is not QuestState.QUEUED or not quest.queue.failure:
        return None
    return quest.queue.not_before or None


def state_word(quest: Quest) -> WorkState:
    """Return the word of its state, as people read it beside its mission."""
    if state_of(quest) is QuestState.LANDING and is_refused(quest):
        return "to land"
    return state_of(quest).value


def landing_wait(quest: Quest, in_the_way: str = "") -> str:
    """Return what its landing waits for: `README.md is not committed`; "" where it doesn't wait.

    `in_the_way`: the same, where it was seen; else the kind of obstacle is said.
    """
    if not is_refused(quest):
        return ""
    if waits_for_target(quest) and in_the_way:
        return in_the_way
    reason = "the disk is full" if quest.reason == DISK_FULL else sentence(quest.reason)
    return reason if is_tried_again(quest) else f"a person decides: {reason}"


def _beside(quest: Quest, mission: Mission) -> WorkStanding | None:
    """How a check or a review stands; one that has failed is not the end of a quest that went on since."""
    is_undecided = quest.queue is not None and quest.queue.undecided == mission.id
    own = outcome_of(mission)
    if is_undecided and own is Outcome.SUCCEEDED:
        return WorkStanding(None, Outcome.FAILED, NO_VERDICT, failure=UNDECIDED)
    if own not in _BAD or not _is_beside(quest, mission):
        return None
    assert own is not None
    how = ended_words(own, shell_code(mission.exit_code or 0), mission.reason, mission.limit)
    if is_superseded(quest, mission.id):
        return WorkStanding(TRIED_AGAIN, None, f"{how}, {TRIED_AGAIN}")
    if state_of(quest) is QuestState.COMPLETED:
        return WorkStanding("completed", Outcome.SUCCEEDED, f"{how}; its quest has completed")
    return None


def check_left_behind(quest: Quest) -> str | None:
    """The id of the newest check, where its end is no longer that of its quest; None: there is none."""
    if quest.check_id is None:
        return None
    is_over = state_of(quest) is QuestState.COMPLETED
    return quest.check_id if is_over or is_superseded(quest, quest.check_id) else None


def is_superseded(quest: Quest, mission_id: str) -> bool:
    """Whether another attempt has begun since that check, or review, of a quest."""
    newest = {quest.check_id, None if quest.queue is None else quest.queue.review_id}
    return mission_id not in newest or (mission_id == quest.check_id and quest.attempts > quest.checked)


def _is_beside(quest: Quest, mission: Mission) -> bool:
    """Whether it is a check or a review, and no mission that its work has started."""
    name = mission.definition.name
    return any(re.fullmatch(rf"{re.escape(quest.name)}/{kind}(-\d+)?", name) for kind in (CHECK, REVIEW))


def _text(quest: Quest, in_the_way: str, own: Outcome | None) -> str:
    text = ""
    match state_of(quest):
        case QuestState.QUEUED if quest.queue is not None and quest.queue.failure:
            text = f"{TRIED_AGAIN}: {sentence(quest.queue.failure, quest.limit)}"
        case QuestState.REVIEW:
            text = "review: a person decides"
        case QuestState.LANDING if wait := landing_wait(quest, in_the_way):
            text = f"waits to land: {wait}"
        case QuestState.COMPLETED:
            text = achievement(quest)
        case QuestState.FAILED | QuestState.CANCELLED if by_hand := achievement(quest):
            text = f"{state_of(quest)}, {by_hand}"
        case QuestState.FAILED if own not in _BAD:
            text = f"failed: {sentence(last_failure(quest), quest.limit)}"
        case QuestState.CANCELLED if own is Outcome.SUCCEEDED:
            text = "its quest was cancelled"
    return text
