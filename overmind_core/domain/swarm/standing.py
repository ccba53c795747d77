"""How a post stands, and what came of it, as a home is told that waits for it. Values alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

ENDED = frozenset({"done", "failed", "cancelled"})
"""States that nothing leaves by itself."""
TAIL = 64 * 1024
"""Bytes of a log that the swarm gets with an end."""


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
