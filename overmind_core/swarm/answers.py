"""What the swarm's functions and views answer: structs, decoded from JSON.

Times are seconds since the epoch by the server's clock: shown to people, and never decided by.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

PostState = Literal["queued", "claimed", "lost", "done", "failed", "cancelled"]
Mode = Literal["open", "restarted", "settling", "presenting"]
"""`open`: claims are given. `restarted`: not until every session with slots has beaten. `settling`: the store has
gone back in time, no claim is given until one hive has waited for the longest lease. `presenting`: after that; posts
with `wait` are given again once every known hive has presented."""
CLOSED = frozenset[Mode]({"restarted", "settling"})
"""No claim is given, and none begins that was: it may be of a time that is forgotten, and another hive's by now."""


class Hello(msgspec.Struct, frozen=True):
    """Who asks, and what there is."""

    schema: int
    name: str
    id: str
    """Tells it from other swarms of that name."""
    mode: Mode
    settle: int
    longest: float
    """Seconds: the longest lease that there was."""
    login: str
    role: str | None
    """None: this login is none of this swarm."""
    pool: bool
    server: str
    """The version of PostgreSQL."""


class Joined(msgspec.Struct, frozen=True):
    """The answer to `join`."""

    word: Literal["joined", "watch", "name_taken", "gone"]
    """`watch`: the name has a session; look for `seconds`, by the own clock, whether its beat grows, and join again
    with what was seen. `name_taken`: it has grown. `gone`: this session has ended, take a new id."""
    beat: int = 0
    """The number to expect at the first beat; of `watch` that of the other session."""
    session: str = ""
    """The other session."""
    seconds: float = 0.0
    proof: str = ""
    """To be kept and sent with each beat: after a rewind of the store it shows that the session was real."""
    settle: int = 0
    others: int = 0
    """How many other hives there are."""


class Held(msgspec.Struct, frozen=True):
    """A post that the swarm thinks this session has."""

    post: str
    fence: int
    state: PostState
    cancelling: str | None = None
    """Why it is to be ended: `cancelled`, `scaled`, `replaced`, `deleted`."""
    answers: int = 0
    """Answers to its questions; the next `report_progress` brings them."""


class Beaten(msgspec.Struct, frozen=True):
    """The answer to a beat."""

    word: Literal["ok", "cloned", "gone", "present"]
    """`cloned`: somebody else beats as this session; end what is leased, take nothing, join anew. `gone`: the session
    has ended. `present`: accepted, but the store has gone back in time: `present` what is held."""
    beat: int = 0
    again: bool = False
    """It had been accepted before, and that answer was lost: others may have seen it since then."""
    mode: Mode = "open"
    settle: int = 0
    longest: float = 0.0
    held: list[Held] = []
    draining: bool | None = None
    """Whether it takes nothing new; None: it has no hive any more."""


class Claimed(msgspec.Struct, frozen=True):
    """A post that this hive has from now on. All of it is to be kept: `present` wants it back."""

    id: str
    kind: Literal["quest", "run", "place", "pool"]
    name: str
    fence: int
    definition: str
    """JSON, to the byte as it is presented again."""
    proof: str
    on_lost: Literal["move", "wait"]
    lease: float
    spent: int = 0
    hive_lost: int = 0
    cpu: float = 0.0
    memory: int = 0


class Claims(msgspec.Struct, frozen=True):
    """The answer to `claim`."""

    word: Literal["ok", "gone", "beat", "closed", "draining"]
    """`beat`: the store has another beat, so beat first. `closed`: see `Mode`, or `present` first."""
    claims: list[Claimed] = []


class Reply(msgspec.Struct, frozen=True):
    """An answer from a person to a question of a post."""

    key: str
    answer: dict[str, Any]
    by: str


class Reported(msgspec.Struct, frozen=True):
    """The answer to what a holder tells."""

    word: Literal["ok", "fenced"]
    """`fenced`: the claim is over, and nothing was changed; `hive` has it now."""
    state: PostState | None = None
    hive: str | None = None
    fence: int | None = None
    cancelling: str | None = None
    answers: list[Reply] = []


class Exchanged(msgspec.Struct, frozen=True):
    """The answer to `exchange`."""

    told: dict[str, Reported]
    """By post."""
    claimed: Claims


class Taken(msgspec.Struct, frozen=True):
    """The answer to `take`."""

    word: Literal["ok", "moved", "closed", "gone"]
    """`moved`: its beat is another one now."""
    freed: list[str]
    lost: list[str]


