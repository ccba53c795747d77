"""The types of answers about the swarm. Only annotations name them."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from overmind_core.agents.answer_types import Question


class SwarmReady(TypedDict):
    """A swarm is ready in a database."""

    where: str
    """Host and database, without a login."""
    server: str
    """The version of PostgreSQL."""
    schema: int
    warnings: list[str]
    """A sentence for each."""


class SwarmInvited(TypedDict):
    """A login was made. The URL has its password, and is shown once."""

    name: str
    role: str
    url: str
    kept: bool
    """Whether the invitation of a pool is kept in this home, whose config.toml has it."""


class SwarmJoined(TypedDict):
    """This home is a hive of the swarm, looks at it, or keeps the invitation of a pool."""

    swarm: str
    hive: str
    """Empty with a viewer's login: this home looks at the swarm, and with a pool's."""
    pool: str | None
    """The pool whose invitation is kept here for its instances; nothing else was changed then."""
    others: int
    fingerprint: str
    """Of its public key, for which others seal secrets; empty of one that looks."""


class SwarmLeft(TypedDict):
    """This home is in no swarm any more."""

    swarm: str
    """Empty where it was not asked, as by a home that has only looked."""


HiveLink = Literal["open", "draining", "settling", "silent", "closed"]


class SwarmHiveRow(TypedDict):
    """One hive, as the swarm knows it."""

    name: str
    id: str | None
    """Which home it is, as its gate says too; null: it has no session that lives."""
    link: HiveLink
    """`silent`: it has missed two beats. `settling`: the store went back in time, and it has not said yet what it
    holds. `closed`: it has no session that lives."""
    version: str
    held: int
    slots: int
    cpu: float
    memory: int
    labels: dict[str, str]
    seen_ago: float | None
    """Seconds by the database's clock."""


class SwarmState(TypedDict):
    """The swarm, as this hive sees it."""

    swarm: str
    hive: str | None
    """Null: this home has made the swarm, and is no hive of it."""
    silence: str
    """Why the database can't be asked; empty: it answers."""
    silent_seconds: float
    mode: str
    """`open`; `restarted`, `settling` or `presenting`: see docs/swarm.md."""
    queued: int
    claimed: int
    lost: int
    store_ms: float
    """How long the database took to answer."""
    warnings: list[str]
    """What a swarm needs of its server that this one does not give."""
    hives: list[SwarmHiveRow]


class SwarmPostRow(TypedDict):
    """A post."""

    id: str
    kind: Literal["quest", "run", "place"]
    name: str
    state: Literal["queued", "claimed", "lost", "done", "failed", "cancelled"]
    hive: str | None
    status: str | None
    """Of its mission or quest at that hive."""
    phase: str | None
    """Of that quest while it runs."""
    priority: str
    cost_usd: float | None
    """As its hive has reported; null: nothing, or nobody knows."""
    attempt: int
    fence: int
    labels: dict[str, str]
    spec: str | None
    """Slug of the spec of which it is a phase or a task."""
    exit_code: int | None
    reason: str | None
    posted_by: str
    posted_at: str
    claimed_at: str | None
    """When its hive took it; null: none has it, or had it last."""
    ended_at: str | None


class SwarmQueued(TypedDict):
    """A post that waits."""

    position: int
    """In the order in which a hive that fits takes them, from 1."""
    id: str
    name: str
    kind: Literal["quest", "run", "place"]
    priority: str
    score: float
    why: str
    """Why no hive has taken it yet."""


class SwarmQueue(TypedDict):
    """What waits in the swarm."""

    slots: int
    """Of all hives that live."""
    used: int
    posts: list[SwarmQueued]


class SwarmEvent(TypedDict):
    """A fact of the swarm's log."""

    seq: int
    at: str
    type: str
    post: str | None
    hive: str | None
    by: str
    """The login in whose name it happened."""
    body: dict[str, Any]


class SwarmWhyLine(TypedDict):
    """What the oracle says about one hive."""

    hive: str
    text: str


class SwarmWhyPool(TypedDict):
    """What a pool does for a post."""

    pool: str
    text: str


