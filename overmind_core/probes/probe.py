"""Whether an agent is ready: its probe is looked at until it says so, or until its time is up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from overmind_core.domain.plans.blueprint import Probe, ProbeKind
from overmind_core.domain.text.address import parse_address
from overmind_core.probes import ownership
from overmind_core.probes.command import check, until_success
from overmind_core.probes.log_match import has_line, until_line, until_silent
from overmind_core.probes.network import (
    listening_problem,
    request_of,
    served_problem,
    until_listening,
    until_served,
)
from overmind_core.probes.poll import Hopeless, Observer, Tell, Watched

if TYPE_CHECKING:
    from overmind_core.domain.missions.mission import Mission

LAST_CHANCE = 2.0
"""Seconds that a probe has whatever the clock says: a supervisor that comes back late looks before it judges."""
WAYS: Mapping[ProbeKind, Callable[[Watched, str, Tell], Awaitable[None]]] = {
    ProbeKind.TCP: until_listening,
    ProbeKind.HTTP: until_served,
    ProbeKind.EXEC: until_success,
    ProbeKind.LOG: until_line,
    ProbeKind.IDLE: until_silent,
}
"""Each returns when its target is as wanted, and tells why not yet."""


class NotReady(Exception):
    """The agent's time to become ready is up, or it can't become so."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
        """A clause for people."""


async def until_ready(
    observer: Observer,
    mission: Mission,
    probe: Probe,
    variables: Mapping[str, str] | None = None,
    *,
    occupied: bool = False,
) -> None:
    """Return when the agent is ready. Cancelled, it leaves nothing behind.

    When the mission is started again meanwhile its newest run is looked at, in the time that this one had.

    Args:
        observer: Tells of it.
        mission: As it is in its newest run.
        probe: What to look at.
        variables: On top of the mission's environment, for a command of the probe. Wire form.
        occupied: As `is_occupied` said before the mission was started.

    Raises:
        NotReady: `probe.timeout` seconds have gone since the start of that run, or looking on is of no use.
    """
    why = "the check could not run in time"

    def tell(clause: str) -> None:
        nonlocal why
        why = clause

    try:
        async with asyncio.timeout(_seconds_left(observer, mission, probe)):
            await WAYS[probe.kind](Watched(observer, mission, variables or {}, occupied), probe.target, tell)
    except TimeoutError:
        raise NotReady(f"after {probe.timeout:g} s {why}") from None
    except Hopeless as error:
        raise NotReady(str(error)) from None


async def was_ready(
    observer: Observer,
    mission: Mission,
    probe: Probe,
    variables: Mapping[str, str] | None = None,
    *,
    occupied: bool = False,
) -> bool:
    """Whether an agent that has ended became ready before it did: whoever ends quickly may be faster than its probe.

    Its whole output is read, and a command looks once more. Of a port only what it left in the background can listen.
    """
    watched = Watched(observer, mission, variables or {}, occupied)
    try:
        match probe.kind:
            case ProbeKind.LOG:
                return await has_line(watched, probe.target)
            case ProbeKind.EXEC:
                return not await check(watched, probe.target)
            case ProbeKind.TCP if mission.definition.leave_background:
                return not await listening_problem(watched, probe.target)
            case ProbeKind.HTTP if mission.definition.leave_background:
                return not await served_problem(watched, probe.target)
    except Hopeless:
        pass
    return False


async def is_occupied(probe: Probe) -> bool:
    """Whether somebody listens already where the agent is to: asked before it is started."""
    try:
        match probe.kind:
            case ProbeKind.TCP:
                return await ownership.is_occupied(parse_address(probe.target))
            case ProbeKind.HTTP:
                return await ownership.is_occupied(request_of(probe.target).address)
    except ValueError:
        pass
    return False


def _seconds_left(observer: Observer, mission: Mission, probe: Probe) -> float:
    now = observer.mono()
    began = mission.run_started_mono or now
    return max(began + probe.timeout - now, min(probe.timeout, LAST_CHANCE))
