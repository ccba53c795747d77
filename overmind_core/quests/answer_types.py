"""The types of answers about quests. Only annotations name them."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from overmind_core.domain.missions.mission import Status
from overmind_core.domain.missions.outcome import Outcome
from overmind_core.domain.quests.quest import QuestStatus


class QuestBrief(TypedDict):
    """A quest by its id and name, which are its mission's."""

    id: str
    name: str


class QuestsFollowed(TypedDict):
    """The quests that are waited for."""

    missions: list[QuestBrief]


FailureClass = TypedDict("FailureClass", {"class": str | None})
"""The class of its newest failed attempt; null when none has failed.

Not a class, because its field is a keyword.
"""

PriorityWord = Literal["critical", "high", "medium", "low"]
WaitCode = Literal["blocked", "needs", "held", "until", "budget", "owns", "slots"]
"""Why a quest of the queue does not start yet; the first that holds, in this order."""


class QuestEnd(QuestBrief, FailureClass):
    """How a quest stands at its end."""

    status: QuestStatus
    reason: str | None
    """A code: why it failed, or was cancelled."""
    exit_code: int | None
    """The exit code of its work, check or verify; null while it runs, or where it was cancelled before any had failed:
    waiting for it exits with 1 then."""
    outcome: Outcome | None
    """How it ended, in the words of all that ends; null while it has not."""
    limit_seconds: float | None
    """Of the limit of time or silence that ended it, or what checked it; null: none did."""
    attempts: int
    """How many have begun."""
    achieved: str | None
    """What its completion is worth: `landed on main`, `nothing to land`, `checked`, `allowed by a person`; null where
    it says no more."""
    aside: list[str]
    """The branches with work of earlier attempts, after which it has begun again at its target."""
    note: NotRequired[str]
    """Only where it was cancelled just now and something of it had to be killed after its grace."""


class QuestInfo(QuestEnd):
    """Everything known of one quest."""

    phase: Literal["work", "check", "reviewing", "landing"] | None
    """Its current activity; null while it does not run."""
    retries: int
    """How often it is tried again."""
    check: str | None
    """The shell command that tells whether it is done."""
    check_id: str | None
    """The newest mission that ran it."""
    command: str
    """One line for people."""
    cwd: str
    provider: str
    ritual: str | None
    """Name of the ritual that began it."""
    mission: str | None
    """Id of its mission, while that is there."""
    mission_status: Status | None
    started_at: str
    """When it was added: of one of the queue before its turn."""
    began_at: str | None
    """When its first attempt began; null: none has."""
    ended_at: str | None
    duration_seconds: float
    """From `started_at` until its end, or now."""
    lasted_seconds: float | None
    """From `began_at` until its end, or now; null: no attempt has begun."""


class Landed(TypedDict):
    """Where the work of a quest has landed."""

    branch: str
    before: str
    """The commit that the branch named before."""
    after: str
    conflicts: list[str]
    """Files in which the work had met a conflict in an earlier attempt."""
    not_owned: list[str]
    """Files among it that the quest does not own, relative to the top of the repository; 100 at most."""
    by_hand: bool
    """A person has landed it."""


class QuestRow(QuestInfo):
    """A quest in a list. What only quests of the queue have is null, or empty, for one that began at once."""

    title: str | None
    """As it was written, in any script; `name` is what commands take."""
    priority: PriorityWord | None
    deadline_at: str | None
    score: float | None
    """From 0 to 1.25: what decides whose turn it is among equally urgent ones; null unless it is queued."""
    position: int | None
    """Its place in the queue, from 1; null unless it is queued."""
    code: WaitCode | None
    """Why it does not start yet; null unless it is queued and something is in its way."""
    why: str | None
    """The same as a sentence; of a landing that waits, what is in its way."""
    needs: list[QuestBrief]
    """The quests that have to complete first."""
    needs_min: int
    """So many of them are enough; 0: all."""
    owns: list[str]
    """Patterns of the files that only it may change while it runs."""
    into: str | None
    """The branch on which its work lands."""
    spec: str | None
    """Name of the spec that it belongs to."""
    group: str | None
    """The label by which the board groups it."""
    round: int | None
    """Of attempts, from 1: a retry by a person begins the next one."""
    tries: int | None
    """Attempts of this round, the current one among them, without those that did not count."""
    estimate_seconds: float | None
    cost_usd: float | None
    """Of all attempts, checks and reviews; null: unknown."""
    cost_source: Literal["reported", "estimated"] | None
    """Where the cost is from: the program, or in part the prices in config.toml; null if there is no cost."""
    cost_partial: bool
    """The cost of some attempts is unknown: `cost_usd` is that of the rest."""
    landed: Landed | None
    """Null: nothing of it has landed."""
    can_retry: bool
    """Whether `quest retry` may give it another round of attempts."""
    overdue: bool
    """Whether it has not ended, and its deadline has passed."""


class QuestAttempt(FailureClass):
    """One attempt of a quest of the queue."""

    attempt: int
    """From 1, through all rounds."""
    run: int
    """The number of the mission's run; 0: it could not be started."""
    exit_code: int | None
    """Of what failed or was stopped, else that of its work; null while it goes on, and where it has none."""
    started_at: str
    ended_at: str | None
    cost_usd: float | None
    """Null: unknown."""
    cost_source: Literal["reported", "estimated"] | None


