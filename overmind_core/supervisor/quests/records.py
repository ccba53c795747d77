"""Quests as the API shows them: JSON-able, times in RFC 3339, absent things null. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from overmind_core.supervisor.records import time

if TYPE_CHECKING:
    from overmind_core.domain.mission import Mission
    from overmind_core.domain.quest import Quest


def brief(quest: Quest) -> dict[str, Any]:
    """Id and name: what commands answer that change a quest."""
    return {"id": quest.id, "name": quest.name}


def end(quest: Quest) -> dict[str, Any]:
    """How a quest ended: what whoever waited for it is told."""
    return {**brief(quest), "status": quest.status.value, "reason": quest.reason, "exit_code": quest.exit_code}


def row(quest: Quest, work: Mission | None, now: float) -> dict[str, Any]:
    """A quest in a list; `now` in seconds since the epoch, `work` its mission while that is there."""
    until = now if quest.ended_at is None else quest.ended_at
    attempts = quest.attempts if work is None or not quest.runs else work.restart_count + 1
    return {
        **end(quest),
        "phase": _phase(quest, work),
        "attempts": attempts,
        "retries": quest.retries,
        "check": quest.check,
        "check_id": quest.check_id,
        "command": quest.command,
        "cwd": quest.cwd,
        "provider": quest.provider,
        "ritual": quest.ritual,
        "mission": None if work is None else quest.id,
        "mission_status": None if work is None else work.status.value,
        "started_at": time(quest.created_at),
        "ended_at": time(quest.ended_at),
        "duration_seconds": round(max(0.0, until - quest.created_at), 3),
    }


def _phase(quest: Quest, work: Mission | None) -> str | None:
    """What a quest that runs is doing: its work, or its check."""
    if not quest.runs:
        return None
    return "work" if work is None or work.is_live else "check"
