"""Whether and when to start a mission again. Pure; times are monotonic seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.mission import Cause, Restart, RestartPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_DELAY = 60.0
"""Seconds; the back-off never waits longer."""

NEVER_AGAIN = frozenset({Cause.STOP, Cause.KILL, Cause.TIMEOUT, Cause.LIMIT})
"""Endings that no policy answers with a restart: somebody wanted them, or they would only repeat."""


class Again(NamedTuple):
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


def decide(policy: RestartPolicy, restarts: Sequence[float], streak: int, lasted: float, now: float) -> Again | GiveUp:
    """What to do after a run that lasted `lasted` seconds, given the times of earlier restarts.

    Delay = min(backoff * 2**n, 60 s), n = restarts since the last healthy run (cli.md, behaviour 17).
    """
    if policy.max_restarts and len(recent(policy, restarts, now)) >= policy.max_restarts:
        return GiveUp(spent=True)
    n = 0 if lasted > policy.window else streak
    return Again(min(policy.backoff * 2 ** min(n, 30), MAX_DELAY), n + 1)


def recent(policy: RestartPolicy, restarts: Sequence[float], now: float) -> tuple[float, ...]:
    """The restarts that still count against the budget, bounded so that memory stays bounded too."""
    bound = policy.max_restarts or 1
    return tuple(at for at in restarts if now - at < policy.window)[-bound:]
