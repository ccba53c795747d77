"""What the table of operations claims, tried on a daemon: who changes or ends something, and what may be repeated.

Who may not ask is tried in tests/orchestration/test_callers.py.
"""

from __future__ import annotations

from typing import Any

from overmind_core.domain.operation import Danger
from overmind_core.domain.operations import REQUESTS
from tests.contract.golden_refusals import WITH_A_SWARM

READINGS: dict[str, dict[str, Any]] = {
    "hello": {"version": "0.0.0"},
    "status": {},
    "ps": {"all": True, "wide": True},
    "info": {"id": "task", "env": True, "reveal": True},
    "logs": {"ids": ["task"]},
    "definition": {"id": "task"},
    "environment": {"id": "task"},
    "wait": {"ids": ["ended"]},
    "top": {},
    "figures": {"ids": ["task"]},
    "health": {},
    "events": {},
    "subscribe": {"ids": ["ended"], "from_start": True},
    "await_message": {"message": 1, "timeout": 0},
    "messages": {"id": "talk"},
    "result": {"id": "talk"},
    "inbox": {},
    "cost": {},
    "plans": {},
    "plan": {"id": "plan"},
    "quests": {},
    "quest": {"id": "quest"},
    "quest_wait": {"ids": ["done"]},
    "quest_why": {"id": "quest"},
    "queue": {},
    "board": {},
    "specs": {"all": True},
    "spec": {"id": "carts"},
    "spec_wait": {"id": "carts"},
    "timeline": {"id": "quest"},
    "learn": {},
    "recall": {"questions": ["redis"]},
    "search": {"words": "redis"},
    "notes": {"all": True},
    "note": {"note": "kept", "history": True},
    "memory": {},
    "memory_used": {"mission": "ended"},
    "rituals": {},
    "ritual": {"id": "ritual"},
    "ritual_history": {"id": "ritual"},
    "isolate": {"cwd": "/"},
    "ports": {},
    "worktrees": {"sizes": True},
    "changes": {"id": "task"},
    "web_sessions": {},
}
"""Request that changes nothing → arguments with which it has something to tell."""


def test_each_reading_is_tried():
    assert set(READINGS) == {row.name for row in REQUESTS if row.danger is Danger.NONE} - WITH_A_SWARM
