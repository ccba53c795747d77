"""Quests: pieces of work with a definition of done, tried until that holds or their tries are used up. Pure.

`next_step` is asked whenever something about a quest has changed, also by the next supervisor after a crash: what it
answers follows from what is saved alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.missions.mission import Mission, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECK = "check"
"""What the mission that checks is called, below the quest's name."""
REVIEW = "review"
"""The same of the one that reviews."""
PERSON = "person"
"""Who reviews, where that is no provider."""


class QuestStatus(StrEnum):
    """How a quest stands; the closed set that every face shows."""

    QUEUED = "queued"
    """It waits for its turn, or for what it needs."""
    RUNNING = "running"
    REVIEW = "review"
    """A person decides whether its work is good."""
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class QuestPhase(StrEnum):
    """What an attempt of a quest that runs is at."""

    WORK = "work"
    CHECK = "check"
    REVIEWING = "reviewing"
    """A reviewing agent looks at its work."""
    LANDING = "landing"
    """What is in its worktree is committed, verified and merged."""


class Priority(StrEnum):
    """How urgent a person finds it; the order of the queue begins with it."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


HAS_ENDED: Mapping[QuestStatus, str] = {
    QuestStatus.COMPLETED: "has already completed",
    QuestStatus.FAILED: "has already failed",
    QuestStatus.CANCELLED: "was already cancelled",
}
"""How a sentence says that a quest has ended."""
IS: Mapping[QuestStatus, str] = {
    QuestStatus.QUEUED: "is queued",
    QuestStatus.RUNNING: "is running",
    QuestStatus.REVIEW: "waits for its review",
    **HAS_ENDED,
}
"""How a sentence says how it stands."""


MOST_NOT_OWNED = 100


@dataclass(frozen=True, slots=True)
class LandedWork:
    """Where the work of a quest has landed. Texts in wire form."""

    branch: str
    before: str
    """Commit at which the branch stood before."""
    after: str
    not_owned: tuple[str, ...] = ()
    """Files among it that its quest does not own, relative to the top of the repository; `MOST_NOT_OWNED` at most."""
    by_hand_at: float | None = None
    """When a person has landed it by hand, in seconds since the epoch; None: its quest did."""


@dataclass(frozen=True, slots=True)
class FolderState:
    """The state of a folder that others work in too, as an attempt began; or of a worktree, as its work was shown."""

    tree: str | None = None
    """Git's tree of all that was in its checkout; None: nobody knows, see `problem`."""
    head: str | None = None
    """The commit that was checked out; None: there was none."""
    large: dict[str, str] = field(default_factory=dict)
    """Files that the tree lacks, as they were too large → a mark that changes with them. Wire form."""
    problem: str = ""
    """Why there is no tree, for people; without a full stop."""


@dataclass(frozen=True, slots=True)
class CheckedWork:
    """Files that the check of an attempt is about. Texts in wire form."""

    state: FolderState
    """Of its worktree as the newest check began, or passed."""
    command: str
    """Which checks."""
    checks: int = 1
    """How many there are, with the one that is to run."""
    changed: tuple[str, ...] = ()
    """Files that have changed while they ran, sorted."""


@dataclass(frozen=True, slots=True)
class ConflictingFile:
    """One file in which work met a conflict. Texts in wire form."""

    path: str


@dataclass(frozen=True, slots=True)
class MetConflict:
    """A conflict of a quest's work with what had landed before it. Texts in wire form."""

    landed: str
    """Commit at which the branch stood on which it was to land."""
    own: str
    """Commit of the work."""
    files: tuple[ConflictingFile, ...]


@dataclass(frozen=True, slots=True)
class DroppedChange:
    """A change of one file that had landed, and that the newest landing would undo. Texts in wire form."""

    path: str
    text: str
    """A sentence without its end: `README.md would lose 1 line of a`."""
    lines: tuple[str, ...] = ()
    """The first of them, each behind `-` if it would go, or `+` if it would come back."""


