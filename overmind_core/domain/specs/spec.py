"""A spec and its phases: their names, how they stand, and what is stored of them. No clock, no IO.

What follows from that is decided in `phases`. Rows are JSON with a default for each field: they outlive versions.
The daemon loads this at its start: it imports nothing slow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from overmind_core.domain.quests.quest import LandedWork, Priority
from overmind_core.domain.swarm.placement import Placement
from overmind_core.domain.text.problems import hinted

THRESHOLD = 0.7
"""Score from which a document passes, where the spec has no other."""


class PhaseName(StrEnum):
    """The phases of a spec in their order, each with one document; the last is computed."""

    EXPLORE = "explore"
    REQUIREMENTS = "requirements"
    DESIGN = "design"
    TASKS = "tasks"
    SYNC = "sync"


PHASES = tuple(PhaseName)
AGENT_PHASES = PHASES[:-1]
"""Those whose document an agent writes."""


class Gate(StrEnum):
    """What a person may want to look at before it goes on: the document of a phase, or all of the work."""

    EXPLORE = "explore"
    REQUIREMENTS = "requirements"
    DESIGN = "design"
    TASKS = "tasks"
    MERGE = "merge"


GATES = tuple(Gate)
DEFAULT_GATES = (Gate.TASKS, Gate.MERGE)
_ALL, _NONE = "all", "none"
_CANCELLED = "cancelled"
"""The failure of a phase whose quest somebody has cancelled."""


class GateError(ValueError):
    """There is no such gate. The text is a sentence for people."""


def parse_gates(text: str) -> tuple[Gate, ...]:
    """Return the gates that `--gates` names: some of them with commas, `all` or `none`.

    Raises:
        GateError: one of the words is no gate.
    """
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    if words == [_ALL]:
        return GATES
    if words == [_NONE]:
        return ()
    known = (*GATES, _ALL, _NONE)
    for word in words:
        if word not in GATES:
            raise GateError(hinted(f"Unknown gate {word!r}. Known: {', '.join(known)}", word, known))
    if not words:
        raise GateError(f"Missing gates. Known: {', '.join(known)}")
    return tuple(gate for gate in GATES if gate in words)


class PhaseState(StrEnum):
    """How a phase stands."""

    PENDING = "pending"
    RUNNING = "running"
    REVIEW = "review"
    """It has passed, and its gate is open."""
    PASSED = "passed"
    FAILED = "failed"
    """Its attempts are spent, or what somebody has edited doesn't pass."""
    STALE = "stale"
    """What it had read has changed."""


class SpecState(StrEnum):
    """How a spec stands."""

    DRAFT = "draft"
    """Somebody has to run it."""
    RUNNING = "running"
    """A document is being made."""
    REVIEW = "review"
    """A person is asked about a gate."""
    FAILED = "failed"
    """A document can't be made, or doesn't pass any more."""
    WORKING = "working"
    """Its tasks are quests, and one of them goes on."""
    STUCK = "stuck"
    """Nothing of it can go on without a person."""
    LANDING = "landing"
    DONE = "done"
    ARCHIVED = "archived"


_PHASE_BECAUSE: Mapping[str, str] = {
    PhaseState.PENDING: "it has to be done again",
    PhaseState.RUNNING: "the phase before it has passed",
    PhaseState.REVIEW: "it has passed, and its gate is open",
    PhaseState.PASSED: "its document passes",
    PhaseState.FAILED: "its document does not pass",
    PhaseState.STALE: "documents that it had read have changed",
}
_SPEC_BECAUSE: Mapping[str, str] = {
    SpecState.DRAFT: "nothing of it goes on",
    SpecState.RUNNING: "a document is being made",
    SpecState.REVIEW: "a gate is open",
    SpecState.FAILED: "a document does not pass",
    SpecState.WORKING: "its tasks are queued",
    SpecState.STUCK: "nothing of it can go on without a person",
    SpecState.LANDING: "all of its tasks are done",
    SpecState.DONE: "all of it is done",
    SpecState.ARCHIVED: "it was put away",
}


def failed_because(record: SpecPhase) -> str:
    """Return why a phase has failed: what became of its quest, else what is wrong with its document."""
    if record.failure is None or record.faults:
        return _PHASE_BECAUSE[PhaseState.FAILED]
    return "its quest was cancelled" if record.failure == _CANCELLED else f"its quest has failed: {record.failure}"


def because(phase: str | None, state: str) -> str:
    """Return why a spec, or a phase of it, stands so, where nobody has asked for that."""
    return (_SPEC_BECAUSE if phase is None else _PHASE_BECAUSE).get(state, state)


