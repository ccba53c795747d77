"""What the bus tells about missions, each after the commit that it is part of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from overmind_core.domain.missions.facts import Effect
    from overmind_core.domain.missions.mission import Mission


class EffectDue(NamedTuple):
    """A decision was saved; this is to be carried out for it."""

    mission: Mission
    effect: Effect


class MissionChanged(NamedTuple):
    """A state of a mission was saved."""

    saved: Mission
    current: Mission
    """The same mission as it is by now, where it lives: it may have changed again since it was saved."""


class EndHeldUp(NamedTuple):
    """A mission that was asked to end can't for now, or can again: somebody elsewhere does not answer, or does."""

    mission: str


class RunConcluded(NamedTuple):
    """A run has ended and nothing of it is left, or what is left is spared."""

    run: str
    spared: bool
    out: int
    """Bytes in the log of each stream, as the books have them."""
    err: int


class Extent(NamedTuple):
    """Bytes of each stream in a run's log, and when it last grew (monotonic seconds; 0 = never)."""

    out: int = 0
    err: int = 0
    last: float = 0.0


class OutputGrew(NamedTuple):
    """A run has written more."""

    run: str
    extent: Extent
