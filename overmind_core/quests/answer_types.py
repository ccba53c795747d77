"""The types of answers about quests. Only annotations name them."""

from __future__ import annotations

from typing import Literal, TypedDict

from overmind_core.domain.missions.mission import Status
from overmind_core.domain.quests import QuestStatus


class QuestBrief(TypedDict):
    """A quest by its id and name, which are its mission's."""

    id: str
    name: str


class QuestsFollowed(TypedDict):
    """The quests that are waited for."""

    missions: list[QuestBrief]


class QuestEnd(QuestBrief):
    """How a quest stands at its end."""

    status: QuestStatus
    reason: str | None
    """A code: why it failed, or was cancelled."""
    exit_code: int | None
    """The exit code of waiting for it; null while it runs."""


class QuestInfo(QuestEnd):
    """Everything known of one quest."""

    phase: Literal["work", "check"] | None
    """Its current activity; null once it has ended."""
    attempts: int
    retries: int
    """How often it is tried again."""
    check: str | None
    """The shell command that tells whether it is done."""
    check_id: str | None
    """The newest mission that ran it."""
    command: str
    """One line for people."""
    cwd: str
    provider: str
    ritual: str | None
    """Name of the ritual that began it."""
    mission: str | None
    """Id of its mission, while that is there."""
    mission_status: Status | None
    started_at: str
    ended_at: str | None
    duration_seconds: float
