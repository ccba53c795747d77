"""The shapes of requests about quests."""

from __future__ import annotations

from typing import Annotated

import msgspec

from overmind_core.kernel.request import Args
from overmind_core.missions.requests import Start, Whole

Count = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
"""How many of something that is kept or shown."""


class QuestRun(Start, frozen=True):
    """`run`, for work that is to be done once: a quest. Its restarts are its retries: `restart` stays never."""

    check: str | None = None
    """A shell command, run after the work has ended well: done is what makes this exit 0."""
    retries: Whole = 0
    """How often it is tried again after the work or the check has failed."""


class Quests(Args, frozen=True):
    """The newest quests, at most `limit`, oldest of them first; no `status` means any."""

    status: list[str] = []
    limit: Count = 1000


class Quest(Args, frozen=True):
    """One quest: its id, its name, or at least 3 characters of the id."""

    id: str


class QuestWait(Args, frozen=True):
    """Tell as each quest ends; `any`: only the first."""

    ids: list[str]
    any: bool = False
