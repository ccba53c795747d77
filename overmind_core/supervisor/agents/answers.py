"""What became of a message, as it is stored and told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from overmind_core.domain.agentfacts import Result


def encode(result: Result | None, error: str | None) -> str:
    """JSON of the answer: its text, what it took and cost, or why there is none."""
    if result is None:
        return json.dumps({"error": error})
    usage = result.usage
    return json.dumps(
        {
            "text": result.text,
            "duration_ms": result.duration_ms,
            "cost_usd": None if result.cost_turn is None else round(result.cost_turn, 6),
            "usage": usage._asdict(),
            "error": error,
        },
        ensure_ascii=False,
    )


def decode(stored: str | None) -> dict[str, Any]:
    """The fields of a message's answer; null before there is one."""
    found: dict[str, Any] = {} if stored is None else json.loads(stored)
    return {name: found.get(name) for name in ("text", "duration_ms", "cost_usd", "usage", "error")}
