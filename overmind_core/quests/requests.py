"""The shapes of requests about quests."""

from __future__ import annotations

from typing import Annotated

import msgspec

from overmind_core.kernel.request import Args, RequestKey
from overmind_core.missions.requests import AgentArgs, Amount, Start, Whole

Count = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
"""How many of something that is kept or shown."""


class QuestRun(Start, frozen=True):
    """`run`, for work that is to be done once: a quest. Its restarts are its retries: `restart` stays never."""

    check: str | None = None
    """A shell command, run after the work has ended well: done is what makes this exit 0."""
    retries: Whole = 0
    """How often it is tried again after the work or the check has failed."""


class NewQuest(Start, frozen=True):
    """A quest for the queue: `run`, and what makes it a quest. Without a command its agent does it."""

    title: str = ""
    """What it is, in one line."""
    command: str | list[str] = ""
    cwd: str = ""
    """Empty: the folder of the request."""
    provider: str = ""
    """Empty: `raw` with a command, else the agent of the queue."""
    brief: str = ""
    """The task, in Markdown."""
    needs: list[str] = []
    """Quests that have to complete first: ids, names, or refs of the same request."""
    needs_min: Whole = 0
    """So many of them are enough; 0: all."""
    priority: str = "medium"
    """`critical`, `high`, `medium` or `low`."""
    deadline: Amount | None = None
    """A time, or how long from now."""
    owns: list[str] = []
    """Patterns of the files that only it may change while it runs, relative to the top of the repository."""
    outputs: list[str] = []
    """Files that each attempt has to leave in $OVERMIND_OUTPUT_DIR."""
    check: str | None = None
    """A shell command, run after the work has ended well: done is what makes this exit 0."""
    review: str | None = None
    """`person`, or the provider that reviews its work."""
    into: str | None = None
    """The branch on which its work begins and lands."""
    verify: str | None = None
    """A shell command that has to succeed on the merged work."""
    allow_empty: bool = False
    """Whether it is done also where nothing was changed; else work that is `into` a branch has failed then."""
    backoff: Amount = ""
    """The pause before the second attempt, in ms, which doubles; empty: the one of the queue."""
    retries: Whole = 2
    """How many failed attempts are followed by another one."""
    estimate: Amount | None = None
    """How long it takes; null: as long as such quests took."""
    group: str | None = None
    """A label by which the board groups it."""
    ref: str | None = None
    """A name that other quests of the same request need it by."""


class QuestAdd(Args, frozen=True):
    """Put quests into the queue: all of them, or none."""

    quests: Annotated[list[NewQuest], msgspec.Meta(min_length=1, max_length=10_000)]
    cwd: str
    env: dict[str, str] = {}
    """The caller's environment."""
    umask: Whole = 0o022
    request: RequestKey | None = None
    """A key of the caller's choice, without `:`; a repeat with the same key answers the same quests."""


class QuestEdit(Args, frozen=True):
    """Change a quest of the queue; what is null stays as it is.

    While it runs only priority, deadline, retries, max_cost, max_tokens and the timeouts can be changed.
    """

    id: str
    title: str | None = None
    brief: str | None = None
    needs: list[str] | None = None
    needs_min: Whole | None = None
    priority: str | None = None
    deadline: Amount | None = None
    """"" removes it."""
    owns: list[str] | None = None
    outputs: list[str] | None = None
    check: str | None = None
    """"" removes it; so it does with the other texts."""
    review: str | None = None
    into: str | None = None
    verify: str | None = None
    allow_empty: bool | None = None
    retries: Whole | None = None
    estimate: Amount | None = None
    max_cost: Annotated[float, msgspec.Meta(ge=0)] | None = None
    max_tokens: Whole | None = None
    """Of all its attempts and what they start; 0: no limit."""
    timeout: Amount | None = None
    """Limit of each attempt; a bare number is in ms, 0: none."""
    activity_timeout: Amount | None = None
    """Limit of silence; a bare number is in s, 0: none."""
    group: str | None = None
    name: str | None = None
    command: str | list[str] | None = None
    provider: str | None = None
    agent: AgentArgs | None = None


class QuestRetry(Args, frozen=True):
    """Give a failed or cancelled quest another round of attempts; `message` joins its feedback."""

    id: str
    message: str | None = None


class Queue(Args, frozen=True):
    """The queue as it stands, or as it would `at` another time, seconds from now."""

    at: Amount = 0
    limit: Whole = 0
    """Queued quests that are shown, the first in line; 0: all of them."""


class QueueSet(Args, frozen=True):
    """Change the queue; what is null stays."""

    paused: bool | None = None
    slots: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    max_cost_today: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """US dollars until midnight, in the place of `max_cost_per_day` in the configuration."""


class Board(Args, frozen=True):
    """The board: of one spec, or of all quests; `all`: with all that have ended."""

    spec: str | None = None
    all: bool = False
    limit: Whole = 0
    """Quests of each column that are shown; 0: all of them. The number of a column counts the others, too."""


class Quests(Args, frozen=True):
    """The newest quests, at most `limit`, oldest of them first; no `status` means any."""

    status: list[str] = []
    limit: Count = 1000
    ready: bool = False
    """Only those of the queue that nothing but a free slot keeps from starting."""
    spec: str | None = None
    """Only those of this spec."""


class Quest(Args, frozen=True):
    """One quest: its id, its name, or at least 3 characters of the id."""

    id: str


class QuestWait(Args, frozen=True):
    """Tell as each quest ends; `any`: only the first."""

    ids: list[str]
    any: bool = False