class QuestDetails(QuestRow):
    """Everything known of one quest."""

    attempt_list: list[QuestAttempt]
    """Oldest first; empty for one that began at once."""
    brief: str | None
    """The task, in Markdown."""
    outputs: list[str]
    """Files that each attempt has to leave in $OVERMIND_OUTPUT_DIR."""
    review: str | None
    """`person`, or the provider that reviews its work."""
    verify: str | None
    """A shell command that has to succeed on the merged work."""
    worktree: str | None
    """The folder of its worktree; null when it has none, or none any more."""
    allow_empty: bool
    """Whether it is done also where nothing was changed."""
    max_cost_usd: float | None
    """For all attempts, checks and reviews; null: no limit."""
    feedback: str | None
    """What the next attempt is told of those before: the end of what failed, and the words of a person."""


class QuestsAdded(TypedDict):
    """The quests that were put into the queue."""

    quests: list[QuestBrief]
    """In the order of the request."""


class QuestRetried(QuestBrief):
    """A failed or cancelled quest that is queued again."""

    round: int
    """The number of its new round of attempts."""


class WaitedFor(QuestBrief):
    """A quest that another one waits for, or is blocked by."""

    status: QuestStatus
    reason: str | None
    """Why it failed, or was cancelled."""


class QuestScore(TypedDict):
    """The parts of a score: the sum of the first five, times `factor`, but no less than `floor`."""

    total: float
    priority: float
    age: float
    deadline: float
    blocking: float
    retries: float
    factor: float
    """1.25 from 15 minutes before its deadline on, else 1."""
    floor: float | None
    """The least that it scores once it has waited for two hours; null before that."""


class StillWaiting(TypedDict):
    """A quest that needs one, and others that are not done either."""

    name: str
    needs: list[str]
    """The names of these others."""


class OpenQuestion(TypedDict):
    """A question that waits for a person."""

    question: int
    need: str
    name: str
    """The name of what it is about."""
    text: str
    """The question in a line, with the command that answers it."""


class QuestWhy(QuestBrief):
    """Why a quest does not start, or how it stands, and what depends on it."""

    status: QuestStatus
    code: WaitCode | None
    """Null unless it is queued and something is in its way."""
    text: str
    """The same as a sentence; for one that is not queued, how it stands."""
    by: list[WaitedFor]
    """The quests that it waits for, or is blocked by."""
    next_at: str | None
    """When that ends by itself, where it is known."""
    do: list[str]
    """Commands that let it go on; where it goes on by itself, one that tells more."""
    score: QuestScore | None
    """Null unless it is queued."""
    position: int | None
    """Its place in the queue, from 1; null unless it is queued."""
    queued: int
    """The number of quests in the queue."""
    starts: list[str]
    """The names of those that can start once it has completed."""
    waiting_then: list[StillWaiting]
    """The others that need it."""
    same_name: list[str]
    """Ids of other quests that have ended under its name, newest first; empty while it has not ended."""
    folder: str | None
    """Where the check ran that it has failed for; null unless one has failed, and where nobody knows."""
    folder_gone: bool
    """Whether that folder was removed since."""
    work_folder: str | None
    """The worktree with its work, where the check of the merged work has failed, or it was cancelled; null where
    there is none.
    """
    output: list[str]
    """The last lines that the check printed, at most three."""
    needs_by_hand: list[str]
    """Names of those that it needs and whose work a person has landed by hand."""
    empty_needs: list[str]
    """The names of those that it needs and that have completed with nothing to land."""
    pending_settings: str
    """A sentence, where the value of config.toml for which it waits was changed since the daemon began; else empty."""
    questions: list[OpenQuestion]
    """What is asked about it, its checks, what its mission has started, or the document it has made, oldest first."""


class QueuePool(TypedDict):
    """What a number of quests can have at once: `queue`, `provider:claude`, `spec:login`."""

    name: str
    slots: int
    used: int


class QueueStatus(TypedDict):
    """The queue: its slots, whose turn it is, and who lands."""

    paused: bool
    slots: int
    pools: list[QueuePool]
    """`queue` first."""
    count: int
    """The number of queued quests, those beyond the limit of the request among them."""
    quests: list[QuestRow]
    """Queued ones, in the order of their turn."""
    landing: list[QuestRow]
    """In the order in which they land."""
    pending_settings: str
    """A sentence, where a value of config.toml for which any of them waits was changed since the daemon began."""


class QueueChanged(TypedDict):
    """The queue after a change."""

    paused: bool
    slots: int
    running: int
    """The number of slots that are in use."""


class BoardColumn(TypedDict):
    """One column of the board."""

    name: Literal["queued", "running", "blocked", "review", "done"]
    count: int
    """The number of its quests, those beyond the limit of the request among them."""
    quests: list[QuestRow]


class BoardGate(TypedDict):
    """A question about a spec that keeps it from going on: a card in review.

    The gate of a phase has the card of the quest that made the document; without one it has a card of its own.
    """

    spec: str
    name: str
    """The slug of the spec."""
    title: str
    need: Literal["phase", "merge", "stuck"]
    phase: str | None
    """The phase whose document is asked about; null: all of the spec is."""
    quest: str | None
    """The id of the quest that made this document, which is in review as long as this is open; null: none did."""
    priority: Literal["critical", "high", "medium", "low"]
    question: int
    """Its number."""
    summary: str
    asked_at: str


class QuestBoard(TypedDict):
    """Every quest in exactly one column."""

    columns: list[BoardColumn]
    """From queued to done."""
    gates: list[BoardGate]
    """The specs that wait for a person, the oldest question first. No column counts those that have no quest."""
