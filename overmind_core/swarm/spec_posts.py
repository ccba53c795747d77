"""Posts of specs: what the feature specs asks of the swarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from overmind_core.domain.swarm.standing import PostEnding, PostStanding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.swarm.answers import Post
    from overmind_core.swarm.database import Swarm
    from overmind_core.swarm.host import SwarmHost


class SpecPosts:
    """Asks the swarm of this home. Nothing of the swarm is loaded before that."""

    def __init__(self, host: SwarmHost) -> None:
        self._host = host

    def check(self) -> None:
        """Raise `no_swarm` where there is none."""
        self._host.line()

    async def add(self, definition: Mapping[str, Any]) -> None:
        """Post a quest, once for its id."""
        await self._host.line().ask_patiently(lambda swarm: swarm.post([definition]))

    async def standing(self, post: str) -> PostStanding | None:
        """Return how a post stands; None: there is none."""
        return await self._host.line().ask_patiently(lambda swarm: _standing(swarm.find_post(post)))

    async def ending(self, post: str) -> PostEnding:
        """Return what came of one that has ended."""
        return await self._host.line().ask_patiently(lambda swarm: _ending(swarm, post))

    async def cancel(self, post: str) -> str:
        """Have a post end; return its state, `cancelling` where its hive has to end it first."""
        return await self._host.line().ask_patiently(lambda swarm: swarm.cancel(post))


def _standing(post: Post | None) -> PostStanding | None:
    if post is None:
        return None
    return PostStanding(post.state, post.hive, post.status or "", post.cost, post.reason, post.exit_code)


def _ending(swarm: Swarm, post: str) -> PostEnding:
    end = swarm.end_of(post)
    return PostEnding((end.tail if end is not None else None) or b"", swarm.outputs_of(post))
