"""Events about quests."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from overmind_core.domain.events import MissionAct


class QuestChanged(MissionAct, frozen=True, kw_only=True, tag="quest"):
    """The status of a quest has changed."""

    status: str
    reason: str | UnsetType | None = UNSET
    """The reason for a failure; only for an ended quest."""
    exit_code: int | UnsetType | None = UNSET
    """The exit code of its work, its check or its verify; only for an ended quest.

    Null: it was cancelled while none had failed.
    """
    phase: str | UnsetType | None = UNSET
    """The activity of a quest: `work`, `check`, `reviewing` or `landing`; null while it does not run.

    Absent for one that began at once, and has ended.
    """
    attempt: int | UnsetType = UNSET
    """The number of the newest attempt of a quest of the queue, from 1."""
    failure: str | UnsetType | None = msgspec.field(default=UNSET, name="class")
    """The class of its newest failed attempt; null when none has failed."""
    why: str | UnsetType = UNSET
    """The reason for a change that nobody asked for."""
    tried: str | UnsetType = UNSET
    """The id of its newest check, which stands otherwise now: another attempt has begun since, or it has completed."""


class QueueChanged(MissionAct, frozen=True, kw_only=True, tag="queue"):
    """The queue was paused or resumed, or has another number of slots; `mission` and `name` are `queue`."""

    paused: bool
    slots: int
    """How many quests may run at once."""
