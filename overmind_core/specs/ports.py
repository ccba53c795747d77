"""Ports: what specs ask of a swarm. The daemon's composition root passes the implementation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.domain.swarm.standing import PostEnding, PostStanding


class AttemptSource(NamedTuple):
    """Where other hives find what an attempt needs."""

    remote: str
    """URL. Wire form."""
    commit: str
    """At which the work begins, where it lands nowhere."""
    brought: str
    """The commit with what it is to read."""


class SwarmPosts(Protocol):
    """The swarm that this home belongs to.

    Each method raises `OvermindError`: `swarm_silent`, it does not answer; `no_swarm`, there is none; what it refuses.
    """

    def check(self) -> None:
        """Raise `no_swarm` where there is none."""

    async def add(self, definition: Mapping[str, Any]) -> None:
        """Post a quest, once for its id."""

    async def standing(self, post: str) -> PostStanding | None:
        """How a post stands; None: there is none."""

    async def ending(self, post: str) -> PostEnding:
        """What came of one that has ended."""

    async def cancel(self, post: str) -> str:
        """Have a post end; its state, `cancelling` where its hive has to end it first."""
