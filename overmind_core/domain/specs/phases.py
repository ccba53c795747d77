"""The states of specs and phases, computed from what is stored of them. Pure.

Derived, never stored: the state of a phase and of a spec, what is stale, which gate is open, what runs next. Everything
goes by hashes: of the document that stands, and of what had been read when it was made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.specs.check import DocumentVerdict, score_text
from overmind_core.domain.specs.document_json import value_hash
from overmind_core.domain.specs.shape import Fault, SpecTask
from overmind_core.domain.specs.spec import PHASES, Gate, PhaseName, PhaseState, Spec, SpecPhase, SpecState


def read_hash(phase: PhaseName, brief_sha256: str, documents: Mapping[PhaseName, str | None]) -> str:
    """Return the SHA-256 of what a phase reads: the brief, and all earlier documents.

    Args:
        phase: That reads.
        brief_sha256: Of the brief.
        documents: Hashes of the documents that have passed; later ones are not looked at.
    """
    earlier = PHASES[: PHASES.index(phase)]
    return value_hash([brief_sha256, *(documents.get(one) for one in earlier)])


def is_gate_open(record: SpecPhase, gates: Collection[Gate], *, asks: bool = False) -> bool:
    """Whether a person must approve a document that has passed before later phases begin.

    Args:
        record: The phase.
        gates: The spec's.
        asks: There is something in it that nobody has allowed.
    """
    if record.contested:
        return True
    return (
        (asks or record.phase.value in gates) and record.sha256 is not None and record.released_sha256 != record.sha256
    )


def phase_states(
    phases: Mapping[PhaseName, SpecPhase],
    *,
    brief_sha256: str,
    gates: Collection[Gate] = (),
    running: Collection[PhaseName] = (),
    asks: bool = False,
) -> dict[PhaseName, PhaseState]:
    """Return the state of each phase.

    Args:
        phases: What is stored; one that is missing has not begun.
        brief_sha256: Of the brief as it is now.
        gates: The spec's.
        running: Phases of which an attempt is under way.
        asks: The tasks bring commands that nobody has allowed.
    """
    hashes = {phase: record.sha256 for phase, record in phases.items()}
    return {
        phase: PhaseState.RUNNING
        if phase in running
        else _state(
            phases.get(phase, SpecPhase(phase)),
            read_hash(phase, brief_sha256, hashes),
            gates,
            asks=asks and phase is PhaseName.TASKS,
        )
        for phase in PHASES
    }


def _state(record: SpecPhase, read_sha256: str, gates: Collection[Gate], *, asks: bool) -> PhaseState:
    if record.failure is not None or record.faults:
        return PhaseState.FAILED
    if record.sha256 is None:
        return PhaseState.PENDING
    if record.read_sha256 != read_sha256:
        return PhaseState.STALE
    return PhaseState.REVIEW if is_gate_open(record, gates, asks=asks) else PhaseState.PASSED


class NextPhase(NamedTuple):
    """The phase that is next, or that the spec waits for."""

    phase: PhaseName | None
    """None: all wanted phases have passed."""
    state: PhaseState = PhaseState.PASSED
    """The state of that phase: it can begin if pending or stale, else it is waited for."""

    @property
    def begins(self) -> bool:
        """Whether it is to be begun now."""
        return self.phase is not None and self.state in {PhaseState.PENDING, PhaseState.STALE}


def next_phase(states: Mapping[PhaseName, PhaseState], *, last: PhaseName = PhaseName.SYNC) -> NextPhase:
    """Return the first phase that has not passed; later ones begin only after it has.

    Args:
        states: How the phases stand.
        last: Behind it nothing is wanted.
    """
    wanted = PHASES[: PHASES.index(last) + 1]
    return next((NextPhase(phase, states[phase]) for phase in wanted if states[phase] is not PhaseState.PASSED), _DONE)


_DONE = NextPhase(None)


def asked_gate(
    spec: Spec, phases: Mapping[PhaseName, SpecPhase], states: Mapping[PhaseName, PhaseState]
) -> SpecPhase | None:
    """Return the phase about whose open gate a person is asked; None: no gate is open, or nobody has run the spec yet.

    Args:
        spec: As it is stored.
        phases: What is stored of its phases.
        states: How those stand.
    """
    coming = next_phase(states)
    if coming.phase is None or coming.state is not PhaseState.REVIEW:
        return None
    record = phases[coming.phase]
    is_asked = spec.target is not None or record.contested or record.released_sha256 is not None
    return record if is_asked else None


def edit_ends_wait(
    before: Mapping[PhaseName, SpecPhase], after: Mapping[PhaseName, SpecPhase], *, last: PhaseName
) -> bool:
    """Whether a spec waited for a person, and an edit has put something else next, which nobody has begun yet.

    Args:
        before: What was stored of its phases before its folder was read.
        after: The same afterwards.
        last: The last phase that is wanted.
    """
    coming, now = (
        next_phase({one: _recorded_state(records, one) for one in PHASES}, last=last) for records in (before, after)
    )
    if coming.state not in _WAITING or not (now.begins or now.phase is None):
        return False
    pairs = [(before[phase], record) for phase, record in after.items() if phase in before]
    is_taken = any(old.contested and not new.contested for old, new in pairs)  # it goes on by itself after that
    return not is_taken and any(_is_edited(old, new) for old, new in pairs)


_WAITING = frozenset({PhaseState.FAILED, PhaseState.REVIEW})


def _recorded_state(phases: Mapping[PhaseName, SpecPhase], phase: PhaseName) -> PhaseState:
    record = phases.get(phase)
    return PhaseState.PENDING if record is None or record.recorded_state is None else record.recorded_state


def _is_edited(before: SpecPhase, after: SpecPhase) -> bool:
    """Whether a person has changed its document, or one that it is made from."""
    becomes_stale = before.recorded_state is not PhaseState.STALE and after.recorded_state is PhaseState.STALE
    is_mended = bool(before.faults) and not after.faults
    return before.file_sha256 != after.file_sha256 or is_mended or (becomes_stale and after.read_sha256 is not None)


# what happens to the record of a phase


def accepted(
    record: SpecPhase,
    verdict: DocumentVerdict,
    *,
    sha256: str,
    read_sha256: str,
    files: Mapping[str, str] | None = None,
) -> SpecPhase:
    """Return the record after the document of an attempt has passed and was written."""
    return replace(
        record,
        score=verdict.score,
        hints=verdict.hints,
        faults=(),
        adopted_faults=(),
        failure=None,
        sha256=sha256,
        read_sha256=read_sha256,
        given_read_sha256=None,
        contested=False,
        feedback="",
        files=record.files if files is None else files,
    )


def edited(record: SpecPhase, verdict: DocumentVerdict, *, sha256: str, file: str, threshold: float) -> SpecPhase:
    """Return the record after a file that somebody has changed was checked.

    What it had read stays: who edits a document has not asked for another one.

    Args:
        record: Before.
        verdict: Of the file.
        sha256: Of the document as it is now.
        file: Its name, for people.
        threshold: Score from which it passes.
    """
    record = replace(record, adopted_faults=())
    if not verdict.passes(threshold):
        return replace(
            record, score=verdict.score, hints=verdict.hints, faults=tuple(fault_lines(verdict, file, threshold))
        )
    return replace(record, score=verdict.score, hints=verdict.hints, faults=(), failure=None, sha256=sha256)


def fault_lines(verdict: DocumentVerdict, file: str, threshold: float) -> list[str]:
    """Return why a document doesn't pass, a line each: `tasks.md:12: …`; empty when it does."""
    lines = [fault_line(veto, file) for veto in verdict.vetoes]
    if not lines and not verdict.passes(threshold):
        lines.append(f"{file}: score {score_text(verdict.score)}, below {score_text(threshold)}")
    return lines


