"""The registry of specs and their phases: all of them in memory; the one writer of their rows and events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from overmind_core.domain.actor import ENGINE
from overmind_core.domain.missions.references import Ambiguous, Candidate, resolve
from overmind_core.domain.replacing import replace
from overmind_core.domain.specs.spec import (
    PHASES,
    PhaseName,
    PhaseState,
    Spec,
    SpecPhase,
    SpecState,
    because,
    failed_because,
)
from overmind_core.errors import OvermindError
from overmind_core.kernel.actor import actor
from overmind_core.specs import store
from overmind_core.specs.events import SpecChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from overmind_core.domain.quests.quest import Quest
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Change, Journal
    from overmind_core.specs.store import SpecPhaseTable, SpecTable

MOST_SPECS = 500
"""Most specs that are not archived."""


class SpecRegistry:
    """All specs. Used from the event loop's thread only; others read `all` and never change it."""

    def __init__(
        self, *, journal: Journal, events: EventLog, spec_table: SpecTable, phase_table: SpecPhaseTable
    ) -> None:
        self._journal = journal
        self._events = events
        self._spec_table = spec_table
        self._phase_table = phase_table
        self.all: dict[str, Spec] = {}
        self._slugs: dict[str, str] = {}
        self._phases: dict[str, dict[PhaseName, SpecPhase]] = {}
        self.on_change: Callable[[str], None] = lambda _spec: None
        """Called with the id of a spec after a change that may hold its quests back, or release them."""
        self.on_limit: Callable[[str], None] = lambda _spec: None
        """Called with the id of a spec whose cost limit has changed, or that will cost nothing more."""

    def load(self) -> None:
        """Bring all of them into memory."""
        for row in self._spec_table.all():
            self._know(store.SPEC.decode(row.record))
        for phase in self._phase_table.all():
            record = store.PHASE.decode(phase.record)
            self._phases.setdefault(phase.spec, {})[record.phase] = record

    # looking

    def named(self, slug: str) -> Spec | None:
        """The spec of this slug, archived or not."""
        found = self._slugs.get(slug)
        return None if found is None else self.all[found]

    def find(self, text: str) -> Spec:
        """The spec that a person's word means: its id, its slug, or the beginning of an id.

        Raises:
            OvermindError: `not_found`; `ambiguous`, with the candidates.
        """
        found = resolve(text, (Candidate(one.id, one.slug, not one.archived, None) for one in self.all.values()))
        if isinstance(found, Ambiguous):
            listed = ", ".join(f"{one.id} ({one.name})" for one in found.candidates[:10])
            raise OvermindError(
                "ambiguous",
                f"{text!r} matches several specs: {listed}. Give more characters.",
                candidates=[{"id": one.id, "name": one.name} for one in found.candidates],
            )
        known = self.all.get(getattr(found, "candidate", Candidate("", "", live=False, ended_at=None)).id)
        if known is None:
            raise OvermindError("not_found", f"No spec named {text!r}. See them with: overmind spec list")
        return known

    def phases(self, spec_id: str) -> Mapping[PhaseName, SpecPhase]:
        """The records of the phases that have begun."""
        return self._phases.get(spec_id, {})

    def phase(self, spec_id: str, phase: PhaseName) -> SpecPhase:
        """The record of a phase; an empty one before the phase has begun."""
        return self.phases(spec_id).get(phase) or SpecPhase(phase)

    def of_quest(self, quest: Quest) -> Spec | None:
        """The spec that a quest belongs to."""
        return None if quest.queue is None or quest.queue.spec is None else self.all.get(quest.queue.spec)

    def phase_of(self, quest: Quest) -> PhaseName | None:
        """The phase whose document a quest makes; None: it makes none, or another quest makes it now."""
        spec = self.of_quest(quest)
        if spec is None:
            return None
        return next((name for name, record in self.phases(spec.id).items() if record.quest == quest.id), None)

    def task_of(self, quest: Quest) -> str | None:
        """The id of the task that a quest was made of."""
        spec = self.of_quest(quest)
        if spec is None:
            return None
        tasks = self.phase(spec.id, PhaseName.SYNC).tasks
        return next((task for task, made in tasks.items() if made.quest == quest.id), None)

    def changed_tasks(self, spec_id: str) -> list[str]:
        """The ids of the tasks that have changed since their quests began."""
        tasks = self.phase(spec_id, PhaseName.SYNC).tasks
        return [task for task, made in tasks.items() if made.changed and not made.gone]

    # changing

    def add(self, spec: Spec, phases: Iterable[SpecPhase]) -> list[Change]:
        """Add a spec, in the current commit; call `forget` if that fails."""
        changes = [
            self.put(replace(spec, recorded_state=SpecState.DRAFT)),
            *(self.put_phase(spec.id, one) for one in phases),
        ]
        return [*changes, self.record(spec, None, SpecState.DRAFT)]

    def forget(self, spec: Spec) -> None:
        """Drop a spec that could not be saved."""
        del self.all[spec.id]
        del self._slugs[spec.slug]
        self._phases.pop(spec.id, None)

    def remove(self, spec: Spec) -> None:
        """Delete a spec and its phases."""
        self.forget(spec)

        def write() -> None:
            self._phase_table.remove(spec.id)
            self._spec_table.remove(spec.id)

        self._journal.save(write)

    def put(self, spec: Spec) -> Change:
        """Save a spec."""
        self._know(spec)
        row = store.spec_row(spec)
        return self._journal.save(lambda: self._spec_table.save(row))

    def put_phase(self, spec_id: str, record: SpecPhase) -> Change:
        """Save the record of a phase."""
        self._phases.setdefault(spec_id, {})[record.phase] = record
        row = store.phase_row(spec_id, record)
        return self._journal.save(lambda: self._phase_table.save(row))

    def change(self, spec_id: str, **changes: object) -> Spec:
        """Save a spec with these fields changed; return it."""
        self.put(replace(self.all[spec_id], **changes))
        if not changes.keys().isdisjoint(_ABOUT_MONEY):
            self.on_limit(spec_id)
        if "target" in changes:
            self.on_change(spec_id)
        return self.all[spec_id]

    def more_wanted(self, spec_id: str) -> None:
        """Record that more of a spec is to land than has landed, or lands now; it may land again, if it was denied."""
        spec = self.all.get(spec_id)
        if spec is not None:
            self.change(spec_id, landed=None, declined=False, landing=False, tip=None, landings=spec.landings + 1)

    def change_phase(self, spec_id: str, phase: PhaseName, **changes: object) -> SpecPhase:
        """Save the record of a phase with these fields changed; return it."""
        record = replace(self.phase(spec_id, phase), **changes)
        self.put_phase(spec_id, record)
        return record

    def record_phase_state(self, spec: Spec, phase: PhaseName, state: PhaseState, *, why: str | None = None) -> None:
        """Record an event if the state of a phase differs from the recorded one."""
        before = self.phase(spec.id, phase).recorded_state or PhaseState.PENDING
        if before is not state:
            if state is PhaseState.FAILED and why is None:
                why = failed_because(self.phase(spec.id, phase))
            record = self.change_phase(spec.id, phase, recorded_state=state)
            if PhaseState.REVIEW in {before, state} or phase is PhaseName.SYNC:
                self.on_change(spec.id)
            self.record(spec, phase, state, score=record.score, why=why)

    def record_state(self, spec: Spec, state: SpecState, *, why: str | None = None) -> None:
        """Record an event if the state of a spec differs from the recorded one."""
        if self.all[spec.id].recorded_state is not state:
            if state is SpecState.FAILED and why is None:
                why = self._failed_because(spec.id)
            self.record(self.change(spec.id, recorded_state=state), None, state, why=why)
            if state is SpecState.DONE:
                self.on_limit(spec.id)

    def _failed_because(self, spec_id: str) -> str | None:
        """Why it has failed: its first phase that has."""
        records = (self.phase(spec_id, phase) for phase in PHASES)
        failed = next((one for one in records if one.recorded_state is PhaseState.FAILED), None)
        return None if failed is None else f"{failed.phase}: {failed_because(failed)}"

    def record(
        self, spec: Spec, phase: PhaseName | None, state: str, *, score: float | None = None, why: str | None = None
    ) -> Change:
        """Record an event with the state of a spec, or of one of its phases."""
        event = SpecChanged(mission=spec.id, name=spec.slug, spec=spec.slug, phase=phase, state=state, score=score)
        if actor() is None:
            event = msgspec.structs.replace(event, by=ENGINE, why=why or because(phase, state))
        elif why is not None:
            event = msgspec.structs.replace(event, why=why)
        return self._events.record(event)

    def _know(self, spec: Spec) -> None:
        self.all[spec.id] = spec
        self._slugs[spec.slug] = spec.id


_ABOUT_MONEY = frozenset({"max_cost_usd", "archived", "landed"})
"""Fields on which the cost limit of a spec depends."""


def phase_outputs(phase: PhaseName) -> tuple[str, ...]:
    """The files that the quest of a phase must hand in."""
    return (f"{phase}.json",)
