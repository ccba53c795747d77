"""Missions that wait for the answer to what they have reported, whatever their own programs say of them.

Known while somebody of the mission waits on a connection: another daemon learns of it when that asks again.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import Activity, ActivityKind, AgentNeed
from overmind_core.domain.agents.events import ActivityChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from overmind_core.agents.activity import ActivityEffects
    from overmind_core.missions.registry import Registry
    from overmind_core.system.machine import Clock


class WaitingMissions:
    """Used from the loop's thread only.

    Args:
        own: What a mission's own program is doing.
    """

    def __init__(
        self, registry: Registry, clock: Clock, effects: ActivityEffects, own: Callable[[str], Activity]
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._effects = effects
        self._own = own
        self._waits: dict[str, list[Activity]] = {}

    def activity(self, mission_id: str) -> Activity | None:
        """For what it waits; None where it does not."""
        waits = self._waits.get(mission_id)
        return waits[0] if waits else None

    @contextmanager
    def waits(self, mission_id: str, question: str) -> Iterator[None]:
        """It waits inside of the block, for the answer to a question, which is one line."""
        activity = Activity(ActivityKind.WAITING, self._clock.wall(), now=question, need=AgentNeed.REPORT)
        before = self._shown(mission_id)
        waits = self._waits.setdefault(mission_id, [])
        waits.append(activity)
        self._changed(mission_id, before)
        try:
            yield
        finally:
            before = self._shown(mission_id)
            waits.remove(activity)
            if not waits:
                del self._waits[mission_id]
            self._changed(mission_id, before)

    def _shown(self, mission_id: str) -> Activity:
        return self.activity(mission_id) or self._own(mission_id)

    def _changed(self, mission_id: str, before: Activity) -> None:
        mission, activity = self._registry.live.get(mission_id), self._shown(mission_id)
        if mission is None or activity == before:
            return
        need = activity.need and activity.need.value
        self._registry.record(mission, ActivityChanged(doing=activity.doing.value, need=need))
        self._effects.on_change(mission, before, activity)
