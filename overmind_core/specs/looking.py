"""How a spec stands: its folder is looked at, and what somebody has edited there is settled, without an agent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.replacing import replace
from overmind_core.domain.specs.phases import edited, phase_states, read_hash
from overmind_core.domain.specs.spec import PHASES, PhaseName, PhaseState, Spec, SpecPhase
from overmind_core.spec_files.documents import document_name
from overmind_core.specs import documents

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.kernel.config import Settings
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.specs.documents import CommandRules, FolderProblem, LookedDocument
    from overmind_core.specs.registry import SpecRegistry

_FAILED = frozenset({QuestStatus.FAILED, QuestStatus.CANCELLED})


class Turns:
    """One at a time for each spec: its folder and its records are changed in steps."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}

    def of(self, spec_id: str) -> asyncio.Lock:
        """The lock of a spec."""
        return self._locks.setdefault(spec_id, asyncio.Lock())


class SpecStanding(NamedTuple):
    """How the phases of a spec stand."""

    states: Mapping[PhaseName, PhaseState]
    brief_sha256: str
    queued: bool = False
    """The quest of a phase waits for its turn."""
    problem: FolderProblem | None = None
    """Its folder can't be read: the phases are as they were, but for the first one, which has failed."""


class SpecLooks:
    """Used from the loop's thread only, for one spec by one at a time."""

    def __init__(self, *, registry: SpecRegistry, quests: QuestRegistry, settings: Settings, home: str) -> None:
        """`home`: the person's home folder, for rules that begin with `~/`."""
        self._registry = registry
        self._quests = quests
        self._settings = settings
        self._home = home

    async def settle(self, spec: Spec) -> SpecStanding:
        """Look at its folder, and save what has changed there."""
        known = {  # what did not pass is looked at again: a file that it names may be there now
            phase: None if record.faults else record.file_sha256
            for phase, record in self._registry.phases(spec.id).items()
        }
        looked = await asyncio.to_thread(documents.look, spec, known, self.rules(spec))
        if looked.problem is not None:
            return self._unread(spec, looked.problem)
        for phase in PHASES:
            before = self._registry.phase(spec.id, phase)
            after = self._with_quest(self._with_edit(spec, before, looked.documents.get(phase), looked.brief_sha256))
            if after != before:
                self._registry.put_phase(spec.id, after)
        found = self.standing(spec, looked.brief_sha256)
        for phase, state in found.states.items():
            self._registry.record_phase_state(spec, phase, state)
        return found

    def _unread(self, spec: Spec, problem: FolderProblem) -> SpecStanding:
        """How it stands while its folder can't be read: what is not there was removed by nobody in earnest."""
        for phase in PHASES:
            before = self._registry.phase(spec.id, phase)
            after = self._with_quest(before)
            if after != before:
                self._registry.put_phase(spec.id, after)
        found = self.standing(spec, "")
        states = {phase: self._as_it_was(spec, phase, state) for phase, state in found.states.items()}
        if states[PHASES[0]] is not PhaseState.RUNNING:
            states[PHASES[0]] = PhaseState.FAILED
        for phase, state in states.items():
            self._registry.record_phase_state(spec, phase, state, why=problem.text)
        return found._replace(states=states, problem=problem)

    def _as_it_was(self, spec: Spec, phase: PhaseName, state: PhaseState) -> PhaseState:
        record = self._registry.phase(spec.id, phase)
        if state is PhaseState.RUNNING or record.failure is not None:
            return state
        return PhaseState.PENDING if record.recorded_state in {None, PhaseState.RUNNING} else record.recorded_state

    def standing(self, spec: Spec, brief_sha256: str) -> SpecStanding:
        """How it stands by what is known."""
        records = self._registry.phases(spec.id)
        live = {phase: self._quests.live.get(record.quest or "") for phase, record in records.items()}
        queued = any(one is not None and one.status is QuestStatus.QUEUED for one in live.values())
        states = phase_states(
            records,
            brief_sha256=brief_sha256,
            gates=spec.gates,
            running=[phase for phase, one in live.items() if one is not None and one.status is not QuestStatus.QUEUED],
            asks=self.asks(spec),
        )
        return SpecStanding(states, brief_sha256, queued)

    def asks(self, spec: Spec) -> bool:
        """Whether its tasks bring a command that nobody has allowed."""
        return not set(self._registry.phase(spec.id, PhaseName.TASKS).commands) <= set(spec.allowed)

    def rules(self, spec: Spec) -> CommandRules:
        """By what commands of its documents are judged."""
        return documents.CommandRules(
            (*spec.allow, *self._settings.allow), (*spec.deny, *self._settings.deny), self._home
        )

    def read_hash(self, spec: Spec, phase: PhaseName, brief_sha256: str) -> str:
        """The hash of what a phase reads now."""
        hashes = {one: record.sha256 for one, record in self._registry.phases(spec.id).items()}
        return read_hash(phase, brief_sha256, hashes)

    def _with_edit(self, spec: Spec, record: SpecPhase, looked: LookedDocument | None, brief_sha256: str) -> SpecPhase:
        """The record once the file is looked at as it is now."""
        if looked is None:
            return record if record.file_sha256 is None else _removed(record)
        if looked.examined is None:
            return record
        found = looked.examined
        after = edited(
            replace(record, file_sha256=looked.file_sha256),
            found.verdict,
            sha256=found.sha256,
            file=document_name(record.phase),
            threshold=spec.threshold,
        )
        if after.faults:
            return after
        if record.sha256 is None and record.read_sha256 is None:  # somebody has written it instead of an agent
            after = replace(after, read_sha256=self.read_hash(spec, record.phase, brief_sha256))
        if found.sha256 == record.sha256:  # its layout alone has changed
            return after
        live = record.quest is not None and record.quest in self._quests.live
        return replace(
            after,
            quest=record.quest if live else None,
            files=found.files,
            commands=tuple(one.sha256 for one in found.commands),
        )

    def _with_quest(self, record: SpecPhase) -> SpecPhase:
        """The record as its quest stands now."""
        quest = None if record.quest is None else self._quests.get(record.quest)
        if quest is None or quest.queue is None:
            return record
        failure = None
        if quest.status in _FAILED:
            failure = quest.queue.failure if quest.status is QuestStatus.FAILED else str(quest.status)
        return replace(record, failure=failure or None, attempts=len(quest.queue.tries))


def _removed(record: SpecPhase) -> SpecPhase:
    """The record of a document that somebody has removed: it has to be made again."""
    return replace(
        record, file_sha256=None, sha256=None, read_sha256=None, score=None, hints=(), faults=(), contested=False
    )
