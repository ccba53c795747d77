"""Answers about specs: rows with phases, tasks and cost; details with coverage, drift and critical path."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from overmind_core.domain.agents.spending import source_of
from overmind_core.domain.missions.reasons import sentence
from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.specs.phases import drifted, first_changed
from overmind_core.domain.specs.shape import Sync
from overmind_core.domain.specs.spec import OF_QUEST, PHASES, PhaseName, PhaseState, SpecState
from overmind_core.domain.text.moment import format_time
from overmind_core.spec_files.documents import document_name
from overmind_core.spec_files.repository import hashes_of
from overmind_core.specs import documents
from overmind_core.specs.spec_quests import WAITS_FOR_QUESTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.domain.quests.quest import Quest
    from overmind_core.domain.specs.spec import Spec, SpecPhase
    from overmind_core.kernel.journal import Journal
    from overmind_core.quests.store import QuestTable, SpecCost
    from overmind_core.specs.answer_types import (
        SpecAdvanced,
        SpecBrief,
        SpecDetails,
        SpecHeld,
        SpecPhaseInfo,
        SpecRow,
        WaitingTask,
    )
    from overmind_core.specs.looking import SpecStanding, Turns
    from overmind_core.specs.progress import Advance, SpecProgress
    from overmind_core.specs.registry import SpecRegistry
    from overmind_core.specs.spec_quests import SpecQuests


class SpecViews:
    """Answers requests about specs. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        registry: SpecRegistry,
        turns: Turns,
        progress: SpecProgress,
        spec_quests: SpecQuests,
        journal: Journal,
        quest_table: QuestTable,
        spent: Callable[[str], float | None],
    ) -> None:
        """`spent`: US dollars of a spec's quests and of all that they have started, counted while they run."""
        self._spent = spent
        self._registry = registry
        self._turns = turns
        self._progress = progress
        self._standing = spec_quests
        self._journal = journal
        self._quest_table = quest_table

    async def rows(self, *, archived: bool) -> list[SpecRow]:
        """The specs, by slug."""
        wanted = sorted(
            (one for one in self._registry.all.values() if archived or not one.archived), key=lambda one: one.slug
        )
        costs = self._costs()
        found = [await self._row(spec.id, costs.get(spec.id)) for spec in wanted]
        return [row for row in found if row is not None]

    async def details(self, spec: Spec) -> SpecDetails:
        """Everything known of one spec; raises `not_found` where it was forgotten meanwhile."""
        row = await self._row(spec.id, self._costs().get(spec.id))
        changing: frozenset[str] = frozenset()
        async with self._turns.of(spec.id):
            spec = self._registry.find(spec.id)
            if spec.repository is None:
                changing = await self._progress.update_files(spec)
        assert row is not None
        files = {path: hashed for path, hashed in self.files(spec).items() if path not in changing}
        now = await asyncio.to_thread(hashes_of, documents.top_of(spec), files)
        computed = await asyncio.to_thread(documents.standing, spec, PhaseName.SYNC)
        sync = computed if isinstance(computed, Sync) else Sync()
        landed = spec.landed
        return {
            **row,
            "drift": drifted(files, now),
            "drift_of": len(files),
            "coverage": [{"requirement": one.requirement, "tasks": list(one.tasks)} for one in sync.coverage],
            "critical_path": {"tasks": list(sync.critical_path.tasks), "hours": sync.critical_path.hours},
            "hours": sync.hours,
            "landed": None
            if landed is None
            else {"branch": landed.branch, "before": landed.before, "after": landed.after},
            "on": None if spec.placement is None else dict(spec.placement.labels),
            "verify": spec.verify,
            "waits": [_waits(quest) for quest in self._standing.waiting(spec)],
        }

    def advanced(self, spec_id: str, advance: Advance, ended: list[str]) -> SpecAdvanced:
        """The answer to `spec_run`: how far the spec was brought."""
        spec = self._registry.all[spec_id]
        asked = [one.question for one in self._registry.phases(spec_id).values() if one.question is not None]
        made = {} if advance.synced is None else advance.synced.counts
        waiting = self._standing.waiting(spec) if advance.state is SpecState.STUCK else []
        return {
            **brief(spec),
            "state": advance.state.value,
            "phase": None if advance.phase is None else advance.phase.value,
            "queued": advance.begun,
            "question": next(iter(asked), spec.question),
            "held": self._held(spec_id, advance.state),
            "waits": [one.name for one in waiting if one.status in {QuestStatus.FAILED, QuestStatus.CANCELLED}],
            "synced": made.get("created", 0) + made.get("updated", 0),
            "conflicts": self._registry.changed_tasks(spec_id),
            "ended": ended,
        }

    def files(self, spec: Spec) -> dict[str, str]:
        """The files that its documents and tasks name → their hashes when those were done."""
        records = self._registry.phases(spec.id).values()
        return {path: hashed for record in records for path, hashed in record.files.items()}

    def _costs(self) -> dict[str, SpecCost]:
        self._journal.flush()
        return {one.spec: one for one in self._quest_table.costs_of_specs()}

    def _cost(self, spec: Spec, cost: SpecCost | None) -> float | None:
        """US dollars; None: no cost is known. Costs that an earlier version stored lack attempts that had not ended."""
        known = [one for one in (self._spent(spec.id), None if cost is None else cost.dollars) if one is not None]
        return round(max(known), 6) if known else None

    async def _row(self, spec_id: str, cost: SpecCost | None) -> SpecRow | None:
        """One spec as it is in its turn; None: it was forgotten before."""
        async with self._turns.of(spec_id):
            known = self._registry.all.get(spec_id)
            if known is None:
                return None
            standing = await self._progress.look(known)
            spec = self._registry.all[spec_id]
        state = self._standing.state(spec, standing)
        changed = first_changed(state, standing.states)
        statuses, reported = self._standing.statuses(spec)
        return {
            **brief(spec),
            "title": spec.title,
            "folder": spec.folder,
            "state": state.value,
            "changed_since": None if changed is None else changed.value,
            "conflicts": self._registry.changed_tasks(spec.id),
            "branch": spec.branch,
            "base": spec.base,
            "gates": [one.value for one in spec.gates],
            "threshold": spec.threshold,
            "cost_usd": (usd := self._cost(spec, cost)),
            "cost_source": source_of(usd, is_estimated=cost is not None and cost.estimated > 0),
            "cost_unknown": 0 if cost is None else cost.unknown,
            "max_cost_usd": spec.max_cost_usd or None,
            "problem": spec.problem,
            "phases": [self._phase(spec, phase, standing) for phase in PHASES],
            "tasks": {status.value: statuses[status] for status in QuestStatus if statuses[status]},
            "reported": {status.value: reported[status] for status in QuestStatus if reported[status]},
            "question": spec.question,
            "held": self._held(spec.id, state),
            "created_at": format_time(spec.created_at),
        }

    def _held(self, spec_id: str, state: SpecState) -> SpecHeld | None:
        found = self._standing.held(spec_id) if state in WAITS_FOR_QUESTS else None
        if found is None:
            return None
        quest, wait = found
        return {"name": quest.name, "text": wait.text, "do": list(wait.do)}

    def _phase(self, spec: Spec, phase: PhaseName, standing: SpecStanding) -> SpecPhaseInfo:
        record, state = self._registry.phase(spec.id, phase), standing.states[phase]
        faults = list(record.faults)
        if faults and record.contested:
            name = document_name(phase)
            faults.append(f"an agent's passes, and lies beside it; to take that: mv {record.beside} {name}")
        if standing.problem is not None and state is PhaseState.FAILED:
            faults = [standing.problem.text]
        elif record.failure is not None and record.quest is not None and not faults:
            faults = _faults_of_quest(record, record.quest)
        faults += [] if record.faults else record.adopted_faults
        return {
            "phase": phase.value,
            "state": state.value,
            "score": record.score,
            "attempts": record.attempts,
            "sha256": record.sha256,
            "faults": faults,
            "hints": list(record.hints),
            "question": record.question,
            "quest": record.quest,
        }


def _faults_of_quest(record: SpecPhase, quest: str) -> list[str]:
    """Why the quest of a phase has failed: what was wrong with its document, else where that can be read."""
    if record.failure == QuestStatus.CANCELLED:
        return [f"{OF_QUEST}was cancelled. See: overmind quest why {quest}"]
    if record.refused:
        return [f"{OF_QUEST}has failed: {sentence(record.failure)}", *record.refused]
    return [f"{OF_QUEST}has failed: {sentence(record.failure)}. See: overmind logs {quest}"]


def brief(spec: Spec) -> SpecBrief:
    """Id and slug: the answer of commands that change a spec."""
    return {"id": spec.id, "slug": spec.slug}


def _waits(quest: Quest) -> WaitingTask:
    why = quest.queue.failure if quest.queue is not None and quest.status is QuestStatus.FAILED else None
    if quest.status is QuestStatus.RUNNING:
        why = quest.reason
    return {
        "id": quest.id,
        "name": quest.name,
        "status": quest.status.value,  # type: ignore[typeddict-item] # one of its words
        "why": why or None,
    }
