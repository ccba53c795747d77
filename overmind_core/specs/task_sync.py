"""Makes the quests of a spec match the tasks of its document, in one transaction."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.quests.attempt import RETRIED
from overmind_core.domain.quests.life import is_done
from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.replacing import replace
from overmind_core.domain.specs.document_json import document_hash
from overmind_core.domain.specs.markdown import render
from overmind_core.domain.specs.phases import fault_lines
from overmind_core.domain.specs.shape import Tasks
from overmind_core.domain.specs.spec import PhaseName, TaskQuest
from overmind_core.domain.specs.sync import (
    SyncAction,
    SyncedTask,
    compute,
    conflicts,
    counts,
    goal_of,
    steps,
    task_hash,
)
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.errors import OvermindError
from overmind_core.missions.spec import Environment
from overmind_core.spec_files.documents import document_name
from overmind_core.specs import documents
from overmind_core.specs.document_writing import WrittenDocument, write_document
from overmind_core.specs.quest_maker import TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from overmind_core.domain.quests.quest import Goal, Quest
    from overmind_core.domain.specs.shape import SpecTask, Sync
    from overmind_core.domain.specs.spec import Spec
    from overmind_core.domain.specs.sync import SyncStep
    from overmind_core.kernel.journal import Journal
    from overmind_core.landing.quest_landing import QuestLanding
    from overmind_core.quests.attempts import Attempts
    from overmind_core.quests.intake import QueuedWork
    from overmind_core.quests.queue_changes import QueueChanges
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.specs.looking import SpecLooks
    from overmind_core.specs.quest_maker import QuestMaker
    from overmind_core.specs.registry import SpecRegistry


class Synced(NamedTuple):
    """The result of a sync, or of its preview."""

    steps: tuple[SyncStep, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many of each: `{"created": 6, "updated": 0, …}`."""
        return counts(self.steps)


class _Read(NamedTuple):
    """The documents that a sync reads."""

    tasks: Tasks
    sync: Sync
    file_sha256: str | None
    """Of the bytes of the tasks' file, as they are once it was read."""


class _Plan(NamedTuple):
    """The changes of one transaction."""

    read: _Read
    steps: Sequence[SyncStep]
    made: Sequence[QueuedWork]
    """Quests that are to be added."""
    written: WrittenDocument
    """The file with the computed document: `sync.md`, or one beside a person's."""
    brief_sha256: str