class SwarmWhy(TypedDict):
    """What the oracle says about a post."""

    id: str
    name: str
    state: str
    summary: str
    blocked: bool
    """Whether it waits for one that has failed or was cancelled, so that a person has to change something first."""
    hives: list[SwarmWhyLine]
    pools: list[SwarmWhyPool]
    """Pools whose instances could take it while it waits."""


class SwarmPosted(TypedDict):
    """A run was posted."""

    id: str
    name: str
    hive: str | None
    """The hive that has taken it; null: none has within five seconds."""
    mission: NotRequired[str]
    summary: str
    """Why it waits; empty when it was taken."""
    hives: list[SwarmWhyLine]
    """With `dry_run`: each hive."""


class SwarmCancelled(TypedDict):
    """A post was cancelled."""

    id: str
    name: str
    state: str
    """`cancelling`: its hive has to end it first."""


class SwarmQuestBrief(TypedDict):
    """A quest that was posted."""

    id: str
    name: str


class SwarmQuestsAdded(TypedDict):
    """Quests were posted, in the order of the request."""

    quests: list[SwarmQuestBrief]


class SwarmQuestion(Question):
    """A question of a post, as the inbox of its hive has it; `question` is its number in the swarm, `id` the post's.

    `need` may be `lost`, too: the swarm asks whether the machine of the hive is off.
    """

    hive: str | None
    """Which has the post."""
    there: int | None
    """Its number in the inbox of that hive; null: the swarm itself asks."""
    part: NotRequired[str]
    """Of a question of the engine, as `part` of an engine's question."""


class SwarmAnswered(TypedDict):
    """A question was answered."""

    question: int
    id: str
    name: str
    behaviour: str
    state: str
    """Of its post."""


class FleetChange(TypedDict):
    """The effect of a blueprint on one fleet."""

    name: str
    change: Literal["new", "changed", "unchanged", "deleted"]
    before: int | None
    """How many places it had; null: one on every fitting hive, or it is new."""
    want: int | None
    """How many it has; null: one on every fitting hive."""
    replaces: bool
    """Its definition is another one: its places are replaced, one at a time."""


class SwarmApplied(TypedDict):
    """The fleets of a blueprint are those of its file."""

    fleets: list[FleetChange]
    """In the order of the request, and then those that it no longer has."""


class FleetRow(TypedDict):
    """A fleet, or a sentinel."""

    name: str
    want: int | None
    """Places; null: one on every fitting hive."""
    alive: int
    lost: int
    """Places on hives that are silent."""
    queued: int
    """Places that no hive has."""
    hives: list[str]
    source: str
    """The login that has applied it, and the blueprint's file there."""


class LineageRow(TypedDict):
    """A lineage: a name whose runs are generations of one agent."""

    name: str
    generation: int
    """The number of the newest; 0: none has begun."""
    state: str
    """Of the newest: `claimed`, `lost`, `done`, `failed`, `cancelled`, or `queued`."""
    hive: str | None
    """That has it, else where its conversation lies; null: nowhere."""
    post: str | None
    waiting: list[str]
    """Names of the runs that wait for their turn."""


class LineageGeneration(TypedDict):
    """One run of a lineage."""

    number: int
    post: str
    hive: str
    mission: str | None
    """At its hive, once it has ended."""
    conversation: Literal["new", "continued"] | None
    """Null: it has not begun."""
    why: str
    """Why it has begun a new conversation although there was one; else empty."""
    state: Literal["done", "failed", "cancelled"] | None
    """Null: it lives, or waits for another hive."""
    began_at: str
    ended_at: str | None


class LineageDetails(LineageRow):
    """A lineage with its generations, the last hundred."""

    result: str | None
    """The newest answer."""
    result_of: int | None
    """The generation that has given it."""
    notes: str | None
    """The notes of its generations, as the next one gets them."""
    generations: list[LineageGeneration]


