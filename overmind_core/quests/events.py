"""What happens to quests, as the log has it."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from overmind_core.domain.events import MissionAct


class QuestChanged(MissionAct, frozen=True, kw_only=True, tag="quest"):
    """A quest has another status."""

    status: str
    reason: str | UnsetType | None = UNSET
    """Why it failed; only of one that has ended."""
    exit_code: int | UnsetType | None = UNSET
    """Of its work, or its check; only of one that has ended."""