class TaskSync:
    """Syncs specs. Used from the event loop's thread only; by one task at a time for each spec."""

    def __init__(
        self,
        *,
        registry: SpecRegistry,
        quests: QuestRegistry,
        changes: QueueChanges,
        attempts: Attempts,
        maker: QuestMaker,
        looks: SpecLooks,
        landing: QuestLanding,
        journal: Journal,
    ) -> None:
        self._registry = registry
        self._quests = quests
        self._changes = changes
        self._attempts = attempts
        self._maker = maker
        self._looks = looks
        self._landing = landing
        self._journal = journal

    async def preview(self, spec: Spec) -> Synced:
        """Return what a sync would do; nothing is changed. Raises as `sync`."""
        read = await asyncio.to_thread(self._read, spec)
        return Synced(steps(self._existing(spec), read.tasks))

    def conflicts(self, spec: Spec, tasks: Iterable[SpecTask]) -> list[str]:
        """The ids of those of these tasks that have changed since their quests began, which a sync leaves alone."""
        return conflicts(self._existing(spec), tasks)

    async def sync(self, spec: Spec, brief_sha256: str) -> Synced | None:
        """Create, change and cancel quests, as the document of tasks says; the caller has checked that it passes.

        None: somebody has edited the document since it was looked at, and nothing was changed.

        Raises:
            OvermindError: nothing was changed; `invalid`: a rule denies one of the commands.
            StoreError: it can't be saved yet.
        """
        read = await asyncio.to_thread(self._read, spec)
        if read.file_sha256 != self._registry.phase(spec.id, PhaseName.TASKS).file_sha256:
            return None
        spec = await self._with_branch(spec)
        planned = steps(self._existing(spec), read.tasks)
        new = [step.task for step in planned if step.action is SyncAction.CREATE]
        by_id = {task.id: task for task in read.tasks.tasks}
        fields = [self._new(spec, by_id[one], new) for one in new]
        made = await self._maker.prepare(spec, fields) if fields else []
        text = render(read.sync).encode()
        try:
            written = await asyncio.to_thread(self._write, spec, text)
        except OSError as error:
            raise documents.unwritable(from_wire(spec.folder), error) from None
        planned = steps(self._existing(spec), read.tasks)  # meanwhile a quest may have begun, or was removed
        if any(step.action is SyncAction.CREATE and step.task not in new for step in planned):
            return await self.sync(spec, brief_sha256)
        await self._commit(spec, _Plan(read, planned, made, written, brief_sha256))
        return Synced(planned)

    def _read(self, spec: Spec) -> _Read:
        """Read the documents; blocks."""
        readings = documents.read_all(spec)
        reading = readings.get(PhaseName.TASKS)
        if reading is None or not isinstance(reading.document, Tasks):
            raise OvermindError("invalid", f"There is no {document_name(PhaseName.TASKS)} in {spec.folder}.")
        context = documents.context_of(spec, readings)
        found = documents.examine(spec, reading, context, self._looks.rules(spec))
        if not found.verdict.passes(spec.threshold):
            lines = fault_lines(found.verdict, document_name(PhaseName.TASKS), spec.threshold)
            raise OvermindError("invalid", "; ".join(lines))
        path = os.path.join(from_wire(spec.folder), document_name(PhaseName.TASKS))
        return _Read(reading.document, compute(context, title=spec.title), documents.file_hash(path))

    def _write(self, spec: Spec, text: bytes) -> WrittenDocument:
        """Write `sync.md`, or a file beside one that a person has edited; blocks."""
        record = self._registry.phase(spec.id, PhaseName.SYNC)
        name = document_name(PhaseName.SYNC)
        return write_document(from_wire(spec.folder), name, text, own=record.own, beside=record.beside)

    def _existing(self, spec: Spec) -> dict[str, SyncedTask]:
        known = self._registry.phase(spec.id, PhaseName.SYNC).tasks
        found = ((task, made, self._quests.get(made.quest)) for task, made in known.items())
        return {
            task: SyncedTask(quest.id, made.sha256, QuestStatus.COMPLETED if is_done(quest) else quest.status)
            for task, made, quest in found
            if quest is not None and self._is_there(quest)
        }

    def _is_there(self, quest: Quest) -> bool:
        """True of a failed quest that could have another round, or is done; else a new quest replaces it."""
        if is_done(quest) or quest.status not in RETRIED:
            return True
        try:
            self._changes.check_retry(quest)
        except OvermindError:
            return False
        return True

    async def _with_branch(self, spec: Spec) -> Spec:
        """The spec with its branch, created at the base if it was missing."""
        if spec.repository is None or spec.branch is not None:
            return spec
        if spec.base is None:
            message = f"The checkout {spec.repository} was on no branch when spec {spec.slug} was created"
            raise OvermindError("invalid", f"{message}: there is none to land on.")
        environment = Environment(self._maker.environment(self._maker.agent(spec)), {})
        branch = await self._landing.ensure_branch(
            spec.repository, f"spec/{spec.slug}", spec.base, owner=spec.id, environment=environment
        )
        return self._registry.change(spec.id, branch=branch)

    def _goal(self, spec: Spec, task: SpecTask) -> Goal:
        return goal_of(task, priority=spec.priority, into=spec.branch, verify=spec.verify)

    def _new(self, spec: Spec, task: SpecTask, new: Sequence[str]) -> dict[str, Any]:
        """The fields of a quest that is to be added."""
        goal = self._goal(spec, task)
        known = self._registry.phase(spec.id, PhaseName.SYNC).tasks
        return {
            "ref": task.id,
            TYPE: task.type,
            "name": task.id,
            "title": goal.title,
            "brief": goal.brief,
            "needs": [one if one in new else known[one].quest for one in task.needs],
            "priority": goal.priority.value,
            "owns": list(goal.owns),
            "check": task.check or None,
            "into": goal.into,
            "verify": goal.verify,
            "estimate": goal.estimate,
            "group": goal.group,
            "base": None,
        }

    async def _commit(self, spec: Spec, plan: _Plan) -> None:
        """Save all changes in one transaction."""
        read, planned, made, written = plan.read, plan.steps, plan.made, plan.written
        by_id = {task.id: task for task in read.tasks.tasks}
        fresh = {one.ref: one.quest.id for one in made}
        record = self._registry.phase(spec.id, PhaseName.SYNC)
        before = {task: found.quest for task, found in record.tasks.items()}
        ids = before | {task: quest for task, quest in fresh.items() if task is not None}
        renewed = {quest: ids[task] for task, quest in before.items() if ids[task] != quest}
        kept = dict(record.tasks)
        for step in planned:
            kept[step.task] = _after(step, by_id.get(step.task), ids[step.task], kept.get(step.task))
        for task in kept.keys() - by_id.keys():
            kept[task] = replace(kept[task], gone=True)
        with self._journal.together():
            self._maker.enqueue(spec, made)
            for step in planned:
                if step.action is SyncAction.UPDATE:
                    self._update(spec, by_id[step.task], ids)
                elif step.action is SyncAction.CANCEL and step.quest is not None:
                    self._attempts.cancel(self._quests.live[step.quest])
                elif step.action is SyncAction.SKIP and step.quest is not None and renewed:
                    self._need_renewed(step.quest, renewed)
            self._registry.change_phase(
                spec.id,
                PhaseName.SYNC,
                sha256=document_hash(read.sync),
                read_sha256=self._looks.read_hash(spec, PhaseName.SYNC, plan.brief_sha256),
                file_sha256=written.sha256 if written.stands else record.file_sha256,
                written_sha256=written.sha256 if written.stands else record.written_sha256,
                beside="" if written.stands else written.name,
                beside_sha256="" if written.stands else written.sha256,
                score=1.0,
                faults=(),
                failure=None,
                tasks=kept,
            )
            if any(step.action in {SyncAction.CREATE, SyncAction.UPDATE} for step in planned):
                self._registry.more_wanted(spec.id)
        await self._journal.saved()

    def _need_renewed(self, quest_id: str, renewed: Mapping[str, str]) -> None:
        """Have the next round of an ended quest need those that have replaced what it needs."""
        quest = self._quests.get(quest_id)
        if quest is None or quest.goal is None or quest.status not in RETRIED:
            return
        needs = tuple(renewed.get(one, one) for one in quest.goal.needs)
        if needs != quest.goal.needs:
            self._quests.amend(replace(quest, goal=replace(quest.goal, needs=needs)))

    def _update(self, spec: Spec, task: SpecTask, ids: Mapping[str, str]) -> None:
        """Change the quest of a task to what the document says; one that has ended gets another round."""
        quest = self._quests.get(ids[task.id])
        if quest is None or quest.goal is None:
            return
        goal = replace(
            self._goal(spec, task),
            needs=tuple(ids[one] for one in task.needs),
            into=quest.goal.into,
            max_cost=quest.goal.max_cost,
        )
        changed = replace(quest, goal=goal, check=task.check or None)
        self._quests.remember_needs(goal.needs)
        if quest.status is QuestStatus.QUEUED:
            self._quests.put(changed)
        else:
            self._quests.amend(changed)
            self._changes.retried(changed, "")


def _after(step: SyncStep, task: SpecTask | None, quest: str, before: TaskQuest | None) -> TaskQuest:
    """What is stored of a task after its step."""
    if step.action in {SyncAction.CREATE, SyncAction.UPDATE} and task is not None:
        return TaskQuest(quest, task_hash(task))
    known = before or TaskQuest(quest)
    if step.action is SyncAction.CANCEL:
        return replace(known, sha256="")
    changed = task_hash(task) if step.action is SyncAction.CONFLICT and task is not None else ""
    return replace(known, gone=task is None, changed=changed)


def is_current(quest: Quest, made: TaskQuest | None) -> bool:
    """Whether a quest counts for its spec: one whose task was removed counts only until it ends."""
    return made is None or not made.gone or not quest.is_over
