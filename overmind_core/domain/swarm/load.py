"""How long a hive waits after a notice before it asks: the emptiest is first, or with `pack` the fullest. Pure."""

from __future__ import annotations

LONGEST = 0.2
"""Seconds that a hive waits that has nothing free; with `pack` one that has all."""


def load_of(taken: int, slots: int) -> float:
    """Return how full a hive is, from 0 to 1; one without slots is full."""
    return min(1.0, max(0, taken) / slots) if slots > 0 else 1.0


def delay_of(load: float, *, pack: bool = False) -> float:
    """Return how many seconds a hive of that load waits before it claims."""
    load = min(1.0, max(0.0, load))
    return LONGEST * (1.0 - load if pack else load)
