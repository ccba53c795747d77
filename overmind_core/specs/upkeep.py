"""Upkeep of specs by a person: accepting changed files, archiving, restoring, forgetting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from overmind_core.domain.engine_questions import EngineNeed
from overmind_core.domain.quests.quest import Quest, QuestStatus
from overmind_core.domain.replacing import replace
from overmind_core.domain.specs.phases import drifted, taken_as_is
from overmind_core.domain.specs.spec import PHASES, PhaseName, PhaseState, SpecState
from overmind_core.errors import OvermindError
from overmind_core.quests.intake import environment_owner
from overmind_core.spec_files.repository import hashes_of
from overmind_core.specs import documents
from overmind_core.specs.registry import MOST_SPECS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from overmind_core.agents.engine_questions import EngineQuestions
    from overmind_core.domain.specs.spec import Spec
    from overmind_core.kernel.journal import Journal
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.specs.looking import SpecLooks, Turns
    from overmind_core.specs.quest_maker import QuestMaker
    from overmind_core.specs.registry import SpecRegistry

    Forgetting = Callable[[Spec, Sequence[Quest]], Awaitable[list[Callable[[], None]]]]


class Accepted(NamedTuple):
    """The part of a spec that a person has taken as it is, where it had changed."""

    files: list[str]
    phases: list[PhaseName]
    """Those that were stale, or whose gate was open, because of an edit."""
    tasks: list[str]
    """Those that had changed since their quests began."""


class SpecUpkeep:
    """Changes specs as a person asks. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        registry: SpecRegistry,
        quests: QuestRegistry,
        questions: EngineQuestions,
        maker: QuestMaker,
        looks: SpecLooks,
        turns: Turns,
        journal: Journal,
    ) -> None:
        self._registry = registry
        self._quests = quests
        self._questions = questions
        self._maker = maker
        self._looks = looks
        self._turns = turns
        self._journal = journal

    async def accept(self, spec: Spec) -> Accepted:
        """Take the brief, the documents and the files that a spec names as they are now; nothing runs again.

        Raises:
            OvermindError: `invalid`: a document has faults; or the folder can't be read. Nothing was changed.
                `not_found`: it was forgotten meanwhile.
        """
        async with self._turns.of(spec.id):
            spec = self._registry.find(spec.id)
            before = dict(self._registry.phases(spec.id))
            standing = await self._looks.settle(spec)
            if standing.problem is not None:
                raise OvermindError(standing.problem.code, standing.problem.text)
            records = dict(self._registry.phases(spec.id))
            faults = [fault for one in records.values() if one.failure is None for fault in one.faults]
            if faults:
                raise OvermindError("invalid", "; ".join(faults))
            known = {path: hashed for one in records.values() for path, hashed in one.files.items()}
            now = await asyncio.to_thread(hashes_of, documents.top_of(spec), known)
            changed = drifted(known, now)
            records = dict(self._registry.phases(spec.id))
            asks = self._looks.asks(spec)
            with self._journal.together():
                for record in taken_as_is(records, brief_sha256=standing.brief_sha256, asks=asks).values():
                    self._registry.put_phase(spec.id, record)
                for phase, record in before.items():
                    if record.quest is not None and self._registry.phase(spec.id, phase).quest != record.quest:
                        self._questions.withdraw(record.quest, EngineNeed.STUCK)
                for phase, record in self._registry.phases(spec.id).items():
                    if not set(changed).isdisjoint(record.files):
                        self._registry.change_phase(spec.id, phase, files={path: now[path] for path in record.files})
                tasks = self._registry.changed_tasks(spec.id)
                self._take_tasks(spec, tasks)
                after = self._looks.standing(self._registry.all[spec.id], standing.brief_sha256)
                for phase, state in after.states.items():
                    self._registry.record_phase_state(spec, phase, state)
            good = [one for one in PHASES if standing.states[one] is not after.states[one] is PhaseState.PASSED]
        return Accepted(changed, good, tasks)

    def _take_tasks(self, spec: Spec, tasks: Sequence[str]) -> None:
        """Have the quests of changed tasks count as what their document says of them."""
        if tasks:
            known = dict(self._registry.phase(spec.id, PhaseName.SYNC).tasks)
            known |= {task: replace(known[task], sha256=known[task].changed, changed="") for task in tasks}
            self._registry.change_phase(spec.id, PhaseName.SYNC, tasks=known)

    async def archive(self, spec: Spec, *, archived: bool, environment: dict[str, str]) -> int:
        """Archive a spec and forget the environment of its quests, or undo that; return how many quests are queued.

        Its failed quests are left at that: nobody is asked about them any more, nor about its gates and its landing
        until it is taken back.

        Raises:
            OvermindError: `too_large`: there are too many specs that are not archived; `not_found`: it was forgotten.
        """
        async with self._turns.of(spec.id):
            spec = self._registry.find(spec.id)
            others = sum(not one.archived for one in self._registry.all.values())
            if not archived and spec.archived and others >= MOST_SPECS:
                raise OvermindError("too_large", f"There can be up to {MOST_SPECS} specs. Archive another one first.")
            if archived != spec.archived:
                agent = self._maker.agent(spec)
                shared = "" if archived else environment_owner(environment)
                changed = msgspec.structs.replace(agent, shared=shared)
                with self._journal.together():
                    self._registry.change(spec.id, archived=archived)
                    self._journal.save(lambda: self._maker.save_agent(spec.id, changed, environment))
                    if archived:
                        self._registry.record_state(spec, SpecState.ARCHIVED)
                        self._withdraw(spec.id)
                        for quest in self._quests.of_spec(spec.id):  # another round would be held
                            self._questions.withdraw(quest.id, EngineNeed.STUCK)
            await self._journal.saved()
        self._registry.on_change(spec.id)
        mine = (one for one in self._quests.live.values() if one.queue is not None and one.queue.spec == spec.id)
        return sum(one.status is QuestStatus.QUEUED for one in mine)

    def _withdraw(self, spec_id: str) -> None:
        """Take back the questions about its gates and its landing, so that they can be asked again."""
        for need in (EngineNeed.PHASE, EngineNeed.MERGE):
            self._questions.withdraw(spec_id, need)
        self._registry.change(spec_id, question=None)
        for phase, record in list(self._registry.phases(spec_id).items()):
            if record.question is not None:
                self._registry.change_phase(spec_id, phase, question=None)

    async def forget(self, spec: Spec, forgetting: Forgetting) -> Sequence[Quest]:
        """Forget a spec and its quests, with their reports and outcomes, in one commit; return the quests.

        Raises:
            OvermindError: `not_finished`: it is not archived, or one of its quests has not ended; `not_found`: it was
                forgotten meanwhile.
        """
        async with self._turns.of(spec.id):
            spec = self._registry.find(spec.id)
            if not spec.archived:
                message = f"Spec {spec.slug} is not archived. Archive it first: overmind spec archive {spec.slug}"
                raise OvermindError("not_finished", message)
            quests = self._quests.of_spec(spec.id)
            live = next((one for one in quests if not one.is_over), None)
            if live is not None:
                message = f"Quest {live.id} ({live.name}) has not finished. Cancel it first: overmind quest cancel"
                raise OvermindError("not_finished", f"{message} {live.name}")
            others = await forgetting(spec, quests)
            with self._journal.together():
                for subject in (spec.id, *(one.id for one in quests)):
                    self._questions.withdraw(subject)
                for forget in others:
                    forget()
                self._registry.remove(spec)
                self._quests.forget([one.id for one in quests])
            await self._journal.saved()
        return quests