@dataclass(frozen=True, slots=True)
class UndoingLanding:
    """A landing that was refused, as it would undo what has landed. Texts in wire form."""

    before: str
    """Commit at which the branch stood."""
    after: str
    """Commit that it would have got."""
    attempt: int
    """The number of the attempt whose work it is."""
    paths: tuple[str, ...]
    """Files in which something would be undone."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a queued quest: run `run` of its mission, and what followed."""

    number: int
    """From 1, through all rounds."""
    run: int
    """0: its mission could not be started."""
    started_at: float
    ended_at: float | None = None
    failure: str | None = None
    """Its class; None while it goes on, and when it went well."""
    exit_code: int | None = None
    cost_usd: float | None = None
    """None: nobody knows."""
    folder: FolderState | None = None
    """The state of its folder as it began, with which a review compares; None: it was not recorded."""
    command: str | None = None
    """The command, as it ran, for whose exit code it has failed; None: for none, or it was not recorded."""
    shown: FolderState | None = None
    """The state of its worktree as its reviewer was shown it; None: nobody was, or it has no worktree."""
    by_person: bool = False
    """A person was that reviewer, be it after an agent."""
    checked: CheckedWork | None = None
    """What its check is about; None: it has none, or nobody compares."""
    is_estimated: bool = False
    """A part of `cost_usd` is at a person's prices."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a queued quest is beside its work; a person may change it while it has not begun."""

    title: str = ""
    brief: str = ""
    """The task, in Markdown."""
    needs: tuple[str, ...] = ()
    """Ids of quests that have to complete first."""
    needs_min: int = 0
    """So many of them are enough; 0: all."""
    priority: Priority = Priority.MEDIUM
    deadline_at: float | None = None
    owns: tuple[str, ...] = ()
    """Patterns of paths, relative to the top of the repository."""
    outputs: tuple[str, ...] = ()
    """Files that each attempt has to hand on."""
    review: str | None = None
    """`person`, or a provider; None: nobody reviews."""
    into: str | None = None
    """The branch on which its work lands; None: it doesn't."""
    verify: str | None = None
    """A shell command that has to succeed on the merged work."""
    allow_empty: bool = False
    """Whether it is done also where nothing was changed; else work that is to land, and changed nothing, has failed."""
    estimate: float | None = None
    """Seconds; None: what such quests took."""
    max_cost: float = 0.0
    """US dollars for all attempts, checks and reviews; 0: no limit."""
    group: str | None = None


@dataclass(frozen=True, slots=True)
class SwarmPost:
    """Of the swarm, that a quest does at this hive."""

    id: str
    remote: str | None = None
    """URL of the repository from which its work comes, and where it lands; None: it has none. Wire form."""
    commit: str | None = None
    """The commit at which it was posted."""
    spec: str | None = None
    """The slug of the spec of another home of which it is a part; None: of none."""
    phase: str | None = None
    task: str | None = None


@dataclass(frozen=True, slots=True)
class SwarmWork:
    """How a swarm does the attempts of a quest, whose own work here is to wait for that."""

    hive: str | None = None
    """The hive that does the newest one."""
    cost: float = 0.0
    """US dollars, of all of them."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """How a quest of the queue stands beside its status; the engine alone changes it."""

    round: int = 1
    """Of attempts: a retry by a person begins the next one."""
    spent: int = 0
    """Attempts of this round that failed and count."""
    free: int = 0
    """Attempts in a row that failed and don't count, whatever their classes."""
    redone: int = 0
    """Attempts of this round that left a conflict, and whose work was done once more on what had landed."""
    failure: str | None = None
    """The class of the newest attempt that failed."""
    phase: QuestPhase = QuestPhase.WORK
    """While it runs: what is being done, or is to be done next."""
    tries: tuple[Attempt, ...] = ()
    """Oldest first."""
    able_at: float | None = None
    """Since when only its turn has been in its way; None: something else is."""
    not_before: float = 0.0
    """When the next attempt may begin."""
    pause: float = 0.0
    """Seconds between the end of the newest attempt and `not_before`; 0: unknown."""
    feedback: str = ""
    """What the next attempt is told of the one before; Markdown."""
    review_id: str | None = None
    """The newest mission that reviewed its work."""
    undecided: str | None = None
    """The one that gave no verdict, so that a person had to decide."""
    landed: LandedWork | None = None
    repository: str | None = None
    """Git's common folder where it works; None: no repository. Wire form."""
    spec: str | None = None
    """Id of the spec that it belongs to."""
    source: str | None = None
    """Id of the mission whose report made it."""
    depth: int = 0
    """How many reports lie between it and what a person wanted."""
    request: str | None = None
    """The key of the request that made it."""
    waits_for: int | None = None
    """The number of a question that its own attempt has asked, and without whose answer it can't go on."""
    steer: str = ""
    """What its newest attempt was told as it was ended: the next one reads it. Markdown."""
    blocked: int = 0
    """The attempt that is to end, as it can't go on without what it has reported; 0: none."""
    post: SwarmPost | None = None
    """The swarm's post that it does; None: it is of this hive alone."""
    elsewhere: SwarmWork | None = None
    """Its attempts are posts of the swarm; None: they run here."""
    met: tuple[MetConflict, ...] = ()
    """The conflicts of its work, the oldest first."""
    dropped: tuple[DroppedChange, ...] = ()
    """Why its newest landing waits for a person; empty: nothing that had landed would be undone."""
    refused: UndoingLanding | None = None
    """The landing that `dropped` is about."""
    allowed: UndoingLanding | None = None
    """The newest of them that a person has allowed: what it would have undone may be undone, and no more than that."""
    denied: tuple[UndoingLanding, ...] = ()
    """Those that no person has allowed: whatever is done since, what one of them would have undone is asked about."""
    aside: tuple[str, ...] = ()
    """Branches with the work of its attempts after which the next one has begun at its target again. Wire form."""
    verified_in: str | None = None
    """The folder in which its merged work was verified that failed there; it goes with the merge. Wire form."""