@dataclass(frozen=True, slots=True)
class Spec:
    """A spec: a folder of documents, and how they become work. Texts of paths and branches in wire form."""

    id: str
    slug: str
    title: str
    folder: str
    """Where its documents are, absolute."""
    created_at: float = 0.0
    """Seconds since the epoch."""
    repository: str | None = None
    """Top of the checkout; None: there is no git."""
    base: str | None = None
    """The branch at which its work begins, and on which it lands."""
    branch: str | None = None
    """Its own, on which its tasks land."""
    gates: tuple[Gate, ...] = DEFAULT_GATES
    threshold: float = THRESHOLD
    verify: str | None = None
    """A shell command that has to succeed on merged work."""
    max_cost_usd: float = 0.0
    """0: no limit."""
    priority: Priority = Priority.MEDIUM
    """Of its phases, and of tasks that have none."""
    retries: int = 2
    allow: tuple[str, ...] = ()
    """Permission rules beside those of the configuration, by which commands of its documents are judged."""
    deny: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    """Hashes of the commands of its documents that a person has allowed."""
    archived: bool = False
    target: PhaseName | None = None
    """The last phase that somebody wants: it is brought there by itself; None: it waits for `spec run`."""
    question: int | None = None
    """Number of the question whether its work lands, or of what is in the way of that."""
    tip: str | None = None
    """The commit of its branch that a person has let land, and no other does; None: nobody was asked."""
    landing: bool = False
    """Its branch is being merged."""
    declined: bool = False
    """A person has said that it is not to land: that waits for `spec run`."""
    landings: int = 0
    """How often its branch was merged, or that was tried, or more was wanted: what lands then is not all of it."""
    landed: LandedWork | None = None
    problem: str | None = None
    """Why it could not go on, where that is a fault of the daemon's; None: there is none."""
    recorded_state: SpecState | None = None
    """How it stands as the log has it."""
    request: str | None = None
    """The key of the request that made it."""
    placement: Placement | None = None
    """Where in the swarm its phases and tasks are done; None: here."""
    posts: Mapping[str, str] = field(default_factory=dict)
    """Ids of posts of the swarm that go on, or whose end is not recorded yet → the quest whose attempt each is."""


@dataclass(frozen=True, slots=True)
class TaskQuest:
    """The quest of a task."""

    quest: str
    """Its id."""
    sha256: str = ""
    """Of the task as the quest was made or last changed by it; "" for one that a sync has cancelled."""
    gone: bool = False
    """Its task is no longer in the document."""
    changed: str = ""
    """SHA-256 of the task as a sync has found it once its quest had begun, which stays as it is; "": it is the same."""


@dataclass(frozen=True, slots=True)
class SpecPhase:
    """What is stored of a phase."""

    phase: PhaseName
    quest: str | None = None
    """Id of the newest quest that made its document."""
    attempts: int = 0
    score: float | None = None
    """Of the document that was looked at last."""
    hints: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    """Why what somebody has edited doesn't pass: `requirements.md:12: …`."""
    adopted_faults: tuple[str, ...] = ()
    """The same of a document that was adopted, and is written again; until another one stands there."""
    failure: str | None = None
    """The class with which its attempts are spent."""
    refused: tuple[str, ...] = ()
    """Why what the newest attempt has handed in was not accepted."""
    sha256: str | None = None
    """Of the document that has passed; None: none has."""
    read_sha256: str | None = None
    """Of what had been read when that was made, see `read_hash`; None: it has to be made again."""
    file_sha256: str | None = None
    """Of the bytes of the file when it was looked at last."""
    given_read_sha256: str | None = None
    """Of what there was to read when the running attempt began, see `read_hash`."""
    written_sha256: str | None = None
    """Of the bytes that were written here last as its document: what differs from them is a person's."""
    contested: bool = False
    """Beside what somebody has edited lies an agent's newer document: a person decides."""
    beside: str = ""
    """Name of the file with the document that was written beside a person's; "" for none."""
    beside_sha256: str = ""
    """Of the bytes that were written there."""
    released_sha256: str | None = None
    """Of the document with which a person has let its gate go on."""
    shown_sha256: str | None = None
    """Digest of the document with which its gate was open last, while nobody has answered that; else None."""
    question: int | None = None
    """Number of its gate's question."""
    feedback: str = ""
    """What a person wants to be done otherwise."""
    files: Mapping[str, str] = field(default_factory=dict)
    """File that the document is about → SHA-256 of its content, hex; "" for one that is not there."""
    recorded_state: PhaseState | None = None
    """How it stands as the log has it."""
    commands: tuple[str, ...] = ()
    """Of tasks: hashes of the commands that no rule allows."""
    tasks: Mapping[str, TaskQuest] = field(default_factory=dict)
    """Of sync: id of a task → the quest that was made of it."""

    @property
    def own(self) -> frozenset[str]:
        """Hashes of the bytes that were written here: only files with these may be replaced or removed."""
        return frozenset(filter(None, (self.written_sha256, self.beside_sha256)))


OF_QUEST = "its quest "
"""The begin of a fault of a phase that its agent has not made: another attempt may."""


def changed_text(tasks: Sequence[str]) -> str:
    """Return what is said of tasks that have changed since their quests began: part of a sentence."""
    its, quests = ("its", "quest") if len(tasks) == 1 else ("their", "quests")
    return f"changed since {its} {quests} began: {', '.join(tasks)}"


def quest_name(slug: str, part: str) -> str:
    """Return the name of the quest of a task or a phase, or of what checks its work: `login/TSK-001`."""
    return f"{slug}/{part}"
