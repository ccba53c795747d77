"""The board: the column of each quest, computed from its state, so that both always agree. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from overmind_core.domain.admission import WaitCode
from overmind_core.domain.quests.quest import QuestStatus

if TYPE_CHECKING:
    from overmind_core.domain.quests.quest import Quest


class Column(StrEnum):
    """A column, as requests and answers name it."""

    QUEUED = "queued"
    RUNNING = "running"
    BLOCKED = "blocked"
    REVIEW = "review"
    DONE = "done"


COLUMNS = tuple(Column)
"""From left to right."""
_DONE = frozenset({QuestStatus.COMPLETED, QuestStatus.CANCELLED})
_STUCK = frozenset({WaitCode.BLOCKED, WaitCode.HELD})


def column_of(quest: Quest, code: WaitCode | None, *, asked: bool, at_gate: bool = False) -> Column:
    """Return the column of a quest: the first that fits of review at a gate, done, review, blocked, running and queued.

    Args:
        quest: Of the queue, or one that began at once.
        code: Why it waits; None unless it is queued. Time, money, paths and slots make no difference.
        asked: A question of its mission, or about its work, is open. One that has failed is blocked as long as a
            person has not decided about it; of one that is held the answer is how it gets out of that column.
        at_gate: The document that it has made waits at the gate of its phase: it is in review until a person has
            answered, whatever has become of the quest.
    """
    if at_gate:
        return Column.REVIEW
    if quest.status in _DONE:
        return Column.DONE
    if quest.status is QuestStatus.REVIEW or (asked and quest.runs):
        return Column.REVIEW
    if quest.status is QuestStatus.FAILED:
        return Column.BLOCKED if asked else Column.DONE
    if code in _STUCK and not quest.runs:
        return Column.BLOCKED
    return Column.RUNNING if quest.runs else Column.QUEUED