@dataclass(frozen=True, slots=True)
class Quest:
    """A quest. Its id and name are its mission's, which it survives."""

    id: str
    name: str
    command: str
    """One line for people."""
    cwd: str
    provider: str
    created_at: float
    """Seconds since the epoch, as all times here."""
    check: str | None = None
    """A shell command: the work is done when this exits 0."""
    retries: int = 0
    """How often it is tried again after it, or its check, has failed."""
    ritual: str | None = None
    """Name of the ritual that began it."""
    status: QuestStatus = QuestStatus.RUNNING
    reason: str | None = None
    exit_code: int | None = None
    """The exit code of work, check or verify; None while it runs, or where it was cancelled before any had failed."""
    attempts: int = 1
    ended_at: float | None = None
    check_id: str | None = None
    """The newest mission that checked."""
    checked: int = 0
    """The attempt that this one is about."""
    limit: float | None = None
    """Seconds, of the limit of time or silence that ended its newest attempt, or what checked that; None: none did."""
    cancelling: bool = False
    """Somebody wants it to end; saved before anything is stopped."""
    goal: Goal | None = None
    """None for one that began at once and has no slot."""
    queue: QueueState | None = None
    """There when `goal` is."""

    @property
    def runs(self) -> bool:
        """Whether an attempt of it is under way."""
        return self.status is QuestStatus.RUNNING

    @property
    def is_queued(self) -> bool:
        """Whether it is of the queue: it has slots, attempts and a landing."""
        return self.goal is not None

    @property
    def spec(self) -> str | None:
        """Id of the spec that it belongs to; None: of none."""
        return None if self.queue is None else self.queue.spec

    @property
    def is_over(self) -> bool:
        """Whether it has ended; a person may give a failed or cancelled one another round."""
        return self.status in HAS_ENDED


class KeepWaiting(NamedTuple):
    """Something is under way."""


class StopWork(NamedTuple):
    """Stop the work, and its check."""


class StartCheck(NamedTuple):
    """The work of this attempt has ended well: see whether it is done."""

    attempt: int


class RetryWork(NamedTuple):
    """Start the work once more, with so many further retries."""

    left: int


class Finish(NamedTuple):
    """It is over."""

    status: QuestStatus
    reason: str | None
    exit_code: int | None
    """None: it was cancelled while nothing of it had failed."""


Step = KeepWaiting | StopWork | StartCheck | RetryWork | Finish


def next_step(quest: Quest, work: Mission | None, check: Mission | None, *, stopped: bool) -> Step:
    """What to do about a quest that runs, given the missions as they are; None: removed, or never there.

    `stopped`: somebody has stopped the newest run of either.
    """
    live = [one for one in (work, check) if one is not None and one.is_live]
    if live:
        return (
            StopWork() if quest.cancelling and any(one.status is not Status.STOPPING for one in live) else KeepWaiting()
        )
    if quest.cancelling or stopped or _killed(work) or _killed(check):
        return Finish(QuestStatus.CANCELLED, _why_cancelled(quest, work, check), _code(work) or _code(check) or None)
    if work is None:
        return Finish(QuestStatus.FAILED, "gone", 1)
    if _code(work):
        reason = "retries_spent" if work.reason == "restart_budget_spent" else work.reason
        return Finish(QuestStatus.FAILED, reason, _code(work))
    if quest.check is None:
        return Finish(QuestStatus.COMPLETED, None, 0)
    return _after_work(quest, work, check)


def _after_work(quest: Quest, work: Mission, check: Mission | None) -> Step:
    attempt = work.restart_count + 1
    if quest.check_id is None or quest.checked < attempt:
        return StartCheck(attempt)
    if check is not None and not _code(check):
        return Finish(QuestStatus.COMPLETED, None, 0)
    left = quest.retries - work.restart_count
    return RetryWork(left - 1) if left > 0 else Finish(QuestStatus.FAILED, "check_failed", _code(check) or 1)


def _code(mission: Mission | None) -> int:
    return 0 if mission is None else mission.shell_exit


def _killed(mission: Mission | None) -> bool:
    return mission is not None and mission.is_killed


def _why_cancelled(quest: Quest, work: Mission | None, check: Mission | None) -> str | None:
    """Why it was cancelled, when not by its own command."""
    if quest.cancelling:
        return None
    return "killed" if _killed(work) or _killed(check) else "stopped"