def feedback(verdict: DocumentVerdict, file: str, threshold: float) -> str:
    """Return the feedback on a document that did not pass: its score, all faults, all hints."""
    score = f"{file}: score {score_text(verdict.score)}, {score_text(threshold)} needed"
    faults = (fault_line(veto, file) for veto in verdict.vetoes)
    return "\n".join((score, *faults, *(f"hint: {hint}" for hint in verdict.hints)))


def fault_line(fault: Fault, file: str) -> str:
    """Return a fault as compilers do: file, line, what is wrong."""
    return f"{file}:{fault.line}: {fault.text}" if fault.line else f"{file}: {fault.text}"


def again(record: SpecPhase) -> SpecPhase:
    """Return the record of a phase that is done again: attempts count from 0, ids stay."""
    return replace(record, failure=None, attempts=0, read_sha256=None)


def taken_as_is(
    phases: Mapping[PhaseName, SpecPhase], *, brief_sha256: str, asks: bool = False
) -> dict[PhaseName, SpecPhase]:
    """Return the records that change when a person takes the brief and all documents as they are now: nothing is stale.

    The gate of a document that a person has edited since it was released stays closed; one that an agent has made, and
    tasks with commands that nobody has allowed, are still asked about. Where an agent has failed to make a document
    again, the one that stands is kept.

    Args:
        phases: What is stored.
        brief_sha256: Of the brief as it is now.
        asks: The tasks bring commands that nobody has allowed.
    """
    hashes = {phase: record.sha256 for phase, record in phases.items()}
    changed = {}
    for phase, record in phases.items():
        now = read_hash(phase, brief_sha256, hashes)
        after = record
        if record.failure is not None and record.sha256 is not None:
            after = replace(record, failure=None, quest=None, read_sha256=now)
        elif record.read_sha256 is not None:
            after = replace(record, read_sha256=now)
        if after.given_read_sha256 is not None:  # an attempt is under way, which had read the text before
            after = replace(after, given_read_sha256=now)
        is_edit = record.quest is None and record.released_sha256 is not None and not record.contested
        if is_edit and not (asks and phase is PhaseName.TASKS):
            after = replace(after, released_sha256=record.sha256)
        if after != record:
            changed[phase] = after
    return changed


