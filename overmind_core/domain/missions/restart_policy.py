"""Restarts and time limits of a mission: whether and when it starts again, and when a run is to be killed. Pure.

A run is killed when it has been silent for too long, or has run for too long. Times are monotonic seconds, unless they
are called otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.missions.mission import Cause, Mission, Restart, RestartPolicy, Status
from overmind_core.domain.replacing import replace

if TYPE_CHECKING:
    from collections.abc import Sequence


MAX_DELAY = 60.0
"""Seconds; the back-off never waits longer."""
CLOCK_LOOK = 60.0
"""Seconds between two looks whether a stated time has come: timers stand still while the machine sleeps."""
TICK = 0.001
"""Seconds that a timer may come early."""

NEVER_AGAIN = frozenset({Cause.STOP, Cause.KILL, Cause.TIMEOUT, Cause.LIMIT, Cause.FENCED})
"""Endings that no policy answers with a restart: somebody wanted them, or they would only repeat."""


class RestartAfter(NamedTuple):
    """Start again after `delay` seconds; `streak` restarts will then have followed without a healthy run."""

    delay: float
    streak: int


class GiveUp(NamedTuple):
    """Leave it ended. `spent`: only because the budget is used up."""

    spent: bool


def applies(policy: RestartPolicy, cause: Cause, *, failed: bool) -> bool:
    """Whether the policy wants a restart after an ending of this kind, budget aside."""
    if cause in NEVER_AGAIN or policy.when is Restart.NEVER:
        return False
    return failed or policy.when is Restart.ALWAYS


def decide(
    policy: RestartPolicy, restarts: Sequence[float], streak: int, lasted: float, now: float
) -> RestartAfter | GiveUp:
    """What to do after a run that lasted `lasted` seconds, given the times of earlier restarts.

    Delay = min(backoff * 2**n, 60 s), n = restarts since the last healthy run (cli.md, behaviour 17).
    """
    if policy.max_restarts and len(recent(policy, restarts, now)) >= policy.max_restarts:
        return GiveUp(spent=True)
    n = 0 if lasted > policy.window else streak
    return RestartAfter(min(policy.backoff * 2 ** min(n, 30), MAX_DELAY), n + 1)


def recent(policy: RestartPolicy, restarts: Sequence[float], now: float) -> tuple[float, ...]:
    """The restarts that still count against the budget, bounded so that memory stays bounded too."""
    bound = policy.max_restarts or 1
    return tuple(at for at in restarts if now - at < policy.window)[-bound:]


def stall_due(mission: Mission, last_output: float) -> float | None:
    """When the run is to be killed for silence if nothing more is written; None when it can't stall now."""
    limit = mission.definition.activity_timeout
    runs = mission.status is Status.RUNNING or _sets_up(mission)
    if not limit or not runs or mission.held_mono is not None:
        return None
    return max(last_output, mission.quiet_since_mono) + limit


def timeout_due(mission: Mission) -> float | None:
    """When the run's wall-clock limit ends; None when it has none or is no longer running."""
    limit = mission.definition.timeout
    runs = mission.status in {Status.RUNNING, Status.PAUSED} or _sets_up(mission)
    return mission.run_started_mono + limit if limit and runs else None


def _sets_up(mission: Mission) -> bool:
    """Whether its run is the project's set-up."""
    return mission.status is Status.PREPARING and mission.setup and mission.pid is not None


def hold(mission: Mission, now: float) -> Mission:
    """Stop the stall clock: the mission is frozen, or waits, or we hold its output back."""
    return mission if mission.held_mono is not None else replace(mission, held_mono=now)


def unhold(mission: Mission, last_output: float, now: float) -> Mission:
    """Let the stall clock go on where it stood: the silence before the hold counts, the hold does not."""
    if mission.held_mono is None:
        return mission
    silent = max(0.0, mission.held_mono - max(last_output, mission.quiet_since_mono))
    return replace(mission, held_mono=None, quiet_since_mono=now - silent)


def has_come(at: float, at_mono: float, *, wall: float, mono: float) -> bool:
    """Tell whether a moment that is waited for has come, by one clock or the other.

    The monotonic clock stands still while the machine sleeps, and the wall clock may be set. So that one counts only
    where more is left than a back-off ever waits: there somebody has stated the time.

    Args:
        at: The moment, in seconds since the epoch.
        at_mono: The same on the monotonic clock.
        wall: Now, in seconds since the epoch.
        mono: The same on the monotonic clock.
    """
    left = at_mono - mono
    return left <= TICK or (at <= wall and left > MAX_DELAY)


def rebase(mission: Mission, *, boot: str, wall: float, mono: float) -> Mission:
    """The mission with its monotonic times moved to this boot of the machine; unchanged when they belong to it.

    A restart that was due keeps its wall time, but is never further away than it was when it was decided, or
    `MAX_DELAY`, whatever the clock did meanwhile.
    """
    if mission.boot == boot:
        return mission
    due = mission.next_restart_at
    stated = 0.0 if due is None or mission.ended_at is None else due - mission.ended_at
    next_restart_at = None if due is None else min(max(due, wall), wall + max(stated, MAX_DELAY))
    wait = 0.0 if next_restart_at is None else next_restart_at - wall
    return replace(
        mission,
        boot=boot,
        restarts_mono=(),
        run_started_mono=mono,
        quiet_since_mono=mono,
        held_mono=None,
        next_restart_at=next_restart_at,
        next_restart_mono=None if mission.next_restart_mono is None else mono + wait,
    )
