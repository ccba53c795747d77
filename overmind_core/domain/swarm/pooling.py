"""How many instances of a pool there are to be. Pure."""

from __future__ import annotations

from typing import NamedTuple


class PoolSize(NamedTuple):
    """What a pool's configuration says."""

    slots: int
    """Of each instance, at least 1."""
    least: int = 0
    most: int = 1


def wanted(size: PoolSize, waiting: int, held: int = 0) -> int:
    """Return how many instances are wanted.

    Args:
        size: Its bounds.
        waiting: Posts that wait and fit its labels.
        held: Posts that its instances have already.
    """
    needed = -(-(max(0, waiting) + max(0, held)) // size.slots)
    return max(size.least, min(size.most, needed))


def missing(size: PoolSize, alive: int, waiting: int, held: int = 0) -> int:
    """Return how many to start; `alive`: asked for or joined, and not ended. What is too many ends by being idle."""
    return max(0, wanted(size, waiting, held) - alive)
