"""The progress of specs: which phase begins, which gate opens, when tasks become quests, and when all of it lands.

The next step is computed from the store and the folder alone, after each change and by each new daemon. So no step
is lost with a daemon, and none is taken twice.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.agents.agent_events import Behaviour
from overmind_core.domain.engine_questions import COMMAND, EngineNeed
from overmind_core.domain.missions.reasons import DENIED
from overmind_core.domain.quests import briefing
from overmind_core.domain.quests.life import is_done
from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.replacing import replace
from overmind_core.domain.specs.commands import command_hash
from overmind_core.domain.specs.instructions import phase_brief, phase_title
from overmind_core.domain.specs.phases import again, asked_gate, edit_ends_wait, next_phase
from overmind_core.domain.specs.spec import PHASES, Gate, PhaseName, PhaseState, SpecState
from overmind_core.errors import OvermindError
from overmind_core.kernel.database import StoreError
from overmind_core.spec_files.documents import document_name
from overmind_core.specs import documents
from overmind_core.specs.landing import about
from overmind_core.specs.quest_maker import TYPE
from overmind_core.specs.registry import phase_outputs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from overmind_core.agents.engine_questions import EngineQuestion, EngineQuestions
    from overmind_core.domain.agents.agent_events import Decision
    from overmind_core.domain.quests.quest import Quest
    from overmind_core.domain.specs.spec import Spec, SpecPhase
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.phase import Phase
    from overmind_core.quests.intake import QueuedWork
    from overmind_core.quests.queue_changes import QueueChanges
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.specs.gates import GateQuestions
    from overmind_core.specs.landing import SpecLanding
    from overmind_core.specs.looking import SpecLooks, SpecStanding, Turns
    from overmind_core.specs.quest_maker import QuestMaker
    from overmind_core.specs.registry import SpecRegistry
    from overmind_core.specs.spec_quests import SpecQuests
    from overmind_core.specs.task_sync import Synced, TaskSync

_log = logging.getLogger(__name__)
RETRY_SECONDS = 1.0
"""Pause before a step that could not be saved is tried again, as on a full disk."""
_CHANGES = frozenset({QuestStatus.QUEUED, QuestStatus.FAILED, QuestStatus.CANCELLED})
"""States of a quest in which nobody works on it, so that it may be changed."""
_PASSED = frozenset({PhaseState.PASSED})
_GOOD = frozenset({PhaseState.PASSED, PhaseState.REVIEW})
"""States of phases whose documents pass."""
_GONE_ON = frozenset({PhaseState.PENDING, PhaseState.STALE})


class Advance(NamedTuple):
    """How far a spec was brought."""

    state: SpecState
    phase: PhaseName | None = None
    """The phase that was queued, or that the spec waits for."""
    begun: bool = False
    """Whether it was queued by this call."""
    synced: Synced | None = None


class SpecProgress:
    """Brings specs on. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        registry: SpecRegistry,
        quests: QuestRegistry,
        changes: QueueChanges,
        spec_quests: SpecQuests,
        maker: QuestMaker,
        looks: SpecLooks,
        turns: Turns,
        sync: TaskSync,
        landing: SpecLanding,
        questions: EngineQuestions,
        journal: Journal,
        phase: Phase,
        gates: GateQuestions,
    ) -> None:
        self._registry = registry
        self._quests = quests
        self._changes = changes
        self._standing = spec_quests
        self._maker = maker
        self._looks = looks
        self._turns = turns
        self._sync = sync
        self._landing = landing
        self._questions = questions
        self._journal = journal
        self._phase = phase
        self._gates = gates
        self.on_settled: Callable[[str], None] = lambda _spec: None
        """Called with the id of a spec that stands otherwise, as a person has edited a document, or chosen one of two.
        """

    # going on

    async def advance(self, spec_id: str) -> Advance | None:
        """Bring a spec on as far as it goes without a person; obstacles are logged, and shown with the spec.

        None: the daemon ends, or the spec was forgotten.
        """
        while not (self._phase.closing or self._phase.handing_over):
            try:
                async with self._turns.of(spec_id):
                    return await self._advance(spec_id) if spec_id in self._registry.all else None
            except StoreError:
                await asyncio.sleep(RETRY_SECONDS)
        return None

    async def _advance(self, spec_id: str, *, asked: bool = False) -> Advance:
        """Bring it on; `asked`: raise where a phase can't begin, as a person waits for the answer."""
        synced: Synced | None = None
        if self._registry.all[spec_id].problem is not None:
            self._registry.change(spec_id, problem=None)
        while True:
            spec = self._registry.all[spec_id]
            standing = await self.settle(spec)
            if spec.archived or standing.problem is not None:
                return self._recorded(spec, standing, synced=synced)
            coming = next_phase(standing.states, last=spec.target) if spec.target is not None else None
            if coming is None or coming.phase is None:
                if spec.target is not None:
                    spec = self._registry.change(spec_id, target=None)
                await self._update_landing(spec, standing)
                return self._recorded(self._registry.all[spec_id], standing, synced=synced)
            if not coming.begins or self._is_under_way(spec, coming.phase):
                return self._recorded(spec, standing, coming.phase, synced=synced)
            try:
                if coming.phase is PhaseName.SYNC:
                    synced = await self._sync.sync(spec, standing.brief_sha256)
                    continue
                await self._begin(spec, coming.phase)
            except OvermindError as error:
                if asked:
                    raise
                self._refused(spec, coming.phase, error)
                standing = self._looks.standing(self._registry.all[spec_id], standing.brief_sha256)
                return self._recorded(self._registry.all[spec_id], standing, coming.phase)
            standing = self._looks.standing(self._registry.all[spec_id], standing.brief_sha256)
            return self._recorded(spec, standing, coming.phase, begun=True)

    def _recorded(
        self,
        spec: Spec,
        standing: SpecStanding,
        phase: PhaseName | None = None,
        *,
        begun: bool = False,
        synced: Synced | None = None,
    ) -> Advance:
        state = self._standing.state(spec, standing)
        self._registry.record_state(spec, state)
        return Advance(state, phase, begun, synced)

    def _is_under_way(self, spec: Spec, phase: PhaseName) -> bool:
        quest = self._registry.phase(spec.id, phase).quest
        return quest is not None and quest in self._quests.live

    def _refused(self, spec: Spec, phase: PhaseName, error: OvermindError) -> None:
        """Record that a phase could not begin."""
        _log.info("spec %s: %s could not begin: %s", spec.slug, phase, error.message)
        self._registry.change_phase(spec.id, phase, failure=error.code, faults=(error.message,), quest=None)
        self._registry.record_phase_state(spec, phase, PhaseState.FAILED, why=error.message)

    # phases

    async def _begin(self, spec: Spec, phase: PhaseName) -> None:
        """Queue the quest that makes a document; raises as `QuestMaker.prepare`."""
        record = self._registry.phase(spec.id, phase)
        await asyncio.to_thread(documents.check_writable, spec)
        text = await asyncio.to_thread(documents.brief, spec)
        again_ = record.file_sha256 is not None
        fields = {
            "name": str(phase),
            TYPE: str(phase),
            "title": phase_title(phase, spec.title),
            "brief": phase_brief(phase, text, threshold=spec.threshold, again=again_, faults=record.adopted_faults),
            "needs": self._before(spec, phase),
            "priority": spec.priority.value,
        }
        feedback = briefing.with_words("", record.feedback)
        made = [_of_phase(one, phase) for one in await self._maker.prepare(spec, [fields], feedback=feedback)]
        begun = replace(record, quest=made[0].quest.id, attempts=0, failure=None, faults=())
        with self._journal.together():
            self._registry.put_phase(spec.id, begun)
            self._maker.enqueue(spec, made)
        await self._journal.saved()

    def _before(self, spec: Spec, phase: PhaseName) -> list[str]:
        """The completed quest of the phase before; none if a person has written that document."""
        earlier = PHASES[: PHASES.index(phase)]
        quest = self._registry.phase(spec.id, earlier[-1]).quest if earlier else None
        known = None if quest is None else self._quests.get(quest)
        return [known.id] if known is not None and known.status is QuestStatus.COMPLETED else []

    # gates

    async def settle(self, spec: Spec) -> SpecStanding:
        """Read its folder, save what has changed, and update the questions of its gates.

        The caller holds the spec's lock.
        """
        before = dict(self._registry.phases(spec.id))
        contested = self._contested(spec)
        standing = await self._looks.settle(spec)
        self._leave_quests(spec.id, before)
        if contested - self._contested(spec):  # a person has taken the agent's document, or thrown it away
            self.on_settled(spec.id)
        if not spec.archived and standing.problem is None:
            await self._update_gates(spec, standing)
            if not self._may_land(spec, standing):
                self._landing.call_off(self._registry.all[spec.id])
        return standing

    async def look(self, spec: Spec) -> SpecStanding:
        """Settle it for a request: where it waited for a person, what an edit has put next waits for `spec run`.

        The caller holds the spec's lock.
        """
        before = dict(self._registry.phases(spec.id))
        standing = await self.settle(spec)
        spec = self._registry.all[spec.id]
        if spec.archived or spec.target is None or standing.problem is not None or standing.queued:
            return standing
        if edit_ends_wait(before, self._registry.phases(spec.id), last=spec.target):
            self._registry.change(spec.id, target=None)
            self.on_settled(spec.id)  # no phase begins, but who waits for it is told
        return standing

    def _leave_quests(self, spec_id: str, before: Mapping[PhaseName, SpecPhase]) -> None:
        """Withdraw what is asked about quests that had failed to make a document which is not theirs to make now."""
        for phase, record in before.items():
            if record.quest is not None and self._registry.phase(spec_id, phase).quest != record.quest:
                self._questions.withdraw(record.quest, EngineNeed.STUCK)

    def _contested(self, spec: Spec) -> set[PhaseName]:
        return {phase for phase, record in self._registry.phases(spec.id).items() if record.contested}

    async def _update_gates(self, spec: Spec, standing: SpecStanding) -> None:
        """Ask the question of the first open gate, and withdraw those of all others."""
        wanted = asked_gate(spec, self._registry.phases(spec.id), standing.states)
        if wanted is not None and self._standing.state(spec, standing) is SpecState.DONE:
            wanted = None
        key = None if wanted is None else _gate_key(wanted)
        for question in self._questions.open_for(spec.id):
            if question.need == EngineNeed.PHASE and question.key != key:
                part, shown = PhaseName(question.part), question.key.split(":")[1]
                self._questions.withdraw(spec.id, EngineNeed.PHASE, key=question.key)
                self._registry.change_phase(spec.id, part, question=None, shown_sha256=shown)
        if wanted is not None and (record := self._registry.phase(spec.id, wanted.phase)).question is None:
            is_changed = (record.shown_sha256 or wanted.released_sha256) not in {None, wanted.sha256}
            summary, subject = await self._gates.question(spec, wanted, is_changed=is_changed)
            made = None if wanted.quest is None else self._quests.get(wanted.quest)
            subject = {**subject, COMMAND: True} if made is not None and made.provider == RAW else subject
            number = self._questions.ask(
                EngineNeed.PHASE, about(spec), summary=summary, subject=subject, part=wanted.phase, key=key
            )
            self._registry.change_phase(spec.id, wanted.phase, question=number)

    def on_phase_answer(self, question: EngineQuestion, decision: Decision) -> None:
        """Act on a person's answer to a gate."""
        spec = self._registry.all[question.about.id]
        phase = PhaseName(question.part)
        record = self._registry.phase(spec.id, phase)
        record = replace(record, question=None, contested=False, shown_sha256=None)
        if decision.behaviour is Behaviour.DENY:
            wanted = spec.target if spec.target is not None and _reaches(spec.target, phase) else phase
            self._registry.put_phase(spec.id, replace(again(record), feedback=decision.message or ""))
            made = None if record.quest is None else self._quests.get(record.quest)
            if made is not None and made.status is QuestStatus.COMPLETED:  # the next one has the same name
                self._quests.amend(replace(made, reason=DENIED))
            self._registry.change(spec.id, target=wanted)
            return
        self._registry.put_phase(spec.id, replace(record, released_sha256=record.sha256))
        is_synced = bool(self._registry.phase(spec.id, PhaseName.SYNC).tasks)
        if phase is PhaseName.TASKS and spec.target is None and is_synced:  # its quests follow it
            spec = self._registry.change(spec.id, target=PhaseName.SYNC)
        allowed = [command_hash(text) for text in question.subject.get("commands", ())]
        if allowed:
            self._registry.change(spec.id, allowed=tuple(dict.fromkeys((*spec.allowed, *allowed))))

    # landing

    async def _update_landing(self, spec: Spec, standing: SpecStanding) -> None:
        """Once all tasks are done, ask whether the spec lands, or land it."""
        if spec.repository is None:
            await self.update_files(spec)
        if spec.branch is None or spec.landed is not None or spec.declined:
            return
        if not self._may_land(spec, standing):
            return
        if spec.landing:
            self._landing.start(spec)
        elif spec.question is None and Gate.MERGE in spec.gates:
            await self._landing.ask(spec)
        elif spec.question is None:
            self._landing.start(self._registry.change(spec.id, landing=True))
        else:
            self._landing.land_later(spec)

    def _may_land(self, spec: Spec, standing: SpecStanding) -> bool:
        """Whether all of it is done: what was asked, or allowed, before more was wanted counts no more."""
        tasks = self._standing.tasks(spec)
        has_passed = all(standing.states[one] is PhaseState.PASSED for one in PHASES)
        return has_passed and 0 < tasks.total == tasks.completed

    async def land_again(self, waiting: Spec) -> None:
        """Land what was refused for something that has gone away, if it still may, and nobody has answered meanwhile.

        `waiting`: as it waited, with the question about that.
        """
        async with self._turns.of(waiting.id):
            spec = self._registry.all.get(waiting.id)
            if spec is None or spec.archived:
                return
            standing = await self.settle(spec)
            is_asked = self._registry.all[spec.id].question == waiting.question
            if is_asked and standing.problem is None and self._may_land(spec, standing):
                self._landing.start(spec)

    async def update_files(self, spec: Spec) -> frozenset[str]:
        """Store the files of completed tasks as they are now, to see drift later, where nothing lands without git.

        Called in the turn of the spec.

        Returns:
            The files that tasks still change: whatever becomes of them is no drift.
        """
        record = self._registry.phase(spec.id, PhaseName.SYNC)
        if not record.tasks:
            return frozenset()
        made = {task: self._quests.get(one.quest) for task, one in record.tasks.items()}
        done = {task for task, one in made.items() if one is not None and is_done(one)}
        files, changing = await asyncio.to_thread(documents.files_of_tasks, spec, done, record.files)
        if files != record.files:
            self._registry.change_phase(spec.id, PhaseName.SYNC, files=files)
        return changing

    async def check_shown(self, question: EngineQuestion) -> None:
        """See that what a person lets land is what its question shows; raises as `SpecLanding.check_shown`."""
        async with self._turns.of(question.about.id):
            spec = self._registry.all.get(question.about.id)
            if spec is not None and spec.question == question.number:
                await self._landing.check_shown(spec, question.subject.get("tip"))

    def on_merge_answer(self, question: EngineQuestion, decision: Decision) -> None:
        """Act on a person's answer whether the spec lands; what was shown to nobody is shown first.

        Raises:
            OvermindError: `busy`, it is denied while its base is being moved.
        """
        spec, deny = self._registry.all[question.about.id], decision.behaviour is Behaviour.DENY
        if deny:  # it may be tried again just now
            self._landing.break_off(spec)
        tip = None if deny else question.subject.get("tip", spec.tip)
        lands = not deny and (tip is not None or Gate.MERGE not in spec.gates)
        self._registry.change(spec.id, question=None, declined=deny, landing=lands, tip=tip)

    # what a person asks for

    async def run(
        self, spec_id: str, *, first: PhaseName | None, last: PhaseName | None, changes: Mapping[str, object]
    ) -> Advance:
        """Continue a spec where it is, or from a phase that is done again.

        Args:
            spec_id: Its id.
            first: The phase that is done again, even if it has passed.
            last: The last phase that is wanted.
            changes: New values of fields of the spec.

        Raises:
            OvermindError: `invalid`, what somebody has edited does not pass; `busy`, a phase is under way; `gone`, it
                is archived; `not_found`, it was forgotten; or what can't begin.
        """
        async with self._turns.of(spec_id):
            spec = self._usable(spec_id)
            standing = await self.look(spec)
            target = last or PhaseName.SYNC
            self._check_runs(spec, standing, first, target)
            before = self._registry.all[spec_id], dict(self._registry.phases(spec_id))
            retried = self._again(spec, first)
            self._registry.change(spec_id, target=target, declined=False, **changes)
            if "verify" in changes:
                self._verify_by(spec)
            try:
                advance = await self._advance(spec_id, asked=True)
            except OvermindError:
                self._registry.put(before[0])
                for record in before[1].values():
                    self._registry.put_phase(spec_id, record)
                raise
            self._leave_quests(spec_id, before[1])
            await self._journal.saved()
            return advance._replace(begun=advance.begun or retried)

    def _usable(self, spec_id: str) -> Spec:
        """The spec as it is now, in its turn; raises `gone` if it was archived meanwhile, `not_found` if forgotten."""
        spec = self._registry.find(spec_id)
        if spec.archived:
            message = f"Spec {spec.slug} is archived. Take it back with: overmind spec archive {spec.slug} --undo"
            raise OvermindError("gone", message)
        return spec

    def _check_runs(self, spec: Spec, standing: SpecStanding, first: PhaseName | None, last: PhaseName) -> None:
        _check_folder(standing)
        wanted = PHASES[: PHASES.index(last) + 1]
        for phase in wanted:
            record = self._registry.phase(spec.id, phase)
            if phase == first or standing.states[phase] in _GONE_ON:
                break
            if record.faults and record.failure is None:
                raise OvermindError("invalid", "; ".join(record.faults))
        if first is not None and any(self._is_under_way(spec, phase) for phase in PHASES):
            raise OvermindError("busy", f"A phase of spec {spec.slug} is under way. Cancel it first, or wait.")

    def _again(self, spec: Spec, first: PhaseName | None) -> bool:
        """Have a phase done again; return whether that is another round of a quest that had failed."""
        if first is not None and first is not PhaseName.SYNC:
            self._registry.put_phase(
                spec.id, replace(again(self._registry.phase(spec.id, first)), quest=None, faults=())
            )
        retried = False
        for phase in PHASES:
            record = self._registry.phase(spec.id, phase)
            if record.failure is None:
                continue
            quest = None if record.quest is None else self._quests.get(record.quest)
            if quest is not None and quest.is_over and self._may_retry(quest):
                self._changes.retried(quest, "")
                self._registry.change_phase(spec.id, phase, failure=None)
                retried = True
            else:
                self._registry.change_phase(spec.id, phase, failure=None, faults=(), quest=None)
        return retried

    def _verify_by(self, before: Spec) -> None:
        """Give the spec's new `verify` to the quests of tasks that nobody works on."""
        verify = self._registry.all[before.id].verify
        for one in self._registry.phase(before.id, PhaseName.SYNC).tasks.values():
            quest = self._quests.get(one.quest)
            if quest is None or quest.goal is None or quest.goal.verify != before.verify or quest.goal.into is None:
                continue
            if quest.status in _CHANGES:
                changed = replace(quest, goal=replace(quest.goal, verify=verify))
                (self._quests.put if quest.status is QuestStatus.QUEUED else self._quests.amend)(changed)

    def _may_retry(self, quest: Quest) -> bool:
        try:
            self._changes.check_retry(quest)
        except OvermindError:
            return False
        return True

    async def sync(self, spec_id: str, *, dry_run: bool) -> Synced:
        """Make the quests of tasks match the document, or return what that would change.

        Raises:
            OvermindError: `invalid`: the tasks have not passed, or their gate is open; a preview is possible then, too.
                `gone`: it is archived, so nothing of it starts; `not_found`: it was forgotten.
        """
        async with self._turns.of(spec_id):
            synced: Synced | None = None
            while synced is None:
                spec = self._usable(spec_id)
                standing = await self.look(spec)
                self._check_syncs(spec, standing, _GOOD if dry_run else _PASSED)
                if dry_run:
                    return await self._sync.preview(spec)
                synced = await self._sync.sync(spec, standing.brief_sha256)
        await self.advance(spec_id)
        return synced

    def _check_syncs(self, spec: Spec, standing: SpecStanding, good: Collection[PhaseState]) -> None:
        _check_folder(standing)
        for phase in PHASES[:-1]:
            state = standing.states[phase]
            if state not in good:
                record = self._registry.phase(spec.id, phase)
                faults = "; ".join(record.faults or record.adopted_faults)
                message = f"{document_name(phase)} of spec {spec.slug} is {_STANDS[state]}."
                raise OvermindError("invalid", f"{message} {faults}".rstrip())


_STANDS: Mapping[PhaseState, str] = {
    PhaseState.PENDING: "missing",
    PhaseState.RUNNING: "being written",
    PhaseState.REVIEW: "in review",
    PhaseState.FAILED: "not good enough",
    PhaseState.STALE: "out of date",
}


def _check_folder(standing: SpecStanding) -> None:
    """Raise if the folder can't be read."""
    if standing.problem is not None:
        raise OvermindError(standing.problem.code, standing.problem.text)


def _of_phase(made: QueuedWork, phase: PhaseName) -> QueuedWork:
    """A new quest with the output of a phase: its document."""
    goal = made.quest.goal
    assert goal is not None
    return made._replace(quest=replace(made.quest, goal=replace(goal, outputs=phase_outputs(phase))))


def _gate_key(record: SpecPhase) -> str:
    """The key of a gate's question: a document with another content is asked about again."""
    return f"{record.phase}:{record.sha256}:{record.contested}"


def _reaches(last: PhaseName, phase: PhaseName) -> bool:
    return PHASES.index(last) >= PHASES.index(phase)
