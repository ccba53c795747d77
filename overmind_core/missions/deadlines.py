"""The deadlines of missions: when one is restarted, when its time limit ends, when its silence does.

One timer per mission: the earliest of what is due. It is set anew whenever the mission changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.missions import restart_policy
from overmind_core.domain.missions.facts import EndAsked, RestartDue
from overmind_core.domain.missions.mission import Cause, Mission, Restart, Status

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from overmind_core.missions.changes import MissionChanged
    from overmind_core.missions.registry import Registry

LONGEST = 3600.0
"""Seconds that one timer waits at most before it looks again."""


class Deadlines:
    """`confirm(mission)` asks the keeper for the mission's last output and calls `silent` with the answer."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        registry: Registry,
        last_output: Callable[[Mission], float],
        confirm: Callable[[Mission], object],
    ) -> None:
        self._loop = loop
        self._registry = registry
        self._last_output = last_output
        self._handles: dict[str, asyncio.TimerHandle] = {}
        self._confirm = confirm

    def on_change(self, change: MissionChanged) -> None:
        """A state was saved: what is due next may be something else."""
        self.schedule(change.current)

    def schedule(self, mission: Mission) -> None:
        """Set the mission's timer to what is due next; none when nothing is."""
        handle = self._handles.pop(mission.id, None)
        if handle is not None:
            handle.cancel()
        due = self._due(mission)
        if due is not None:
            longest = restart_policy.CLOCK_LOOK if mission.status is Status.RESTARTING else LONGEST
            wait = min(max(due - self._registry.now().mono, 0.0), longest)
            self._handles[mission.id] = self._loop.call_later(wait, self._fire, mission.id)

    def cancel_all(self) -> None:
        """Nothing happens by itself any more."""
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()

    def silent(self, mission: Mission, last_output: float) -> None:
        """The keeper has confirmed when the mission last wrote: kill it, or wait for the rest of its limit."""
        current = self._registry.live.get(mission.id)
        if current is None or current.run != mission.run:
            return
        due = restart_policy.stall_due(current, last_output)
        if due is None or due > self._registry.now().mono:
            self.schedule(current)
            return
        limit = current.definition.activity_timeout
        text = f"--- timed out: no activity for {limit:g}s ---"
        self._registry.apply_if_legal(current, EndAsked(Cause.STALLED, 0.0, text, limit=limit), urgent=True)

    def _due(self, mission: Mission) -> float | None:
        times = (
            mission.next_restart_mono if mission.status is Status.RESTARTING else None,
            restart_policy.timeout_due(mission),
            restart_policy.stall_due(mission, self._last_output(mission)),
        )
        return min((time for time in times if time is not None), default=None)

    def _fire(self, mission_id: str) -> None:
        self._handles.pop(mission_id, None)
        mission = self._registry.live.get(mission_id)
        if mission is None:
            return
        wall, now = self._registry.now()
        limit = restart_policy.timeout_due(mission)
        stall = restart_policy.stall_due(mission, self._last_output(mission))
        restart = (mission.next_restart_at or 0.0, mission.next_restart_mono or 0.0)
        if mission.status is Status.RESTARTING and restart_policy.has_come(*restart, wall=wall, mono=now):
            self._registry.apply_if_legal(mission, RestartDue())
        elif limit is not None and limit <= now:
            again, longest = mission.definition.restart.when is not Restart.NEVER, mission.definition.timeout
            text = f"--- timed out: ran longer than {longest:g}s{'; not restarted' * again} ---"
            asked = EndAsked(Cause.TIMEOUT, mission.definition.grace, text, limit=longest)
            self._registry.apply_if_legal(mission, asked, urgent=True)
        elif stall is not None and stall <= now:
            self._confirm(mission)
        else:
            self.schedule(mission)
