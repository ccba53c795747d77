"""What plans ask of the swarm: to post an agent, to say how posts stand, and to have one end."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from overmind_core.domain.plans.genome import Genome

PASSING = frozenset({"swarm_silent", "busy"})
"""Codes of errors after which the same is asked again: nobody answers now."""
GONE = "gone"
"""In the place of a state: the swarm has no such post, and none will come back."""


@dataclass(frozen=True, slots=True)
class NewPost:
    """An attempt of an agent, as it is posted: with values in place of all references."""

    id: str
    """However often it is posted, there is one of it."""
    name: str
    plan: str
    agent: str
    run: Mapping[str, Any]
    """The fields of a `run` request but environment, umask and request key, which are those of its hive."""
    on: Mapping[str, str]
    cpu: float
    memory: int
    outputs: tuple[str, ...]
    """Those that it declares."""
    genome: Genome | None = None


@dataclass(frozen=True, slots=True)
class PostView:
    """How a post stands."""

    state: str
    """Of the swarm, or `GONE`."""
    hive: str | None = None
    status: str | None = None
    """What its hive says of it; None: it has not begun."""
    is_ending: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.state in {"done", "failed", "cancelled", GONE}

    @property
    def has_begun(self) -> bool:
        """Whether a hive runs it, or has."""
        return self.status is not None and self.state != "queued"


@dataclass(frozen=True, slots=True)
class PostEnd:
    """What came of a post that has ended."""

    state: str
    exit_code: int | None = None
    reason: str | None = None
    by_hand: bool = False
    """A person has stopped it at its hive."""
    result: str | None = None
    output: str | None = None
    """The end of its log, as text."""
    facts: Mapping[str, str] = field(default_factory=dict)
    problem: tuple[str, str] | None = None
    """Why its outputs can't be handed on: a reason, and a clause for people."""


class SwarmPosts(Protocol):
    """The swarm. All but `prefix` ask its database.

    Each of them raises `OvermindError`: `swarm_silent`, nobody answers; `no_swarm`, this home is in none; `forbidden`.
    """

    def prefix(self) -> str:
        """What tells the posts of this home from those of others."""

    async def check(self) -> None:
        """Refuse where nothing can be posted; a swarm that does not answer now may do so later."""

    async def post(self, post: NewPost) -> None:
        """Post it, unless it is there.

        Raises:
            OvermindError: `too_large`, `invalid`.
        """

    async def look(self, posts: Collection[str]) -> Mapping[str, PostView]:
        """How these stand; one that is not there, and may come back yet, is left out."""

    async def cancel(self, post: str) -> str:
        """Have it end; return its state, `cancelling` where its hive ends it, `GONE` where there is no such post."""

    async def end_of(self, post: str) -> PostEnd:
        """What came of one that has ended."""