class WatchedSession(msgspec.Struct, frozen=True):
    """A session that holds something."""

    session: str
    hive: str
    beat: int
    lease: float | None
    """The shortest of what it holds, seconds; None: it holds nothing that moves."""
    waits: bool
    """Whether it holds what is to be lost after a minute of silence."""


class WatchedPost(msgspec.Struct, frozen=True):
    """A post that this hive may claim once it has seen it so for `delay` seconds."""

    post: str
    version: int
    delay: float


class Watchlist(msgspec.Struct, frozen=True):
    """What a hive has to look at with its own clock."""

    sessions: list[WatchedSession]
    posts: list[WatchedPost]


class Presented(msgspec.Struct, frozen=True):
    """The answer to `present`."""

    word: Literal["ok", "gone", "refused"]
    """`refused`: there was no rewind of which this session has not presented."""
    posts: dict[str, Literal["ok", "fenced", "forged"]]


class Removed(msgspec.Struct, frozen=True):
    """What became of the posts of a hive that was removed."""

    free: int
    failed: int


class Scaled(msgspec.Struct, frozen=True):
    """How many places a fleet had, and has."""

    before: int
    want: int


class FleetChange(msgspec.Struct, frozen=True):
    """The effect of a blueprint on one fleet."""

    fleet: str
    change: Literal["new", "changed", "unchanged", "deleted"]
    before: int | None
    """How many places it had; None: one on every fitting hive, or it is new."""
    want: int | None
    """How many it has; None: one on every fitting hive."""
    replaces: bool
    """Its definition is another one: its places are replaced, one at a time."""


class Hive(msgspec.Struct, frozen=True):
    """A hive, as all of them see it."""

    name: str
    login: str
    labels: dict[str, str]
    slots: int
    cpu: float
    memory: int
    """Bytes."""
    free_slots: int
    """This and the next: what is not reserved, as of its last beat."""
    free_cpu: float
    free_memory: int
    load: float
    providers: list[str]
    accepts: dict[str, Any]
    version: str
    format: int
    key: str | None
    system: str
    draining: bool
    session: str | None
    """None: it has none that lives."""
    beat: int | None
    settle: int | None
    seen_ago: float | None
    """Seconds by the server's clock: to be shown, never to be decided by."""
    held: int
    secrets: list[str]
    home: str | None = None
    """Which home it is, whatever it is called; None: it has no session that lives."""


class Post(msgspec.Struct, frozen=True):
    """A post, without its definition and result."""

    id: str
    kind: Literal["quest", "run", "place"]
    name: str
    state: PostState
    version: int
    hive: str | None
    session: str | None
    fence: int
    labels: dict[str, str]
    cpu: float
    memory: int
    provider: str | None
    secrets: list[str]
    only_hive: str | None
    prefers: str | None
    format: int
    repository: str | None
    owned: list[str]
    budget: str | None
    lineage: str | None
    spec: str | None
    pack: bool
    on_lost: Literal["move", "wait"]
    lease: float
    delay: float
    priority: str
    deadline_at: float | None
    retries: int
    spent: int
    dependants: int
    able_at: float | None
    fixed: float
    unmet: int
    needs_min: int
    status: str | None
    phase: str | None
    attempt: int
    cost: float
    progress: dict[str, Any]
    ready: bool
    cancelling: str | None
    hive_lost: int
    exit_code: int | None
    reason: str | None
    fleet: str | None
    place: int | None
    generation: int
    posted_by: str
    posted_at: float
    claimed_at: float | None
    ended_at: float | None
    needs: list[str]
    questions: int
    score: float


class NamedPost(msgspec.Struct, frozen=True):
    """A post, as far as a word has to find it."""

    id: str
    name: str
    state: PostState


class ListedPost(msgspec.Struct, frozen=True):
    """A post, as far as lists show it."""

    id: str
    kind: Literal["quest", "run", "place"]
    name: str
    state: PostState
    hive: str | None
    status: str | None
    phase: str | None
    priority: str
    cost: float
    attempt: int
    fence: int
    labels: dict[str, str]
    spec: str | None
    exit_code: int | None
    reason: str | None
    posted_by: str
    posted_at: float
    claimed_at: float | None
    ended_at: float | None


class PostEnd(msgspec.Struct, frozen=True):
    """What a post was to do, and what came of it."""

    id: str
    definition: dict[str, Any]
    result: Any
    tail: bytes | None


