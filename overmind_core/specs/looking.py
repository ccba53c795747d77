"""The state of a spec: its folder is read, and documents that somebody has edited are checked, without an agent."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.replacing import replace
from overmind_core.domain.specs.phases import edited, phase_states, read_hash
from overmind_core.domain.specs.spec import PHASES, PhaseName, PhaseState, Spec, SpecPhase
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.spec_files.documents import document_name
from overmind_core.specs import documents
from overmind_core.specs.document_writing import remove_own, restore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.kernel.config import Settings
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.specs.documents import CommandRules, FolderProblem, LookedDocument
    from overmind_core.specs.registry import SpecRegistry

_FAILED = frozenset({QuestStatus.FAILED, QuestStatus.CANCELLED})


class Turns:
    """A lock for each spec: its folder and its records change in several steps."""

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
    """Whether the quest of a phase waits for its turn."""
    problem: FolderProblem | None = None
    """Why its folder can't be read: then all phases stay as they were, except the first, which has failed."""


class SpecLooks:
    """Reads folders of specs. Used from the event loop's thread only; by one task at a time for each spec."""

    def __init__(self, *, registry: SpecRegistry, quests: QuestRegistry, settings: Settings, home: str) -> None:
        """`home`: the person's home folder, for rules that begin with `~/`."""
        self._registry = registry
        self._quests = quests
        self._settings = settings
        self._home = home

    async def settle(self, spec: Spec) -> SpecStanding:
        """Read the folder of a spec, and save what has changed."""
        known = {  # a document with faults is checked again: a file that it names may exist now
            phase: None if record.faults and not _could_not_begin(record) else record.file_sha256
            for phase, record in self._registry.phases(spec.id).items()
        }
        records = dict(self._registry.phases(spec.id))
        gone = await asyncio.to_thread(_tidied, spec, records)
        looked = await asyncio.to_thread(documents.look, spec, known, self.rules(spec))
        if looked.problem is not None:
            return self._unread(spec, looked.problem)
        for phase in PHASES:
            before = self._registry.phase(spec.id, phase)
            settled = phase in gone and before.beside == records[phase].beside
            after = replace(before, contested=False, beside="", beside_sha256="") if settled else before
            after = self._with_edit(spec, after, looked.documents.get(phase), looked.brief_sha256)
            if settled and before.contested and after.file_sha256 == before.beside_sha256:
                # a person has taken the agent's
                after = replace(after, written_sha256=after.file_sha256, quest=before.quest)
            after = self._with_quest(after)
            if after != before:
                self._registry.put_phase(spec.id, after)
        found = self.standing(spec, looked.brief_sha256)
        for phase, state in found.states.items():
            self._registry.record_phase_state(spec, phase, state)
        return found

    def _unread(self, spec: Spec, problem: FolderProblem) -> SpecStanding:
        """The state while the folder can't be read: no document counts as removed."""
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
        """The state that follows from the records."""
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
        """Whether its tasks have a command that nobody has allowed."""
        return not set(self._registry.phase(spec.id, PhaseName.TASKS).commands) <= set(spec.allowed)

    def rules(self, spec: Spec) -> CommandRules:
        """The permission rules for commands of its documents."""
        return documents.CommandRules(
            (*spec.allow, *self._settings.allow), (*spec.deny, *self._settings.deny), self._home
        )

    def read_hash(self, spec: Spec, phase: PhaseName, brief_sha256: str) -> str:
        """The hash of the documents that a phase reads, as they are now."""
        hashes = {one: record.sha256 for one, record in self._registry.phases(spec.id).items()}
        return read_hash(phase, brief_sha256, hashes)

    def _with_edit(self, spec: Spec, record: SpecPhase, looked: LookedDocument | None, brief_sha256: str) -> SpecPhase:
        """The record of a phase after its file was read."""
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
        if record.sha256 is None and record.read_sha256 is None:  # a person has written it, instead of an agent
            after = replace(after, read_sha256=self.read_hash(spec, record.phase, brief_sha256))
        if found.sha256 == record.sha256:  # only its layout has changed
            return after
        live = record.quest is not None and record.quest in self._quests.live
        return replace(
            after,
            quest=record.quest if live else None,
            files=found.files,
            commands=tuple(one.sha256 for one in found.commands),
        )

    def _with_quest(self, record: SpecPhase) -> SpecPhase:
        """The record of a phase after its quest was looked at."""
        quest = None if record.quest is None else self._quests.get(record.quest)
        if quest is None or quest.queue is None:
            return record
        failure = None
        if quest.status in _FAILED:
            failure = quest.queue.failure if quest.status is QuestStatus.FAILED else str(quest.status)
        return replace(record, failure=failure or None, attempts=len(quest.queue.tries))


def _tidied(spec: Spec, records: Mapping[PhaseName, SpecPhase]) -> set[PhaseName]:
    """Put back what an end amid writing has left aside, and remove what lies beside an accepted document; blocks.

    Returns:
        The phases whose document beside a person's is gone: it was removed here, or taken, or thrown away.
    """
    folder = from_wire(spec.folder)
    gone = set()
    for phase, record in records.items():
        name = document_name(phase)
        with suppress(OSError):  # what is wrong with the folder is found by the look
            restore(folder, name, record.own)
            if not record.beside:
                continue
            is_kept = not record.contested and record.read_sha256 is not None and phase is not PhaseName.SYNC
            if is_kept or documents.file_hash(os.path.join(folder, name)) == record.beside_sha256:
                remove_own(folder, record.beside, record.own)
            if is_kept or not os.path.lexists(os.path.join(folder, record.beside)):
                gone.add(phase)
    return gone


def _removed(record: SpecPhase) -> SpecPhase:
    """The record of a phase whose document somebody has removed: it must be written again."""
    return replace(
        record,
        file_sha256=None,
        sha256=None,
        read_sha256=None,
        score=None,
        hints=(),
        faults=(),
        adopted_faults=(),
        contested=False,
    )


def _could_not_begin(record: SpecPhase) -> bool:
    """True where its faults are no document's: why its quest could not be made."""
    return record.failure is not None and record.quest is None
