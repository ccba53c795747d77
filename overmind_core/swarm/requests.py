"""The arguments of requests about the swarm."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from overmind_core.domain.plans.blueprint import Probe
from overmind_core.domain.plans.genome import Genome
from overmind_core.kernel.request import Args
from overmind_core.quests.requests import NewQuest

Count = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Seconds = Annotated[float, msgspec.Meta(ge=10, le=30 * 86_400)]
"""Of a lease."""


class SwarmInit(Args, frozen=True):
    """Make a swarm of a database, or bring one to today's schema."""

    url: str
    """Of the database, as its owner."""


class SwarmInvite(Args, frozen=True):
    """Make a login, or give it a new password."""

    name: str
    role: Literal["viewer", "worker", "operator", "owner"] = "worker"
    pool: bool = False
    """The one login of all instances of a pool, with a new key pair of theirs."""


class SwarmJoin(Args, frozen=True):
    """Become a hive of a swarm."""

    url: str
    """As `swarm invite` printed it."""
    labels: dict[str, str] = {}
    slots: Count | None = None
    """How many posts this hive does at once; null: those of its queue. 0: it takes nothing."""


class SwarmLeave(Args, frozen=True):
    """Be a hive of it no more."""

    release: bool = False
    """Stop the posts that it has, and give them back; what waits here for posts fails."""
    force: bool = False
    """Leave although the swarm does not answer: it learns of nothing that has ended here."""


class Placement(Args, frozen=True, kw_only=True):
    """Where a post may go, and what becomes of it when its hive is silent."""

    on: dict[str, str] = {}
    """Labels that a hive must have; none: any hive."""
    cpu: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    memory: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Bytes."""
    pack: bool = False
    """The fullest hive is first instead of the emptiest."""
    on_lost: Literal["move", "wait"] = "wait"
    lease: Seconds = 600.0
    secrets: list[str] = []
    """Names of secrets that it gets as variables; only hives for which they were sealed take it."""


class SwarmRun(Placement, frozen=True, kw_only=True):
    """Post a run."""

    run: dict[str, Any]
    """The arguments of `run`, without environment, umask and request key."""
    lineage: str | None = None
    """A name of which it is the next generation: no other one lives meanwhile."""
    here: bool = False
    """Only this hive takes it."""
    now: bool = False
    """Give up what no hive has taken within five seconds."""
    dry_run: bool = False
    """Post nothing; say of each hive whether it fits."""
    request: str | None = None
    """A key of the caller's choice; a repeat with the same key posts nothing more."""


class QuestSource(Args, frozen=True):
    """The code on which a quest works."""

    remote: str
    """URL of a repository that each hive can fetch by itself."""
    commit: str
    """Where the caller stands; the remote has it."""
    inside: str = ""
    """The caller's folder, relative to the top."""


class SwarmAdd(Placement, frozen=True, kw_only=True):
    """Post quests: all of them, or none. `on_lost` is `move` where nothing else is said."""

    quests: Annotated[list[NewQuest], msgspec.Meta(min_length=1, max_length=10_000)]
    """`needs` may name other posts of the swarm, and refs of the same request."""
    cwd: str
    source: QuestSource | None = None
    """Null: the caller is in no repository, and the quests work in the home folders of their hives."""
    on_lost: Literal["move", "wait"] = "move"
    request: str | None = None
    """A key of the caller's choice; a repeat with the same key posts nothing more."""


class SwarmAnswer(Args, frozen=True, kw_only=True):
    """Answer a question of the swarm."""

    question: Annotated[int, msgspec.Meta(ge=1)] | None = None
    id: str | None = None
    """A post, for its oldest question."""
    behaviour: Literal["allow", "deny", "always"] | None = None
    """Null: options or a message answer it, which is no permission."""
    message: str | None = None
    options: list[str] = []
    """The chosen labels; `#2` is the second one."""


class NewFleet(Placement, frozen=True, kw_only=True):
    """Places that the swarm keeps filled."""

    name: str
    agent: str = ""
    """As the blueprint calls it."""
    want: Count | None = 1
    """Places; null: one on every fitting hive."""
    run: dict[str, Any]
    """As in `swarm_run`; an empty `cwd` is the home folder of the hive's account."""
    ready: Probe | None = None
    """When a place is ready; null: when it has run for 10 s."""
    ready_env: dict[str, str] = {}
    """Variables of its command."""
    genome: Genome | None = None
    """The file in git from which its agent was taken; each hive has to trust it."""


class SwarmApply(Args, frozen=True, kw_only=True):
    """Have these fleets of a blueprint, and no others of it: all of it, or nothing."""

    fleets: Annotated[list[NewFleet], msgspec.Meta(max_length=1000)]
    file: str
    """The blueprint's, absolute; a fleet of another one is never touched."""
    dry_run: bool = False


class SwarmFleet(Args, frozen=True):
    """One fleet, by its name."""

    name: str


class SwarmLineage(Args, frozen=True):
    """One lineage, by its name."""

    name: str


class SwarmScale(Args, frozen=True):
    """How many places a fleet is to have."""

    name: str
    want: Count


class SwarmPosts(Args, frozen=True):
    """The posts; `all`: those that have ended, too."""

    all: bool = False
    ended: Annotated[int, msgspec.Meta(ge=0, le=100_000)] | None = None
    """With `all`, at most so many of those that have ended: the newest; null: every one."""


class SwarmEvents(Args, frozen=True):
    """What happened in the swarm after an event."""

    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Its number."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 500


class SwarmPost(Args, frozen=True):
    """One post, by its id or name."""

    id: str


class SwarmHive(Args, frozen=True):
    """One hive of the swarm; `undo`: it takes work again."""

    name: str
    undo: bool = False


class SwarmRemove(Args, frozen=True):
    """Remove a hive; `dead`: its machine is off for good, what it held may begin elsewhere."""

    name: str
    dead: bool = False


class PoolUp(Args, frozen=True):
    """Have a pool have more instances."""

    name: str
    count: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1


class PoolDown(Args, frozen=True, kw_only=True):
    """Have instances of a pool end."""

    name: str
    instances: list[str] = []
    """By their names, or by what their engine calls them."""
    all: bool = False
    """All of them."""
    force: bool = False
    """At once, instead of once what they have has ended."""


class VaultSet(Args, frozen=True):
    """Keep a secret here, and seal it for hives."""

    name: str
    """Also of the variable."""
    value: str
    """Wire form; at most 64 KiB."""
    on: dict[str, str] = {}
    """Labels that a hive must have to get it; none: all hives."""


class VaultSecret(Args, frozen=True):
    """One secret, by its name."""

    name: str


class VaultGrant(Args, frozen=True):
    """Seal a secret that is kept here for one more hive."""

    name: str
    hive: str
