"""Whether a mission has been silent for a while."""

from __future__ import annotations

import asyncio

from overmind_core.domain.duration import parse_duration
from overmind_core.supervisor.plans.looking import LONGEST_PAUSE, Hopeless, Tell, Watched


async def until_silent(watched: Watched, target: str, tell: Tell) -> None:
    """Return when its newest run has written nothing for a duration of `target`, also since its start."""
    try:
        seconds = parse_duration(target)
    except ValueError as error:
        raise Hopeless(str(error)) from None
    tell(f"it was never silent for {seconds:g} s")
    while True:
        left = await _seconds_left(watched, seconds)
        if left <= 0:
            return
        await asyncio.sleep(left)


async def _seconds_left(watched: Watched, seconds: float) -> float:
    """How long it must go on being silent, as the keeper tells; without a keeper nobody knows."""
    core, mission, _ = watched
    await core.pulse.refresh()
    if core.pulse.link is None:
        return LONGEST_PAUSE
    current = core.book.live.get(mission.id, mission)
    since = max(core.pulse.of(current.run_id).last, current.run_started_mono)
    return since + seconds - core.clock.mono()
