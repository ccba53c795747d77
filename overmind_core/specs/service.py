"""The service of specs: reacts to quests that end and questions that are answered, and holds quests back.

Every daemon loads it, so it reads rows only; the parts that read documents are imported once there is a spec.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent_events import Behaviour
from overmind_core.domain.engine_questions import EngineNeed
from overmind_core.domain.events import About, AboutKind
from overmind_core.domain.quests import why
from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.specs.spec import PHASES, PhaseName, PhaseState, SpecState
from overmind_core.domain.text.moment import format_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from overmind_core.agents.engine_questions import EngineQuestion, EngineQuestions
    from overmind_core.domain.admission import Wait
    from overmind_core.domain.agents.agent_events import Decision
    from overmind_core.domain.quests.quest import Quest
    from overmind_core.domain.specs.spec import Spec
    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.landing.events import WorkLanded
    from overmind_core.missions.registry import Registry
    from overmind_core.quests.answer_types import BoardGate
    from overmind_core.quests.ports import Judgement, SpecInput
    from overmind_core.quests.queue import Queue
    from overmind_core.quests.registry import QuestEnded, QuestRegistry
    from overmind_core.quests.store import StoredWork
    from overmind_core.specs.creation import SpecCreation
    from overmind_core.specs.elsewhere import SpecsElsewhere
    from overmind_core.specs.landing import SpecLanding
    from overmind_core.specs.phase_work import PhaseWork
    from overmind_core.specs.progress import Advance, SpecProgress
    from overmind_core.specs.quest_maker import QuestMaker
    from overmind_core.specs.registry import SpecRegistry
    from overmind_core.specs.upkeep import SpecUpkeep
    from overmind_core.specs.views import SpecViews
    from overmind_core.specs.watching import SpecWatchers

_log = logging.getLogger(__name__)
_HOLD = "specs"
_STOPS = frozenset({EngineNeed.PHASE, EngineNeed.MERGE, EngineNeed.STUCK})
"""What is asked about a spec that goes no further without an answer."""
_GOES_ON = frozenset({SpecState.RUNNING, SpecState.WORKING, SpecState.LANDING})
"""States in which a spec goes on without a person."""

_UNSYNCED = frozenset({PhaseState.STALE, PhaseState.FAILED})
"""States of the last phase in which a change of the tasks has not reached their quests."""


@dataclass(frozen=True, slots=True)
class SpecParts:
    """The parts that read documents and act on them."""

    creation: SpecCreation
    elsewhere: SpecsElsewhere
    work: PhaseWork
    progress: SpecProgress
    landing: SpecLanding
    maker: QuestMaker
    upkeep: SpecUpkeep
    watchers: SpecWatchers
    views: SpecViews


class Specs:
    """The specs of a home. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        registry: SpecRegistry,
        quests: QuestRegistry,
        questions: EngineQuestions,
        phase: Phase,
        tasks: Tasks,
        line: CurrentKeeper,
        make: Callable[[], SpecParts],
    ) -> None:
        """`make`: imports and builds the parts; most daemons never need them."""
        self.registry = registry
        self._quests = quests
        self._questions = questions
        self._phase = phase
        self._tasks = tasks
        self._line = line
        self._make = make
        self._made: SpecParts | None = None
        self._going: set[str] = set()
        """Ids of specs that can go on without a person; while there are any, the daemon is held."""
        self._again: set[str] = set()
        """Ids of specs that are brought on now, and once more afterwards, as something has happened meanwhile."""
        self._advancing: set[str] = set()
        self.on_forget: list[Callable[[str, Sequence[Quest]], Awaitable[Callable[[], None]]]] = []
        """Called with the id of a spec that is to be forgotten and with its quests; each returns a function that is
        called in the commit that forgets them."""

    @property
    def parts(self) -> SpecParts:
        """The parts, built at the first use."""
        if self._made is None:
            self._made = self._make()
            self._made.landing.on_end = self.go_on
            self._made.landing.again = self._made.progress.land_again
            self._made.progress.on_settled = self.go_on
        return self._made

    def bind(self, queue: Queue) -> None:
        """Connect the specs with the questions and with the queue."""
        self._questions.on(EngineNeed.PHASE, self._on_phase_answer, kind=AboutKind.SPEC)
        self._questions.on(EngineNeed.STUCK, self._on_stuck_answer, kind=AboutKind.SPEC)
        self._questions.on(EngineNeed.MERGE, self._on_merge_answer, kind=AboutKind.SPEC)
        self._questions.guard(EngineNeed.MERGE, self._check_shown, kind=AboutKind.SPEC)
        queue.alone.append(self.alone_in)
        self.registry.on_change = lambda spec_id: self._reconsider(queue, spec_id)

    def posted(self) -> list[str]:
        """The slugs of the specs with quests that the swarm does now."""
        specs = self.registry.all.values()
        return [spec.slug for spec in specs if any(quest in self._quests.live for quest in spec.posts.values())]

    def load(self) -> None:
        """Load all specs into memory."""
        self.registry.load()

    def resume(self) -> None:
        """Bring on the specs that an earlier daemon had left unfinished."""
        for spec in list(self.registry.all.values()):
            if spec.posts:
                self.parts.elsewhere.end_posts(spec.id)
            if not spec.archived and (spec.target is not None or spec.landing or self._may_land(spec)):
                self.go_on(spec.id)

    def _may_land(self, spec: Spec) -> bool:
        return spec.branch is not None and spec.landed is None and not spec.declined

    # what attempts need, see `SpecWork`

    async def given(self, quest: Quest) -> SpecInput | None:
        """What the newest attempt of a quest gets to read."""
        return await self.parts.work.given(quest)

    async def judge(self, quest: Quest) -> Judgement | None:
        """Check the document that the newest attempt has handed in."""
        return await self.parts.work.judge(quest)

    # what is in the way of quests

    def hold(self, quest: Quest) -> Wait | None:
        """Why a spec holds back one of its quests; None: it does not."""
        spec = self.registry.of_quest(quest)
        if spec is None:
            return None
        if spec.archived:
            return why.archived(spec.slug)
        own = self.registry.phase_of(quest)
        before = PHASES if own is None else PHASES[: PHASES.index(own)]
        records = self.registry.phases(spec.id)
        opened = next(
            (one for one in before if one in records and records[one].recorded_state is PhaseState.REVIEW), None
        )
        if opened is not None:
            return why.in_gate(opened, records[opened].question or spec.slug)
        return self._behind_sync(spec, quest) if own is None else None

    def _behind_sync(self, spec: Spec, quest: Quest) -> Wait | None:
        """Why the quest of a task waits for a sync: its task may have changed, and a person wants that, or allows it.

        Else an answer to a gate would release it as it was before.
        """
        records = self.registry.phases(spec.id)
        sync = records.get(PhaseName.SYNC)
        if sync is None or sync.recorded_state not in _UNSYNCED:
            return None
        is_stale, is_wanted = sync.recorded_state is PhaseState.STALE, spec.target is PhaseName.SYNC
        tasks = records.get(PhaseName.TASKS)
        is_allowed = is_stale and tasks is not None and tasks.released_sha256 == tasks.sha256
        has_passed = all(one in records and records[one].recorded_state is PhaseState.PASSED for one in PHASES[:-1])
        if not (has_passed and (is_wanted or is_allowed)):
            return None
        is_task = any(one.quest == quest.id for one in sync.tasks.values())
        return why.behind_sync(spec.slug, comes=is_stale and is_wanted) if is_task else None

    def alone_in(self, quest: Quest) -> str | None:
        """The pool of one slot that a quest needs: without git the quests of a spec share one folder."""
        spec = self.registry.of_quest(quest)
        return None if spec is None or spec.repository is not None else f"spec:{spec.slug}"

    def _reconsider(self, queue: Queue, spec_id: str) -> None:
        queue.reconsider(
            [
                one.id
                for one in self._quests.live.values()
                if one.queue is not None and one.queue.spec == spec_id and one.status is QuestStatus.QUEUED
            ]
        )

    # going on

    def on_quest_end(self, ended: QuestEnded) -> None:
        """Bring on the spec of a quest that has ended."""
        spec = self.registry.of_quest(ended.quest)
        if spec is not None:
            if spec.archived:  # it had begun before; another round would be held
                self._questions.withdraw(ended.quest.id, EngineNeed.STUCK)
            if spec.posts:
                self.parts.elsewhere.end_posts(spec.id)
            landed = None if ended.quest.queue is None else ended.quest.queue.landed
            self._go_on_after(spec, None if landed is None else landed.branch)

    def on_landed(self, event: WorkLanded) -> None:
        """Bring on the spec of a quest whose work a person may have landed."""
        quest = None if event.mission is None else self._quests.get(event.mission)
        spec = None if quest is None else self.registry.of_quest(quest)
        if quest is not None and spec is not None and quest.is_over:
            self._go_on_after(spec, event.target)

    def _go_on_after(self, spec: Spec, landed: str | None) -> None:
        """Bring on a spec after work has landed on a branch, such as its own after that has landed itself."""
        if (spec.landed is not None or spec.landing) and landed is not None and landed == spec.branch:
            self.registry.more_wanted(spec.id)
        self.go_on(spec.id)

    def on_queued(self, spec_id: str) -> None:
        """Have what was queued for a spec, beside its tasks, land with it, or after it."""
        self.registry.more_wanted(spec_id)
        self.go_on(spec_id)

    def _on_phase_answer(self, question: EngineQuestion, decision: Decision) -> None:
        self.parts.progress.on_phase_answer(question, decision)
        self.go_on(question.about.id)

    async def _check_shown(self, question: EngineQuestion, decision: Decision) -> None:
        if decision.behaviour is Behaviour.ALLOW:
            await self.parts.progress.check_shown(question)

    def _on_merge_answer(self, question: EngineQuestion, decision: Decision) -> None:
        self.parts.progress.on_merge_answer(question, decision)
        self.go_on(question.about.id)

    def go_on(self, spec_id: str) -> None:
        """Bring a spec on in a task of its own, as far as it goes without a person."""
        if spec_id not in self.registry.all:
            return
        self._hold_daemon(spec_id, on=True)
        if spec_id in self._advancing:
            self._again.add(spec_id)
        elif not (self._phase.closing or self._phase.handing_over):
            self._advancing.add(spec_id)
            self._tasks.start(self._advance(spec_id))

    async def _advance(self, spec_id: str) -> None:
        reached: Advance | None = None
        try:
            self._again.add(spec_id)
            while spec_id in self._again:
                self._again.discard(spec_id)
                reached = await self.parts.progress.advance(spec_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, a person is asked about it
            self._on_error(spec_id, error)
        else:
            if reached is not None:
                self._questions.withdraw(spec_id, EngineNeed.STUCK)
        finally:
            self._advancing.discard(spec_id)
        if spec_id in self.registry.all and not self._phase.closing:
            self.parts.watchers.on_advance(spec_id)
            self._hold_daemon(spec_id, on=reached is not None and reached.state in _GOES_ON)

    def _on_error(self, spec_id: str, error: Exception) -> None:
        """Ask a person about a spec that could not be brought on because of a bug."""
        spec = self.registry.all.get(spec_id)
        _log.error("spec %s could not go on", spec_id if spec is None else spec.slug, exc_info=error)
        if spec is None:
            return
        problem = f"it could not go on: {type(error).__name__}: {error}. See daemon.log"
        about = About(AboutKind.SPEC, spec.id, spec.slug)
        subject = {"lines": ["Its documents and its quests are as they were."]}
        self._questions.ask(EngineNeed.STUCK, about, summary=f"{spec.slug}: {problem}", subject=subject)
        self.registry.change(spec_id, problem=problem)
        self.registry.record_state(spec, SpecState.STUCK, why=problem)

    def _on_stuck_answer(self, question: EngineQuestion, decision: Decision) -> None:
        if decision.behaviour is Behaviour.ALLOW:
            self.go_on(question.about.id)

    def _hold_daemon(self, spec_id: str, *, on: bool) -> None:
        """Keep the daemon running, or have it started again, while a spec can go on without a person."""
        (self._going.add if on else self._going.discard)(spec_id)
        self._line.hold(_HOLD, on=bool(self._going))

    async def forget(self, spec: Spec) -> Sequence[Quest]:
        """Forget an archived spec and its quests, which are returned.

        Raises:
            OvermindError: as `SpecUpkeep.forget`; `swarm_silent`: it has posts that nobody could end any more.
        """
        await self.parts.landing.ended(spec.id)
        await self.parts.elsewhere.let_go(spec.id)
        quests = await self.parts.upkeep.forget(spec, self._forgetting)
        self._hold_daemon(spec.id, on=False)
        return quests

    async def _forgetting(self, spec: Spec, quests: Sequence[Quest]) -> list[Callable[[], None]]:
        return [await look(spec.id, quests) for look in self.on_forget]

    def on_hold(self, _event: object) -> None:
        """Wake the clients that wait for specs: the reasons that hold quests back may have changed."""
        if self._made is not None:
            self._made.watchers.on_hold()

    # what they wait for

    def gates(self, spec_id: str | None) -> list[BoardGate]:
        """The questions that keep specs from going on, or the spec with this id, as cards of the board."""
        specs = self.registry.all
        wanted = specs if spec_id is None else [spec_id]
        asked = [one for spec in wanted for one in self._questions.open_for(spec) if one.need in _STOPS]
        return [self._gate(specs[one.about.id], one) for one in sorted(asked, key=lambda one: one.number)]

    def quests_of(self, question: EngineQuestion) -> list[str]:
        """Return the id of the quest that made the document which a question is about; of any other question none."""
        if question.about.kind != AboutKind.SPEC or question.about.id not in self.registry.all:
            return []
        made = {name: record.quest for name, record in self.registry.phases(question.about.id).items()}
        quest = made.get(PhaseName(question.part)) if question.part in made else None
        return [] if quest is None or not self._quests.knows(quest) else [quest]

    def _gate(self, spec: Spec, asked: EngineQuestion) -> BoardGate:
        return {
            "spec": spec.id,
            "name": spec.slug,
            "title": spec.title,
            "need": asked.need,  # type: ignore[typeddict-item] # one of its words
            "phase": asked.part or None,
            "quest": next(iter(self.quests_of(asked)), None),
            "priority": spec.priority.value,
            "question": asked.number,
            "summary": asked.summary,
            "asked_at": format_time(asked.asked_at),
        }

    # names

    def work_of(self, spec_id: str) -> StoredWork | None:
        """The command or agent of a spec's quests, for reported quests."""
        return self.parts.maker.work(self.registry.all[spec_id]) if spec_id in self.registry.all else None

    def slug_of(self, spec_id: str) -> str | None:
        """The slug of the spec with this id."""
        spec = self.registry.all.get(spec_id)
        return None if spec is None else spec.slug

    def id_of(self, text: str) -> str:
        """The id of the spec that a word means; raises as `SpecRegistry.find`."""
        return self.registry.find(text).id

    def asked_about(self, text: str) -> About:
        """The spec that a question names, as its subject."""
        spec = self.registry.find(text)
        return About(AboutKind.SPEC, spec.id, spec.slug)

    def worked_for(self, subject: str, missions: Registry) -> str | None:
        """The id of the spec for which a quest or a mission works, or the mission that started it; None: for none."""
        above: str | None = subject
        while above is not None:
            quest, mission = self._quests.get(above), missions.get(above)
            if quest is not None and quest.spec is not None:
                return quest.spec
            above = None if mission is None else mission.definition.parent
        return None
