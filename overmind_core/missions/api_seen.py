"""`seen`: what somebody has looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.kernel.request import handles
from overmind_core.missions import answers
from overmind_core.missions.lookup import find
from overmind_core.missions.requests import One

if TYPE_CHECKING:
    from overmind_core.kernel.event_log import EventTable
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.request import Caller
    from overmind_core.missions.answer_types import MissionBrief
    from overmind_core.missions.followers import Followers
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.store import SeenTable
    from overmind_core.missions.unseen import Unseen
    from overmind_core.system.machine import Clock


class SeenApi:
    """The request that says that somebody has looked."""

    def __init__(
        self,
        *,
        registry: Registry,
        journal: Journal,
        clock: Clock,
        event_table: EventTable,
        seen_table: SeenTable,
        unseen: Unseen,
        followers: Followers,
    ) -> None:
        self._registry = registry
        self._journal = journal
        self._clock = clock
        self._event_table = event_table
        self._seen_table = seen_table
        self._unseen = unseen
        self._followers = followers

    @handles(One)
    async def seen(self, request: One, caller: Caller) -> MissionBrief:
        """Mark a mission as seen."""
        del caller
        mission = find(self._registry, request.id)
        self._journal.flush()
        newest = self._event_table.newest()
        now = self._clock.wall()
        self._unseen.saw(mission.id, newest, now)
        self._journal.save(lambda: self._seen_table.save(mission.id, newest, now))
        await self._journal.saved()
        self._followers.changed(mission)
        return answers.brief(mission)