class Question(msgspec.Struct, frozen=True):
    """A question of a post: `swarm/<number>`."""

    number: int
    post: str
    name: str
    hive: str | None
    key: str
    """`lost`: the swarm asks whether the hive's machine is off."""
    body: dict[str, Any]
    answer: dict[str, Any] | None
    answered_by: str | None


class Refusal(msgspec.Struct, frozen=True):
    """Why a hive gave a post back that waits now."""

    post: str
    hive: str
    reason: str


class Fleet(msgspec.Struct, frozen=True):
    """A fleet, or a sentinel."""

    name: str
    want: int | None
    """None: one on every fitting hive."""
    generation: int
    source: str
    posted_by: str
    definition: dict[str, Any]
    alive: int
    lost: int
    queued: int
    hives: list[str]


class Limit(msgspec.Struct, frozen=True):
    """`provider:NAME`: how many at once; `budget:NAME`: US dollars."""

    name: str
    most: float


class LastGeneration(msgspec.Struct, frozen=True):
    """The last generation of a lineage that has run to an end."""

    number: int
    hive: str
    """Where its conversation lies."""
    mission: str
    state: str


class GenerationResult(msgspec.Struct, frozen=True):
    """The last answer of a generation."""

    number: int
    text: str


class Generation(msgspec.Struct, frozen=True):
    """What a holder is to know before it begins a generation."""

    number: int
    last: LastGeneration | None
    result: GenerationResult | None
    """The newest that there is."""
    notes: str | None
    """What earlier ones have written down."""


class GenerationRow(msgspec.Struct, frozen=True):
    """One run of a lineage."""

    lineage: str
    number: int
    post: str
    hive: str
    """That had it last."""
    mission: str | None
    """There, once it has ended."""
    conversation: Literal["new", "continued"] | None
    why: str
    """A new one although there was one before: why."""
    state: Literal["done", "failed", "cancelled"] | None
    """None: it lives, or waits for another hive."""
    result: str | None
    notes: str | None
    began_at: float
    ended_at: float | None


class Secret(msgspec.Struct, frozen=True):
    """That there is a sealed copy for a hive."""

    name: str
    hive: str
    put_by: str


class Instance(msgspec.Struct, frozen=True):
    """A machine of a pool."""

    name: str
    """Its key, and the name of the hive that it is."""
    pool: str
    state: Literal["asked", "started", "running", "joined", "ended"]
    """`asked`: written down, and then started; `started`: its engine knows it; `running`: as that says."""
    engine_id: str | None
    ending: Literal["drain", "force"] | None
    """Somebody wants it to end: once what it has has ended, or at once."""
    reason: str | None
    """Why it has ended, where that is to be told."""
    asked_by: str
    is_hive: bool
    is_draining: bool
    held: int
    """Posts that it has."""


class Pool(msgspec.Struct, frozen=True):
    """A pool, as all hives see it."""

    name: str
    key: str | None
    """Public, of all its instances: secrets are sealed for it."""
    machine: dict[str, Any] | None
    """What the instance that joined last has: `cpu memory providers format`."""
    hive: str | None
    """The hive that decides how many instances there are."""
    progress: dict[str, Any]
    """As that hive has told: `engine min max slots labels wanted silence`."""
    offered_by: list[str]
    """The hives that can start its instances."""


class PoolLook(msgspec.Struct, frozen=True):
    """What whoever decides about a pool looks at."""

    word: Literal["ok", "fenced"]
    waiting: list[str] = []
    """Posts that wait for machines like its."""
    instances: list[Instance] = []
    """Those that have not ended, or are hives all the same."""


class Asked(msgspec.Struct, frozen=True):
    """The instances that were written down."""

    word: Literal["ok", "fenced"]
    names: list[str] = []


class Login(msgspec.Struct, frozen=True):
    """Somebody who may connect."""

    name: str
    role: str
    pool: bool
    invited_by: str


class Event(msgspec.Struct, frozen=True):
    """A fact of the swarm's log."""

    seq: int
    at: float
    type: str
    post: str | None
    hive: str | None
    by: str
    body: dict[str, Any]


class Status(msgspec.Struct, frozen=True):
    """The swarm in figures."""

    name: str
    mode: Mode
    settle: int
    longest: float
    hives: int
    queued: int
    claimed: int
    lost: int
    questions: int