def drifted(known: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the files that have changed, sorted.

    Args:
        known: File → SHA-256 when a document or task was done with it.
        now: File → SHA-256 today; "" for one that is not there.
    """
    return sorted(path for path, sha256 in known.items() if now.get(path, "") != sha256)


class TaskFiles(NamedTuple):
    """The files that the tasks of a spec create or change, by what is known of them."""

    kept: list[str]
    """Known ones: what becomes of them is drift."""
    new: list[str]
    """Those that are as their tasks have left them, and not known."""
    changing: frozenset[str]
    """Those that a task changes which is not completed, whatever was known of them: that is no drift."""


def task_files(tasks: Iterable[SpecTask], completed: Collection[str], known: Collection[str]) -> TaskFiles:
    """Return the files of tasks that work in one folder, one after the other, and land nothing.

    Args:
        tasks: All of a spec.
        completed: Ids of those that are.
        known: Files of which a hash is known.
    """
    paths: dict[str, bool] = {}
    for task in tasks:
        for path in (*task.creates, *task.modifies):
            paths[path] = paths.get(path, True) and task.id in completed
    changing = frozenset(path for path, is_done in paths.items() if not is_done)
    return TaskFiles(
        [path for path in known if path not in changing],
        [path for path in paths if path not in changing and path not in known],
        changing,
    )


# specs


class TaskCounts(NamedTuple):
    """How the quests of a spec's tasks stand; those whose tasks are gone from the document don't count."""

    completed: int = 0
    going: int = 0
    """They run, or will by themselves."""
    stuck: int = 0
    """All others: failed, cancelled, blocked, held, or a person decides."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.completed + self.going + self.stuck


def spec_state(
    spec: Spec,
    states: Mapping[PhaseName, PhaseState],
    tasks: TaskCounts,
    *,
    queued: bool = False,
    asked: bool = False,
) -> SpecState:
    """Return the state of a spec.

    Args:
        spec: As it is stored.
        states: Of its phases.
        tasks: Of its quests.
        queued: The quest of a phase waits for its turn.
        asked: A person is asked about a gate, see `asked_gate`.
    """
    among = frozenset(states.values())
    for holds, state in (
        (spec.archived, SpecState.ARCHIVED),
        (spec.problem is not None, SpecState.STUCK),
        (queued or PhaseState.RUNNING in among or _begins_next(spec, states), SpecState.RUNNING),
        (_is_over(spec, states, tasks), SpecState.DONE),
        (PhaseState.FAILED in among, SpecState.FAILED),
        (asked, SpecState.REVIEW),
        (spec.landing, SpecState.LANDING),
        (tasks.going, SpecState.WORKING),
        (tasks.stuck, SpecState.STUCK),
        (not tasks.total or not _has_passed(states), SpecState.STUCK if tasks.total else SpecState.DRAFT),
        (spec.landed is not None or spec.branch is None, SpecState.DONE),
        (spec.declined, SpecState.STUCK),
        (spec.question is not None, SpecState.REVIEW),
    ):
        if holds:
            return state
    return SpecState.LANDING


def _begins_next(spec: Spec, states: Mapping[PhaseName, PhaseState]) -> bool:
    """Whether a phase is about to begin by itself, or the last that is wanted has passed, which is seen to next."""
    if spec.target is None:
        return False
    coming = next_phase(states, last=spec.target)
    return coming.begins or coming.phase is None


def _has_passed(states: Mapping[PhaseName, PhaseState]) -> bool:
    return all(states.get(phase) is PhaseState.PASSED for phase in PHASES)


def _is_over(spec: Spec, states: Mapping[PhaseName, PhaseState], tasks: TaskCounts) -> bool:
    """Whether all of its work was done and has landed, and nobody wants more: an edit since then stops nothing."""
    if spec.target is not None or spec.landing or tasks.going or tasks.stuck or not tasks.total:
        return False
    if spec.repository is not None:
        return spec.landed is not None
    return states.get(PhaseName.SYNC) is not PhaseState.PENDING


def first_changed(state: SpecState, states: Mapping[PhaseName, PhaseState]) -> PhaseName | None:
    """Return the first phase that an edit has put out of date since the spec was done; None: nothing has changed."""
    if state is not SpecState.DONE:
        return None
    return next((phase for phase in PHASES if states.get(phase) is not PhaseState.PASSED), None)


def task_counts(quests: Iterable[tuple[QuestStatus, bool]]) -> TaskCounts:
    """Return how quests stand.

    Args:
        quests: Of each its status, and whether it can't start, or land, without a person.
    """
    completed = going = stuck = 0
    for status, is_stuck in quests:
        if status is QuestStatus.COMPLETED:
            completed += 1
        elif status in {QuestStatus.RUNNING, QuestStatus.QUEUED} and not is_stuck:
            going += 1
        else:
            stuck += 1
    return TaskCounts(completed, going, stuck)
