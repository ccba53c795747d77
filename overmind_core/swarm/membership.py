"""A hive as a member of its swarm: what the swarm is told of it, and how it stands with the swarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.swarm.answers import CLOSED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from overmind_core.swarm.answers import Mode


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


class StoreMode:
    """What the store does, as the beats of this hive were told, and for how long it has done that."""

    def __init__(self) -> None:
        self.name: Mode = "open"
        self._settle = 0
        self._since = 0.0

    def note(self, name: Mode, settle: int, now: float) -> None:
        """A beat was answered. `settle`: the number of the rewind; `now`: boot clock, seconds."""
        if (name, settle) != (self.name, self._settle):
            self.name, self._settle, self._since = name, settle, now

    @property
    def is_closed(self) -> bool:
        """Whether nothing may begin, as another hive may have it by now."""
        return self.name in CLOSED

    def lasts(self, now: float) -> float:
        """Seconds since this hive noticed it."""
        return now - self._since