class FleetPlace(TypedDict):
    """A place of a fleet."""

    id: str
    name: str
    state: str
    hive: str | None
    status: str | None
    """Of its mission at that hive."""
    ready: bool
    current: bool
    """False: it still runs an earlier definition."""
    ending: str | None
    """Why it is being ended: `scaled`, `replaced`, `deleted`."""
    reason: str | None
    """Why its last run has ended."""


class FleetGenome(TypedDict):
    """The file in git from which an agent was taken."""

    file: str
    """`URL//FILE`."""
    ref: str
    """As it was written."""
    commit: str
    """That it meant when it was applied."""
    agent: str
    sha256: str
    commands: list[str]


class FleetDetails(FleetRow):
    """A fleet with its places."""

    agent: str
    labels: dict[str, str]
    cpu: float
    memory: int
    on_lost: str
    lease: float
    posted_by: str
    genome: FleetGenome | None
    """Null: its agent stands in its blueprint."""
    places: list[FleetPlace]


class FleetScaled(TypedDict):
    """How many places a fleet had, and has."""

    name: str
    before: int
    want: int


class FleetDeleted(TypedDict):
    """A fleet that has ended; its places are being ended by their hives."""

    name: str


class SwarmTail(TypedDict):
    """The end of what a post's run has written."""

    id: str
    name: str
    state: str
    hive: str | None
    """That has it, or had it last."""
    here: bool
    """Whether that is the hive that answers."""
    tail: str
    format: str | None
    """Whose lines those are, as of a run in `logs`; null: plain ones."""
    cut: bool
    """Whether more was written before, so that it may begin in the middle of a line."""


class SwarmDrained(TypedDict):
    """A hive takes nothing new, or again."""

    name: str
    held: int
    draining: bool


class SwarmRemoved(TypedDict):
    """A hive was removed from the swarm."""

    name: str
    free: int
    """Its posts that may begin elsewhere."""
    failed: int


class PoolInstance(TypedDict):
    """An instance of a pool."""

    name: str
    engine_id: str | None
    """Its name at its engine, such as the number of a job."""
    state: Literal["asked", "started", "running", "joined", "ended"]
    ending: Literal["drain", "force"] | None
    """Somebody wants it to end: once what it has has ended, or at once."""
    held: int
    """Posts that it has."""
    reason: str | None
    """Why it has ended, where that is to be told."""


class PoolRow(TypedDict):
    """A pool, and its instances."""

    name: str
    engine: str | None
    """Null: neither this home nor a hive has told it yet."""
    state: Literal["open", "silent", "unheld"]
    """`silent`: its engine does not answer, so that nothing is started or ended there. `unheld`: no hive decides."""
    note: str
    """Why it is not `open`, or can't be used from here; a sentence."""
    hive: str | None
    """The hive that decides how many instances there are."""
    wanted: int | None
    min: int | None
    max: int | None
    slots: int | None
    """Of each instance."""
    labels: dict[str, str]
    instances: list[PoolInstance]
    """Those that have not ended, and of the others those that ended otherwise than they should have."""


class PoolChanged(TypedDict):
    """What has become of instances that were asked for, or asked to end."""

    name: str
    instances: list[PoolInstance]
    silence: str
    """Why its engine does not answer, a sentence; empty: it does."""


class VaultHive(TypedDict):
    """A hive, or a pool, for which a secret was sealed."""

    name: str
    fingerprint: str
    """Of its public key."""


class VaultPut(TypedDict):
    """A secret was sealed for hives."""

    name: str
    hives: list[VaultHive]
    """All that have it now."""
    without_key: list[str]
    """Hives that would get it, and have no key: they joined without the package that opens secrets."""


class VaultGranted(TypedDict):
    """A secret was sealed for one more hive."""

    name: str
    hive: str
    fingerprint: str
    hives: list[str]
    """All that have it now."""


class VaultRow(TypedDict):
    """A secret; nothing shows its value."""

    name: str
    hives: list[str]
    put_by: list[str]
    """Logins that have sealed its copies."""
    here: bool
    """Whether its value is kept in this home, so that it can be granted to one more hive."""


class VaultRemoved(TypedDict):
    """A secret is no more."""

    name: str
    hives: int
    """How many had it."""
