"""The types of answers about specs. Only annotations name them."""

from __future__ import annotations

from typing import Literal, TypedDict

PhaseWord = Literal["explore", "requirements", "design", "tasks", "sync"]
PhaseStateWord = Literal["pending", "running", "review", "passed", "failed", "stale"]
SpecStateWord = Literal["draft", "running", "review", "failed", "working", "stuck", "landing", "done", "archived"]
GateWord = Literal["explore", "requirements", "design", "tasks", "merge"]
ActionWord = Literal["create", "update", "skip", "conflict", "cancel"]


class SpecBrief(TypedDict):
    """A spec."""

    id: str
    slug: str


class SpecCreated(SpecBrief):
    """A new spec."""

    folder: str
    hidden_by: str | None
    """The line of an ignore file that hides the folder from git; null when none does."""


class SpecPhaseInfo(TypedDict):
    """A phase of a spec."""

    phase: PhaseWord
    state: PhaseStateWord
    score: float | None
    """Of its document; null when none was looked at."""
    attempts: int
    sha256: str | None
    """Of the document that has passed; null when none has."""
    faults: list[str]
    """Why its document does not pass, or why it could not begin."""
    hints: list[str]
    question: int | None
    """The number of its gate's question."""
    quest: str | None
    """The id of the newest quest that made its document."""


class RequirementCoverage(TypedDict):
    """The tasks that cover a requirement."""

    requirement: str
    tasks: list[str]


class CriticalPathInfo(TypedDict):
    """The chain of tasks that takes longest."""

    tasks: list[str]
    hours: float | None


class SpecRow(SpecBrief):
    """A spec in a list."""

    title: str
    folder: str
    state: SpecStateWord
    changed_since: PhaseWord | None
    """The first phase that an edit has put out of date since the spec was done; null: none, or it is not done."""
    conflicts: list[str]
    """Ids of tasks that have changed since their quests began, which stay as they are."""
    branch: str | None
    """On which its tasks land; null before the first sync, and without git."""
    base: str | None
    gates: list[GateWord]
    threshold: float
    cost_usd: float | None
    """Of all attempts of its quests; null: nobody knows of any."""
    cost_source: Literal["reported", "estimated"] | None
    """Where the cost is from: the programs, or in part the prices in config.toml; null if there is no cost."""
    cost_unknown: int
    """Attempts of agents whose cost nobody knows."""
    max_cost_usd: float | None
    problem: str | None
    """Why it could not go on, where that is a fault of the daemon's; null: there is none."""
    phases: list[SpecPhaseInfo]
    tasks: dict[str, int]
    """Status → how many of its tasks."""
    reported: dict[str, int]
    """Status → how many quests that were reported beside them."""
    question: int | None
    """The number of the question whether it lands."""
    held: SpecHeld | None
    """What it waits for while none of its quests runs; null: it goes on, or has ended."""
    created_at: str


class SpecHeld(TypedDict):
    """A quest of a spec that waits for money, or for a person."""

    name: str
    text: str
    """Why it waits."""
    do: list[str]
    """Commands with which a person lets it go on."""


class SpecLanded(TypedDict):
    """Where a spec has landed."""

    branch: str
    before: str
    after: str


class WaitingTask(TypedDict):
    """The quest of a task that waits for a person."""

    id: str
    name: str
    status: Literal["failed", "cancelled", "review", "running"]
    """`running`: its work is done, and the branch on which it lands refuses it."""
    why: str | None
    """The class of its last attempt, or why its work can't land."""


class SpecDetails(SpecRow):
    """Everything known of one spec."""

    drift: list[str]
    """Files that have changed since a document, or a task, was done with them."""
    drift_of: int
    """The number of files that are compared."""
    coverage: list[RequirementCoverage]
    critical_path: CriticalPathInfo
    hours: float | None
    landed: SpecLanded | None
    on: dict[str, str] | None
    """Labels of the hives of the swarm that do its phases and tasks; null: they are done here."""
    verify: str | None
    waits: list[WaitingTask]


class SyncStepInfo(TypedDict):
    """What a sync does about a task."""

    action: ActionWord
    task: str
    quest: str | None
    """The id of the quest that was there."""


class SpecSynced(SpecBrief):
    """A sync, or a preview of one."""

    dry_run: bool
    created: int
    updated: int
    skipped: int
    conflicts: int
    cancelled: int
    steps: list[SyncStepInfo]


class SpecAttemptBrief(TypedDict):
    """The attempt that the swarm does."""

    quest: str
    name: str


class SpecAttemptItem(TypedDict, total=False):
    """How it goes; of its end also what came of it."""

    what: Literal["standing", "silent", "end"]
    post: str | None
    state: str
    hive: str | None
    status: str
    """How it stands at its hive."""
    why: str | None
    """Why the swarm does not answer, or why it has ended so."""
    exit_code: int | None
    tail: str
    """The end of what its work has printed, in base64."""
    files: dict[str, str]
    """Files for its spec: name → base64."""


class SpecAdvanced(SpecBrief):
    """How far a spec was brought."""

    state: SpecStateWord
    phase: PhaseWord | None
    """The phase that was queued, or that is waited for."""
    queued: bool
    """It was queued now."""
    question: int | None
    """The number of the question that it waits for."""
    waits: list[str]
    """Names of the quests of its tasks for whose retry a stuck one waits."""
    synced: int
    """Quests that were queued for tasks."""
    held: SpecHeld | None
    """What it waits for while none of its quests runs; null: it goes on, or has ended."""
    conflicts: list[str]
    """Ids of tasks that have changed since their quests began, which stay as they are."""
    ended: list[str]
    """Keys of what had ended before, for `spec_wait`."""


class SpecProgressItem(TypedDict):
    """A phase or task of a spec that has ended, or what it waits for."""

    key: str
    """Tells it apart from all others of this spec."""
    what: Literal["phase", "task", "question", "held", "state"]
    name: str
    """The phase, the id of the task, the name of a quest that is held, or the state of the spec."""
    state: str
    """Of what is held the code of the reason, as `quest_why` has it."""
    score: float | None
    attempt: int | None
    seconds: float | None
    question: int | None
    text: str | None
    """Why it is held; of the state of the spec, which tasks have changed since their quests began."""
    do: list[str]
    """Commands with which a person lets it go on."""


class SpecAccepted(SpecBrief):
    """A spec that was taken as it is now."""

    files: list[str]
    """Those that had changed."""
    phases: list[PhaseWord]
    """Those that had to be done or approved again, as the brief or a document was edited."""
    tasks: list[str]
    """Ids of those that had changed since their quests began."""


class SpecForgotten(SpecBrief):
    """A spec that is not known any more."""

    quests: int
    """That were forgotten with it."""


class SpecArchived(SpecBrief):
    """An archived spec, or one that was taken back."""

    archived: bool
    quests: int
    """Its queued quests."""
