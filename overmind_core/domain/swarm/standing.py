"""How a post stands, and what came of it, as a home is told that waits for it. Values alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from overmind_core.domain.missions.reasons import sentence

ENDED = frozenset({"done", "failed", "cancelled"})
"""States that nothing leaves by itself."""
TAIL = 64 * 1024
"""Bytes of a log that the swarm gets with an end."""
_HOW = {"done": "it has completed", "failed": "it has failed", "cancelled": "it was cancelled"}


def how_ended(state: str, hive: str | None, reason: str | None) -> str:
    """Return how a post has ended, where, and why: `it has failed on eu1: its check failed`.

    Args:
        state: One of `ENDED`.
        hive: The one that had it last; None: none had.
        reason: A code, or a sentence; of one that is done nobody asks.
    """
    why = "" if state == "done" or reason in {None, state} else f": {sentence(reason)}"
    return f"{_HOW[state]}{f' on {hive}' if hive else ''}{why}"


class PostStanding(NamedTuple):
    """How a post stands."""

    state: str
    """queued, claimed, lost, done, failed, cancelled."""
    hive: str | None
    """The hive that has it, or had it last."""
    status: str
    """How it stands there: queued, running, review; empty before it is told."""
    cost: float
    """US dollars, as far as they are known."""
    reason: str | None
    exit_code: int | None


class PostEnding(NamedTuple):
    """What came of a post that has ended."""

    tail: bytes
    """The end of what its work has printed."""
    files: Mapping[str, bytes]
    """Files that it hands on, by name."""
