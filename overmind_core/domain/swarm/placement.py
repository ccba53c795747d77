"""Where in a swarm a post may go. Pure; it imports nothing of the swarm, as specs keep one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a post may go, and what becomes of it when its hive is silent."""

    labels: Mapping[str, str] = field(default_factory=dict)
    cpu: float = 0.0
    memory: int = 0
    """Bytes."""
    pack: bool = False
    on_lost: str = "move"
    lease: float = 600.0
    """Seconds."""
    secrets: Sequence[str] = ()
    """Names of those that its hive must have."""
