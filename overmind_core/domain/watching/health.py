"""Health: how long a mission that runs has given no sign of life. No clock, no IO.

Signs are measured, never asked for: output, an agent's fact, or CPU time of its process tree. Time is counted in beats,
looks at regular times: a beat without a sign is missed. So a machine that slept has missed one beat, not hundreds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import ActivityKind
from overmind_core.domain.missions.mission import Status
from overmind_core.domain.replacing import replace

if TYPE_CHECKING:
    from overmind_core.domain.settings import HealthSettings

LEAST_CPU = 1.0
"""Percent of one core in a beat that are a sign of life."""
_EXCUSED = frozenset({ActivityKind.WAITING, ActivityKind.IDLE, ActivityKind.LIMITED})


class HealthLevel(StrEnum):
    """How long there was no sign of life, from the shortest to the longest."""

    OK = "ok"
    QUIET = "quiet"
    STALLED = "stalled"
    HUNG = "hung"


ALARMING = frozenset({HealthLevel.STALLED, HealthLevel.HUNG})


@dataclass(frozen=True, slots=True)
class Vitals:
    """The signs of life of a mission, as of the newest beat. Times in seconds of one clock."""

    looked_at: float
    alive_at: float
    """The newest sign of life, or since when it is watched."""
    missed: int = 0
    """Beats in a row without one."""
    steered_at: int | None = None
    """`missed` when it was steered, without a sign of life since."""
    cpu_percent: float | None = None
    """Of one core, in the newest beat; None: not measured."""

    def silent_seconds(self, now: float) -> float:
        """How long there was no sign of life."""
        return max(now - self.alive_at, 0.0)


def is_watched(status: Status, activity: ActivityKind | None, *, held: bool = False) -> bool:
    """Whether silence of a mission means anything: it runs, and waits for nobody.

    Args:
        status: Its own.
        activity: What its agent is known to be doing; None of one that is no agent.
        held: Whether something of ours keeps it from going on.
    """
    return status is Status.RUNNING and activity not in _EXCUSED and not held


def begin(now: float) -> Vitals:
    """A mission that is watched from now on, or again."""
    return Vitals(now, now)


def beat(vitals: Vitals, now: float, *, heard_at: float | None, cpu_percent: float | None = None) -> Vitals:
    """The next look at a mission.

    Args:
        vitals: As the look before left them.
        now: When this one is.
        heard_at: Its newest byte or fact; None: none ever.
        cpu_percent: Of its process tree since the look before; None: not measured, as for one that isn't silent.
    """
    is_alive = heard_at is not None and heard_at > vitals.looked_at
    if is_alive or (cpu_percent is not None and cpu_percent >= LEAST_CPU):
        alive_at = heard_at if is_alive and heard_at is not None else now
        return Vitals(now, min(alive_at, now), cpu_percent=cpu_percent)
    return replace(vitals, looked_at=now, missed=vitals.missed + 1, cpu_percent=cpu_percent)


def is_silent(vitals: Vitals, heard_at: float | None) -> bool:
    """Whether nothing was heard since the last look, so that its CPU time has to say whether it lives."""
    return heard_at is None or heard_at <= vitals.looked_at


def steered(vitals: Vitals) -> Vitals:
    """It was told something, and its silence counts anew until it is hung."""
    return replace(vitals, steered_at=vitals.missed)


def level(vitals: Vitals, settings: HealthSettings) -> HealthLevel:
    """Judge the missed beats."""
    if vitals.missed >= hung_after(vitals, settings):
        return HealthLevel.HUNG
    if vitals.missed >= settings.stalled:
        return HealthLevel.STALLED
    return HealthLevel.QUIET if vitals.missed >= settings.quiet else HealthLevel.OK


def hung_after(vitals: Vitals, settings: HealthSettings) -> int:
    """The missed beats with which it is hung: twice those of a stalled one, fewer when it was steered meanwhile."""
    if vitals.steered_at is None:
        return 2 * settings.stalled
    return min(2 * settings.stalled, max(vitals.steered_at, settings.stalled) + settings.hung)


class HungAction(StrEnum):
    """What is done with a mission that is hung."""

    NOTHING = "nothing"
    ASK = "ask"
    FREEZE_AND_ASK = "freeze_and_ask"
    END_ATTEMPT = "end_attempt"
    """With the class `stalled`; the quest may be tried again."""


def on_hung(steer: str, *, is_queued: bool) -> HungAction:
    """What follows when a mission is hung.

    Args:
        steer: The guardian's mode, of `STEER_MODES`.
        is_queued: Whether it is an attempt of a quest of the queue.
    """
    if steer == "auto":
        return HungAction.END_ATTEMPT if is_queued else HungAction.FREEZE_AND_ASK
    return HungAction.ASK if steer == "ask" else HungAction.NOTHING
