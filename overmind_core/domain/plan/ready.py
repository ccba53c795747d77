"""What may start now. It knows nothing of plans: whatever waits for its turn can ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Waiter:
    """Something that would like to start."""

    name: str
    priority: int = 0
    """The higher, the sooner; of equal ones the first of the sequence."""
    blocked: str = ""
    """Why it may not start whatever is free; "" when nothing is in its way."""
    not_before: float = 0.0
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds all of them together."""

    at_once: int = 0
    """How many may run at the same time; 0 = no limit."""
    running: int = 0
    """How many do so now."""

    @property
    def free(self) -> int | None:
        """How many more may start; None: any number."""
        return max(0, self.at_once - self.running) if self.at_once else None


@dataclass(frozen=True, slots=True)
class Ready:
    """`start`, in this order; a reason for each of the others."""

    start: tuple[str, ...] = ()
    waiting: dict[str, str] = field(default_factory=dict)


def ready(nodes: Iterable[Waiter], now: float, limits: Limits) -> Ready:
    """Return who starts at `now` (seconds since the epoch) and why each other does not."""
    start: list[str] = []
    waiting: dict[str, str] = {}
    free = limits.free
    for node in sorted(nodes, key=lambda one: -one.priority):
        if node.blocked:
            waiting[node.name] = node.blocked
        elif node.not_before > now:
            waiting[node.name] = f"in {node.not_before - now:.0f} s"
        elif free is not None and len(start) >= free:
            waiting[node.name] = f"a free slot: {limits.at_once} run at once"
        else:
            start.append(node.name)
    return Ready(tuple(start), waiting)
