"""The shapes of requests about specs."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from overmind_core.kernel.request import Args
from overmind_core.missions.requests import Amount, Start, Whole

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Dollars = Annotated[float, msgspec.Meta(ge=0)]


class SpecNew(Start, frozen=True):
    """Create a spec. The fields of `run` say who does each phase and task; without them the agent of the queue does."""

    title: str = ""
    """The feature in one line; may be missing with `folder`."""
    command: str | list[str] = ""
    cwd: str = ""
    """A folder of the repository in which the spec is to be."""
    provider: str = ""
    """Empty: `raw` with a command, else the agent of the queue."""
    backoff: Amount = ""
    """Before the second attempt of each phase and task; doubles. Empty: that of the queue."""
    brief: str | None = None
    """The wish in full, in Markdown."""
    folder: str | None = None
    """A folder of documents that is there already: the phases that pass are not run."""
    gates: str | None = None
    """The gates, with commas: `tasks,merge`; `all`, `none`."""
    threshold: Share | None = None
    """The score from which a document passes."""
    verify: str | None = None
    """A shell command that has to succeed on merged work."""
    priority: str = "medium"
    retries: Whole = 2
    """How many failed attempts of each quest are followed by another one."""
    allow: list[str] = []
    """Permission rules: commands of its tasks that need no person."""
    deny: list[str] = []


class SpecPlacement(Args, frozen=True):
    """Where in the swarm the phases and tasks of a spec are done from now on."""

    here: bool = False
    """On this machine again."""
    on: dict[str, str] = {}
    """Labels that a hive must have; none: any hive."""
    cpu: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    memory: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Bytes."""
    pack: bool = False
    on_lost: Literal["move", "wait"] = "move"
    lease: Annotated[float, msgspec.Meta(ge=10, le=30 * 86_400)] = 600.0
    """Seconds."""
    secrets: list[str] = []
    """Names of secrets that each gets as variables."""


class SpecAttempt(Args, frozen=True):
    """Have the swarm do the newest attempt of a quest, and tell how that goes."""

    quest: str
    remote: str
    """URL of the repository that each hive can fetch by itself."""
    commit: str
    """At which the work begins; the remote has it."""
    brought: str
    """The commit with what it is to read; the remote has it."""


class SpecRun(Args, frozen=True):
    """Have a spec go on where it is; what is null stays as it is."""

    id: str
    first: str | None = None
    """Do this phase again, even where it has passed."""
    last: str | None = None
    """Stop behind this phase."""
    gates: str | None = None
    threshold: Share | None = None
    verify: str | None = None
    """"" removes it."""
    max_cost: Dollars | None = None
    placement: SpecPlacement | None = None


class SpecWait(Args, frozen=True):
    """Tell of each phase and task of a spec that ends, until it is done, or nothing of it goes on without a person."""

    id: str
    known: list[str] = []
    """Keys of what has been told: of items, and of the answer to `spec_run`."""


class SpecSync(Args, frozen=True):
    """Bring the quests of a spec's tasks to what its document says; `dry_run`: only tell what that would do."""

    id: str
    dry_run: bool = False


class SpecArchive(Args, frozen=True):
    """Archive a spec: nothing of it starts any more; `undo`: take it back."""

    id: str
    undo: bool = False
    env: dict[str, str] = {}
    """The caller's environment: with `undo` that of its quests from now on."""


class SpecForget(Args, frozen=True):
    """Forget an archived spec, and what is known of its quests; its folder and its branch stay as they are."""

    id: str


class Specs(Args, frozen=True):
    """The specs; `all`: archived ones, too."""

    all: bool = False


class Spec(Args, frozen=True):
    """One spec: its id, its slug, or at least 3 characters of the id."""

    id: str
