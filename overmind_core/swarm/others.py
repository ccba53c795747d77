"""The other hives of a swarm: this one watches their beats on its own clock, and frees what a silent one holds.

A beat that is seen may have been sent until the moment at which the answer came: only from then on has it stood still.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.swarm.leases import may_take_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from overmind_core.swarm.answers import WatchedSession
    from overmind_core.swarm.line import SwarmLine
    from overmind_core.system.machine import Clock

LOST_AFTER = 60.0
"""Seconds of silence after which a post that waits for its hive is lost."""


class SeenPost(NamedTuple):
    """A post that this hive may claim once it has seen it for a while."""

    version: int
    since: float
    """Boot clock, seconds."""
    delay: float
    """Seconds."""


class SeenSession(NamedTuple):
    """The session of another hive that holds something."""

    beat: int
    since: float
    """When this hive first saw that beat. Boot clock, seconds."""
    due_after: float
    """Seconds after which, without another beat, what it holds is free or lost; infinite: never."""


class Others:
    """What this hive has seen of them, and of posts that wait for a while.

    Args:
        line: To the swarm.
        clock: Silences are measured on its boot clock.
    """

    def __init__(self, line: SwarmLine, clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self._sessions: dict[str, SeenSession] = {}
        self._posts: dict[str, SeenPost] = {}

    def forget(self) -> None:
        """See all of it anew."""
        self._sessions.clear()
        self._posts.clear()

    def seen_posts(self) -> dict[str, tuple[int, float]]:
        """Return the version of each post that has to wait, and for how many seconds it was seen so."""
        now = self._clock.boot()
        return {post: (one.version, now - one.since) for post, one in self._posts.items()}

    def later(self, now: float) -> Iterator[float]:
        """When something was seen for long enough, after this moment."""
        posts = (one.since + one.delay for one in self._posts.values())
        sessions = (one.since + one.due_after for one in self._sessions.values())
        return (moment for moment in (*posts, *sessions) if moment > now)

    def is_due(self, now: float) -> bool:
        """Whether a session was silent for long enough."""
        return any(one.since + one.due_after <= now for one in self._sessions.values())

    async def watch(self, session: str) -> None:
        """Look at the beats of others, and free what a silent one holds once its lease has surely ended.

        Args:
            session: This hive's own.

        Raises:
            SwarmSilent: nobody answers.
        """
        found = await self._line.ask(lambda swarm: swarm.watchlist(session))
        now = self._clock.boot()
        posts = self._posts
        self._posts = {
            one.post: posts[one.post]
            if one.post in posts and posts[one.post].version == one.version
            else SeenPost(one.version, now, one.delay)
            for one in found.posts
        }
        seen = {}
        for other in found.sessions:
            before = self._sessions.get(other.session)
            since = before.since if before is not None and before.beat == other.beat else now
            seen[other.session] = SeenSession(other.beat, since, _due_after(other))
        self._sessions = seen
        for other in found.sessions:
            watched = now - seen[other.session].since
            if watched >= _due_after(other):
                await self._line.ask(
                    lambda swarm, other=other, watched=watched: swarm.take(  # type: ignore[misc]
                        session, other.session, other.beat, watched
                    )
                )


def _due_after(other: WatchedSession) -> float:
    moves = math.inf if other.lease is None else may_take_after(other.lease)
    return min(moves, LOST_AFTER if other.waits else math.inf)
