"""Rituals and their runs as the API shows them: JSON-able, times in RFC 3339 and as local clocks show them. Pure."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from overmind_core.domain.ritual import OPEN, Ritual, RitualRun, RunStatus
from overmind_core.schedules.zones import local
from overmind_core.supervisor.records import time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.schedules.schedule import Schedule

SHOWN = 3
"""Times that are shown of what follows."""


def brief(ritual: Ritual) -> dict[str, Any]:
    """Id and name: what commands answer that change a ritual."""
    return {"id": ritual.id, "name": ritual.name}


def row(ritual: Ritual, runs: Sequence[RitualRun], following: float | None) -> dict[str, Any]:
    """A ritual in a list: `runs` are those that are kept, oldest first; `following` is when the next one comes."""
    begun = [run for run in runs if run.started_at is not None]
    last = begun[-1] if begun else None
    return {
        **brief(ritual),
        "status": _status(ritual, runs),
        "schedule": ritual.schedule,
        "zone": ritual.zone,
        "paused": ritual.paused,
        "next_at": time(following),
        "next_local": None if following is None else local(following, ritual.zone),
        "last_at": None if last is None else time(last.started_at),
        "last_local": None if last is None or last.started_at is None else local(last.started_at, ritual.zone),
        "last_result": None if last is None else last.status.value,
        "last_id": None if last is None else last.mission,
        "last_number": None if last is None else last.number,
        "running": [run.mission for run in runs if run.status is RunStatus.RUNNING],
        "queued": sum(run.status is RunStatus.QUEUED for run in runs),
        "command": ritual.command,
        "kind": "quest" if ritual.apply is None else "blueprint",
        "overlap": ritual.overlap,
        "catch_up": ritual.catch_up,
        "keep": ritual.keep,
        "created_at": time(ritual.created_at),
    }


def details(
    ritual: Ritual, runs: Sequence[RitualRun], following: float | None, schedule: Schedule, now: float
) -> dict[str, Any]:
    """A ritual, with the times that follow `now` (seconds since the epoch)."""
    quest = ritual.quest or {}
    return {
        **row(ritual, runs, following),
        "upcoming": [moment(at, ritual.zone) for at in islice(schedule.upcoming(max(now, ritual.last)), SHOWN)],
        "check": quest.get("check"),
        "retries": quest.get("retries", 0),
        "cwd": quest.get("cwd") or (ritual.apply or {}).get("cwd"),
        "runs": [run_row(run, ritual) for run in runs],
    }


def moment(at: float, zone: str) -> dict[str, Any]:
    """A time on both clocks."""
    return {"at": time(at), "local": local(at, zone)}


def run_row(run: RitualRun, ritual: Ritual) -> dict[str, Any]:
    """One run, or a time of which no run came."""
    lasted = None if run.ended_at is None or run.started_at is None else round(run.ended_at - run.started_at, 3)
    return {
        "number": run.number,
        "status": run.status.value,
        "trigger": run.trigger.value,
        "due_at": time(run.due_at),
        "due_local": local(run.due_at, ritual.zone),
        "missed": run.missed,
        "id": run.mission,
        "name": run.name,
        "started_at": time(run.started_at),
        "ended_at": time(run.ended_at),
        "duration_seconds": lasted,
        "exit_code": run.exit_code,
        "reason": run.reason,
        "text": run.text,
    }


def _status(ritual: Ritual, runs: Sequence[RitualRun]) -> str:
    if any(run.status in OPEN for run in runs):
        return "running"
    return "paused" if ritual.paused else "waiting"
