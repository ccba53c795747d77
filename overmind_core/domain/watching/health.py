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
class Liveness:
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
    unwatched: int = 0
    """Beats of silence before it was watched, by an earlier supervisor: they count once its CPU time is known."""

    def silent_seconds(self, now: float) -> float:
        """How long there was no sign of life."""
        return max(now - self.alive_at, 0.0)


def is_watched(status: Status, activity: ActivityKind | None, *, held: bool = False) -> bool:
    """Whether silence of a mission is a bad sign: it runs, and waits for nothing.

    Args:
        status: Its own.
        activity: What its agent is known to be doing; None of one that is no agent.
        held: Whether something of ours keeps it from going on.
    """
    return status is Status.RUNNING and activity not in _EXCUSED and not held


def begin(now: float) -> Liveness:
    """The liveness of a mission that is watched from now on, or again."""
    return Liveness(now, now)


def resumed(now: float, heard_at: float | None, settings: HealthSettings) -> Liveness:
    """The liveness of a mission that ran before this supervisor did: it may have been silent for long.

    Whether it has computed meanwhile nobody knows, so it is quiet at most until as many beats are missed once more.

    Args:
        now: When it is taken over.
        heard_at: As in `beat`.
        settings: How long a beat is, and how many of them make it quiet.
    """
    alive_at = now if heard_at is None else min(heard_at, now)
    return Liveness(now, alive_at, unwatched=min(int((now - alive_at) / settings.beat), settings.quiet))


def beat(liveness: Liveness, now: float, *, heard_at: float | None, cpu_percent: float | None = None) -> Liveness:
    """The liveness after one more beat.

    Args:
        liveness: The result of the look before.
        now: When this one is.
        heard_at: Its newest byte or fact; None: none ever.
        cpu_percent: Of its process tree since the look before; None: not measured, as for one that isn't silent.
    """
    is_alive = heard_at is not None and heard_at > liveness.looked_at
    if is_alive or (cpu_percent is not None and cpu_percent >= LEAST_CPU):
        alive_at = heard_at if is_alive and heard_at is not None else now
        return Liveness(now, min(alive_at, now), cpu_percent=cpu_percent)
    counted = 0 if cpu_percent is None else liveness.unwatched
    missed, unwatched = liveness.missed + 1 + counted, liveness.unwatched - counted
    return replace(liveness, looked_at=now, missed=missed, cpu_percent=cpu_percent, unwatched=unwatched)


def as_heard(liveness: Liveness, heard_at: float | None) -> Liveness:
    """The liveness as it is known between two beats: output or a fact since the newest one is a sign of life.

    Args:
        liveness: As of the newest beat.
        heard_at: As in `beat`.
    """
    if is_silent(liveness, heard_at):
        return liveness
    assert heard_at is not None
    return replace(liveness, alive_at=max(heard_at, liveness.alive_at), missed=0)


def is_silent(liveness: Liveness, heard_at: float | None) -> bool:
    """Whether there was no output or fact since the last look, so that its CPU time must be measured."""
    return heard_at is None or heard_at <= liveness.looked_at


def steered(liveness: Liveness) -> Liveness:
    """The liveness of a mission that was steered: it gets more beats before it is hung."""
    return replace(liveness, steered_at=liveness.missed)


def level(liveness: Liveness, settings: HealthSettings, *, may_alarm: bool = True) -> HealthLevel:
    """The level of health that follows from the missed beats.

    Args:
        liveness: As of the newest beat.
        settings: How many beats each level takes.
        may_alarm: Whether its silence is a bad sign; a silent server may have nothing to do, and is quiet at most.
    """
    if not may_alarm:
        return HealthLevel.QUIET if liveness.missed >= settings.quiet else HealthLevel.OK
    if liveness.missed >= hung_after(liveness, settings):
        return HealthLevel.HUNG
    if liveness.missed >= settings.stalled:
        return HealthLevel.STALLED
    return HealthLevel.QUIET if liveness.missed >= settings.quiet else HealthLevel.OK


def hung_after(liveness: Liveness, settings: HealthSettings) -> int:
    """Missed beats from which on it is hung: twice those of a stalled one; fewer if it was steered meanwhile."""
    if liveness.steered_at is None:
        return 2 * settings.stalled
    return min(2 * settings.stalled, max(liveness.steered_at, settings.stalled) + settings.hung)


class HungAction(StrEnum):
    """What is done with a mission that is hung."""

    NOTHING = "nothing"
    ASK = "ask"
    FREEZE_AND_ASK = "freeze_and_ask"
    END_ATTEMPT = "end_attempt"
    """With the class `stalled`; the quest may be tried again."""


def on_hung(steer: str, *, is_queued: bool) -> HungAction:
    """The reaction to a hung mission.

    Args:
        steer: The guardian's mode, of `STEER_MODES`.
        is_queued: Whether it is an attempt of a quest of the queue.
    """
    if steer == "auto":
        return HungAction.END_ATTEMPT if is_queued else HungAction.FREEZE_AND_ASK
    return HungAction.ASK if steer == "ask" else HungAction.NOTHING
