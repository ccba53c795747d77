"""What happens to quests, as the log has it."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from overmind_core.domain.events import MissionAct


class QuestChanged(MissionAct, frozen=True, kw_only=True, tag="quest"):
    """The status of a quest has changed."""

    status: str
    reason: str | UnsetType | None = UNSET
    """The reason for a failure; only for an ended quest."""
    exit_code: int | UnsetType | None = UNSET
    """The exit code of its work or its check; only for an ended quest."""
