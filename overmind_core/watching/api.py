"""`health`: the health of missions that run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from overmind_core.domain.watching import conductor
from overmind_core.domain.watching.health import level
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import Args, handles
from overmind_core.missions.callers import forbid_inside, mission_of
from overmind_core.missions.lookup import find_live

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.request import Caller
    from overmind_core.missions.registry import Registry
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home
    from overmind_core.watching.answer_types import HealthAnswer, MissionHealth
    from overmind_core.watching.reviewer import Reviewer
    from overmind_core.watching.service import Watching
    from overmind_core.watching.watch import Watch

    Overlap = tuple[str, tuple[str, ...]]
    """Id of the other mission, and the files that both change."""

MOST_OTHERS, MOST_NAMED = 20, 20
"""Other missions that a row names, and files of each."""


class Health(Args, frozen=True):
    """The health of these missions; without `ids` of all that run."""

    ids: list[str] = []  # noqa: RUF012 -- a struct has its own copy
    review: bool = False
    """Have the provider of `[guardian] review` look at each of them first; its number counts for five minutes."""


class WatchingApi:
    """The request about the health of missions."""

    def __init__(
        self, *, home: Home, registry: Registry, clock: Clock, watching: Watching, reviewer: Callable[[], Reviewer]
    ) -> None:
        self._home = home
        self._registry = registry
        self._clock = clock
        self._watching = watching
        self._reviewer = reviewer

    @handles(Health)
    async def health(self, request: Health, caller: Caller) -> HealthAnswer:
        """The health of missions that run, oldest first; with `review` once each was reviewed."""
        if request.review:
            forbid_inside(mission_of(caller, self._registry, self._home.root), "have missions reviewed")
            await self._review(request.ids)
        await self._watching.refresh()
        members = self._watching.members()
        coherence = conductor.coherence(members)
        counts = conductor.counts(members)
        overlaps = conductor.overlaps(members)
        return {
            "missions": [
                self._row(mission, watch, coherence.value, overlaps.get(mission.id, ()))
                for mission, watch in self._wanted(request.ids)
            ],
            "coherence": {
                "value": coherence.value,
                "text": coherence.text,
                "grade": coherence.grade,
                "live": counts["live"],
                "unwatched": self._watching.count_unwatched(),
                "known": counts["known"],
                "low": counts["low"],
                "steered": counts["steered"],
                "sharing": counts["sharing"],
            },
        }

    async def _review(self, ids: list[str]) -> None:
        """Have these missions reviewed; a review that can't be used counts as none.

        Raises:
            OvermindError: `invalid`: no provider reviews, or there is nothing to review; `not_running`; or the reason
                why the reviewer can't be started.
        """
        reviewer = self._reviewer()
        reviewer.check()
        if not ids:
            raise OvermindError("invalid", "Missing missions: name those that are to be reviewed.")
        wanted = {mission.id: mission for mission in (find_live(self._registry, one) for one in ids)}
        asked = []
        for mission in wanted.values():
            watch = self._watching.of(mission.id)
            if watch is None:
                name = mission.definition.name
                raise OvermindError("invalid", f"Mission {mission.id} ({name}) is not watched: it can't be reviewed.")
            asked.append((mission, self._watching.reviewed(mission, watch)))
        found = await asyncio.gather(*(reviewer.review(mission, reviewed) for mission, reviewed in asked))
        for (mission, _), review in zip(asked, found, strict=True):
            if review is not None:
                self._watching.take_review(mission, review)

    def _wanted(self, ids: list[str]) -> Iterable[tuple[Mission, Watch | None]]:
        """The missions with these ids, each with its watch; without `ids` all that are watched."""
        if ids:
            for mission in (find_live(self._registry, one) for one in ids):
                yield mission, self._watching.of(mission.id)
        else:
            for mission in list(self._registry.live.values()):
                watch = self._watching.of(mission.id)
                if watch is not None:
                    yield mission, watch

    def _row(
        self, mission: Mission, watch: Watch | None, coherence: float | None, overlaps: Sequence[Overlap]
    ) -> MissionHealth:
        liveness = self._watching.liveness_of(mission)
        sample = None if watch is None else watch.sample
        now = self._clock.mono()
        return {
            "id": mission.id,
            "name": mission.definition.name,
            "level": None
            if watch is None or liveness is None
            else level(liveness, self._watching.health, may_alarm=watch.may_alarm),
            "silent_seconds": None if liveness is None else round(liveness.silent_seconds(now), 3),
            "missed": None if liveness is None else liveness.missed,
            "cpu_percent": None if liveness is None else liveness.cpu_percent,
            "alignment": None if sample is None else sample.alignment,
            "terms": []
            if sample is None
            else [
                {"term": term.term, "cost": term.cost, "holds": term.holds, "evidence": term.evidence}
                for term in sample.terms
            ],
            "steers": 0 if watch is None else watch.steering.steers,
            "overlaps": [
                {"id": other, "name": named.definition.name, "files": list(files[:MOST_NAMED]),
                 "more": max(len(files) - MOST_NAMED, 0)}
                for other, files in overlaps[:MOST_OTHERS]
                if (named := self._registry.live.get(other)) is not None
            ],
            "coherence": coherence,
        }  # fmt: skip
