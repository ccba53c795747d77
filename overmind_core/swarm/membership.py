"""A hive as a member of its swarm: what the swarm is told of it, and how it stands with the swarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Machine(NamedTuple):
    """The hive, as its swarm is told: what does not change while it is joined."""

    home: str
    """Tells this home from all others."""
    keeper: Callable[[], str]
    """Which life of its keeper this is."""
    key: Callable[[], str | None]
    """Its public key: secrets are sealed for it."""
    cpu: float
    memory: int
    """Bytes."""
    providers: tuple[str, ...]
    system: str
    accepts: Mapping[str, Any]
    """What its configuration lets in, see `SwarmSettings`."""
    pools: Callable[[], tuple[str, ...]] = tuple
    """Those whose instances it can start."""


class Condition(NamedTuple):
    """How this hive stands with its swarm."""

    silence: str = ""
    """Why the swarm can't be asked, a sentence; empty: it answers."""
    silent_since: float | None = None
    """Boot clock, seconds."""
    mode: str = "open"
