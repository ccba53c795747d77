"""What is due: a pure function of the schedule, what was last dealt with, the time, and what a person wants."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.schedules import MOST_MISSED

if TYPE_CHECKING:
    from overmind_core.schedules.cron import Schedule

TOLERANCE = 60.0
"""Seconds; what begins within them is on time: the supervisor may have been replaced meanwhile."""
CORRECTION = 3 * 3600.0
"""Seconds; a clock that goes back further was wrong before, and the new time counts. Source: cron(8)."""
LONGEST_QUEUE = 100
"""Times that wait for the run before; further ones are skipped."""


class Overlap(StrEnum):
    """The handling of a run that falls due while the previous one is still running."""

    SKIP = "skip"
    QUEUE = "queue"


class CatchUp(StrEnum):
    """What becomes of times at which nobody was there."""

    NONE = "none"
    ONE = "one"
    """One run for all of them."""


class DueAction(StrEnum):
    """What to do about a time."""

    START = "start"
    QUEUE = "queue"
    SKIP = "skip"
    """The run before goes on."""
    MISS = "miss"
    """Nobody was there, and nothing is caught up."""


class Policy(NamedTuple):
    """What a person wants."""

    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = CatchUp.ONE


class Standing(NamedTuple):
    """How it stands: the last time that was dealt with, whether a run goes on, and how many wait for that."""

    last: float
    """Seconds since the epoch; at first when it was created."""
    busy: bool = False
    waiting: int = 0


class DueDecision(NamedTuple):
    """What to do now."""

    outcome: DueAction | None
    """None: nothing."""
    due: float | None
    """The time that it is about, in seconds since the epoch."""
    late: bool
    """It is caught up."""
    missed: int
    """Further times, before that one, of which nothing comes."""
    last: float
    """What counts as dealt with from now on: to be saved before, or together with, what is done."""


def decide(schedule: Schedule, policy: Policy, standing: Standing, now: float) -> DueDecision:
    """Return what to do at `now`, in seconds since the epoch.

    Of all times since the last one that was dealt with at most one leads to a run: the newest.
    """
    last = standing.last if standing.last <= now + CORRECTION else now
    due = schedule.newest(last, now)
    if due is None:
        return DueDecision(None, None, late=False, missed=0, last=last)
    late = now - due > TOLERANCE
    missed = schedule.count(last, due, MOST_MISSED + 1) - 1
    outcome = DueAction.MISS if late and policy.catch_up is CatchUp.NONE else _overlapping(policy, standing)
    return DueDecision(outcome, due, late, missed, due)


def _overlapping(policy: Policy, standing: Standing) -> DueAction:
    if not standing.busy and not standing.waiting:
        return DueAction.START
    queue = policy.overlap is Overlap.QUEUE and standing.waiting < LONGEST_QUEUE
    return DueAction.QUEUE if queue else DueAction.SKIP
