"""Rows of quests as the daemon answers them, for tests of what the command line makes of them."""

from __future__ import annotations

from typing import Any

ROW: dict[str, Any] = {
    "id": "a1b2c3d4",
    "name": "docs",
    "status": "queued",
    "reason": None,
    "exit_code": None,
    "phase": None,
    "attempts": 0,
    "retries": 2,
    "check": None,
    "check_id": None,
    "command": "make docs",
    "cwd": "/srv/shop",
    "provider": "raw",
    "ritual": None,
    "mission": None,
    "mission_status": None,
    "started_at": "2026-11-20T12:00:00.000Z",
    "began_at": None,
    "ended_at": None,
    "duration_seconds": 125.0,
    "lasted_seconds": None,
    "class": None,
    "priority": "medium",
    "deadline_at": None,
    "score": 0.475,
    "position": 1,
    "code": None,
    "why": None,
    "needs": [],
    "needs_min": 0,
    "owns": [],
    "into": None,
    "spec": None,
    "group": None,
    "round": 1,
    "tries": 0,
    "estimate_seconds": None,
    "cost_usd": None,
    "landed": None,
}
"""A quest that is next in the queue."""


def row(name: str, /, **fields: Any) -> dict[str, Any]:
    """A quest; its id is made of its name, and `needs` are names."""
    needs = [{"id": f"id-{need}", "name": need} for need in fields.pop("needs", ())]
    place = {} if fields.get("status", "queued") == "queued" else {"score": None, "position": None, "code": None}
    begun = (
        {"began_at": ROW["started_at"], "lasted_seconds": fields.get("duration_seconds", 125.0)}
        if fields.get("status", "queued") != "queued"
        else {}
    )
    return {**ROW, "id": f"id-{name}", "name": name, **place, **begun, **fields, "needs": needs}


def began_at_once(name: str, **fields: Any) -> dict[str, Any]:
    """A quest of `quest run`: without all that only those of the queue have."""
    nothing = dict.fromkeys(("priority", "score", "position", "code", "why", "round", "tries"))
    return row(name, **{"status": "running", "phase": "work", "attempts": 1, "retries": 0, **nothing, **fields})
