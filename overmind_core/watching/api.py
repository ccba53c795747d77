"""`health`: how missions that run are, as the watching has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.watching import conductor
from overmind_core.kernel.request import handles
from overmind_core.missions.lookup import find_live
from overmind_core.watching.requests import Health

if TYPE_CHECKING:
    from collections.abc import Iterable

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.request import Caller
    from overmind_core.missions.registry import Registry
    from overmind_core.system.machine import Clock
    from overmind_core.watching.answer_types import HealthAnswer, MissionHealth
    from overmind_core.watching.service import Watching
    from overmind_core.watching.watch import Watch


class WatchingApi:
    """The requests of those who look after missions."""

    def __init__(self, *, registry: Registry, clock: Clock, watching: Watching) -> None:
        self._registry = registry
        self._clock = clock
        self._watching = watching

    @handles(Health)
    async def health(self, request: Health, caller: Caller) -> HealthAnswer:
        """The health of missions that run, oldest first."""
        del caller
        members = self._watching.members()
        coherence = conductor.coherence(members)
        counts = conductor.counts(members)
        return {
            "missions": [self._row(mission, watch, coherence.value) for mission, watch in self._wanted(request.ids)],
            "coherence": {
                "value": coherence.value,
                "text": coherence.text,
                "grade": coherence.grade,
                "live": counts["live"],
                "known": counts["known"],
                "low": counts["low"],
                "steered": counts["steered"],
                "sharing": counts["sharing"],
            },
        }

    def _wanted(self, ids: list[str]) -> Iterable[tuple[Mission, Watch | None]]:
        """The missions with what is known of them; without `ids` those that are watched."""
        if ids:
            for mission in (find_live(self._registry, one) for one in ids):
                yield mission, self._watching.of(mission.id)
        else:
            for mission in list(self._registry.live.values()):
                watch = self._watching.of(mission.id)
                if watch is not None:
                    yield mission, watch

    def _row(self, mission: Mission, watch: Watch | None, coherence: float | None) -> MissionHealth:
        vitals = None if watch is None else watch.vitals
        sample = None if watch is None else watch.sample
        now = self._clock.mono()
        return {
            "id": mission.id,
            "name": mission.definition.name,
            "level": None if watch is None else watch.level(self._watching.health),
            "silent_seconds": None if vitals is None else round(vitals.silent_seconds(now), 3),
            "missed": None if vitals is None else vitals.missed,
            "cpu_percent": None if vitals is None else vitals.cpu_percent,
            "alignment": None if sample is None else sample.alignment,
            "terms": []
            if sample is None
            else [
                {"term": term.term, "cost": term.cost, "holds": term.holds, "evidence": term.evidence}
                for term in sample.terms
            ],
            "steers": 0 if watch is None else watch.steering.steers,
            "coherence": coherence,
        }
