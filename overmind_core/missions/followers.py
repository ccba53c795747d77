"""The followers of missions: each is woken when its missions' logs grow or their state changes.

A follower keeps its own cursors (event sequence, offsets) and reads from the store and the logs what is new: nothing
is queued here, so a slow reader costs nothing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from overmind_core.domain.missions.mission import Mission, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from overmind_core.domain.events import Event
    from overmind_core.kernel.keeper_client import KeeperConnection
    from overmind_core.missions.changes import MissionChanged, OutputGrew
    from overmind_core.missions.registry import Registry


class Follower:
    """`async with feed.follow(…) as follower: … await follower.news()`."""

    def __init__(
        self, feed: Followers, missions: frozenset[str] | None, types: frozenset[type[Event]] | None = None
    ) -> None:
        self._feed = feed
        self.missions = missions
        """None: every event of the log, and no mission's output."""
        self._types = types
        self._bell = asyncio.Event()

    def __enter__(self) -> Self:
        self._feed.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._feed.remove(self)

    def follows(self, event: Event) -> bool:
        """Whether an event of the log is news."""
        if self._types is not None and type(event) not in self._types:
            return False
        return self.missions is None or event.mission in self.missions

    def ring(self) -> None:
        """There is something new."""
        self._bell.set()

    async def news(self) -> None:
        """Wait until there may be something new since the last call."""
        await self._bell.wait()
        self._bell.clear()


class Followers:
    """All followers."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._all: set[Follower] = set()
        self._by_mission: dict[str, set[Follower]] = {}
        self._watched: dict[str, str] = {}
        self.link: KeeperConnection | None = None

    def follow(self, missions: Iterable[str] | None) -> Follower:
        """A follower of these missions' output and state, or of all events."""
        return Follower(self, None if missions is None else frozenset(missions))

    def follow_types(self, types: Iterable[type[Event]]) -> Follower:
        """A follower of all events of these types."""
        return Follower(self, None, frozenset(types))

    def add(self, follower: Follower) -> None:
        """Begin to ring."""
        self._all.add(follower)
        for mission_id in follower.missions or ():
            self._by_mission.setdefault(mission_id, set()).add(follower)
            mission = self._registry.live.get(mission_id)
            if mission is not None:
                self._watch(mission)

    def remove(self, follower: Follower) -> None:
        """Ring no more."""
        self._all.discard(follower)
        for mission_id in follower.missions or ():
            followers = self._by_mission.get(mission_id, set())
            followers.discard(follower)
            if not followers:
                self._by_mission.pop(mission_id, None)
                self._unwatch(mission_id)

    def on_output(self, grew: OutputGrew) -> None:
        """The log of a run has grown."""
        for follower in self._by_mission.get(grew.run.partition(".")[0], ()):
            follower.ring()

    def on_event(self, event: Event) -> None:
        """An event was saved."""
        for follower in self._all:
            if follower.follows(event):
                follower.ring()

    def on_change(self, change: MissionChanged) -> None:
        """A mission's state was saved."""
        self.changed(change.current)

    def changed(self, mission: Mission) -> None:
        """A mission's state was saved: it may have another run now."""
        if mission.id in self._by_mission:
            self._watch(mission)
            for follower in self._by_mission[mission.id]:
                follower.ring()

    def watch_again(self, link: KeeperConnection | None) -> None:
        """Another connection, perhaps another keeper: it knows of no watch."""
        self.link = link
        self._watched.clear()
        for mission_id in self._by_mission:
            mission = self._registry.live.get(mission_id)
            if mission is not None:
                self._watch(mission)

    def _watch(self, mission: Mission) -> None:
        has_process = mission.status in {Status.RUNNING, Status.PAUSED, Status.STOPPING}
        if has_process and self.link is not None and self._watched.get(mission.id) != mission.run_id:
            self._watched[mission.id] = mission.run_id
            self.link.request("watch", run=mission.run_id, on=True)

    def _unwatch(self, mission_id: str) -> None:
        run = self._watched.pop(mission_id, None)
        if run is not None and self.link is not None and mission_id in self._registry.live:
            self.link.request("watch", run=run, on=False)
