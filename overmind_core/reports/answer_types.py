"""The types of answers about reports. Only annotations name them."""

from __future__ import annotations

from typing import Literal, TypedDict

from overmind_core.quests.answer_types import QuestBrief


class Reported(TypedDict):
    """What became of a report."""

    report: int
    """Its number; 0: it was not kept."""
    kind: str
    outcome: Literal["queued", "asked", "recorded"]
    quest: QuestBrief | None
    """The quest that it became."""
    question: int | None
    """The number of the question that it asks."""
    count: int
    """How often it was reported."""
    why: str | None
    """The reason why it was not queued, or which report says nearly the same."""


class ReportAnswer(TypedDict):
    """How a person has answered what was reported."""

    question: int
    behaviour: Literal["allow", "deny"]
    message: str | None
