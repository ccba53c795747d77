"""From tasks to quests: what follows from the documents together, and what a sync would create, change and cancel.

A sync goes by the id of a task and the hash of what its document says of it: done twice it changes nothing. What has
begun is never taken from under its agent: it is kept, and named as a conflict.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.quests.briefing import CUT, LARGEST_TEXT
from overmind_core.domain.quests.quest import Goal, Priority, QuestStatus
from overmind_core.domain.specs.check import VETOES, CheckContext
from overmind_core.domain.specs.document_json import thing_json, value_hash
from overmind_core.domain.specs.markdown import render_thing
from overmind_core.domain.specs.reading import owned
from overmind_core.domain.specs.shape import (
    SPEC_TASK,
    Coverage,
    CriticalPath,
    Requirements,
    SpecTask,
    Sync,
    Tasks,
)
from overmind_core.domain.specs.spec import PhaseName
from overmind_core.domain.text.graph import Cycle, order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Edges = Mapping[str, Sequence[str]]

SECONDS_OF_HOUR = 3600.0
_ROOM = 16
"""Bytes that say that something was left out."""


def compute(context: CheckContext, *, title: str = "") -> Sync:
    """Return the document of the phase sync, which no agent writes.

    Args:
        context: All documents that there are, and the repository's files.
        title: The spec's.
    """
    document = context.documents.get(PhaseName.TASKS)
    tasks = document.tasks if isinstance(document, Tasks) else ()
    other = context.documents.get(PhaseName.REQUIREMENTS)
    requirements = other.requirements if isinstance(other, Requirements) else ()
    try:
        ordered = tuple(order({task.id: task.needs for task in tasks}))
    except Cycle:
        ordered = ()
    blockers = VETOES[PhaseName.SYNC](Sync(), context)
    return Sync(
        title=title,
        coverage=tuple(
            Coverage(one.id, tuple(task.id for task in tasks if one.id in task.requirements)) for one in requirements
        ),
        order=ordered,
        critical_path=critical_path(tasks, ordered),
        hours=_rounded(sum(task.hours or 0.0 for task in tasks)) if tasks else None,
        blockers=tuple(dict.fromkeys(veto.text for veto in blockers)),
    )


def critical_path(tasks: Sequence[SpecTask], ordered: Sequence[str]) -> CriticalPath:
    """Return the chain of needs that takes most hours; of those that take the same, the first by their ids.

    Args:
        tasks: One without hours takes none.
        ordered: Their ids, needs first; empty where they need each other.
    """
    by_id = {task.id: task for task in tasks}
    best: dict[str, tuple[float, tuple[str, ...]]] = {}
    for name in ordered:
        task = by_id[name]
        chains = [best[need] for need in task.needs if need in best]
        hours, path = min(chains, key=_longest_first, default=(0.0, ()))
        best[name] = _rounded(hours + (task.hours or 0.0)), (*path, name)
    if not best:
        return CriticalPath()
    hours, path = min(best.values(), key=_longest_first)
    return CriticalPath(path, hours)


def _longest_first(chain: tuple[float, tuple[str, ...]]) -> tuple[float, tuple[str, ...]]:
    return -chain[0], chain[1]


def _rounded(hours: float) -> float:
    """Return a sum of hours without the dust of binary fractions."""
    return round(hours, 6)


class SyncAction(StrEnum):
    """What a sync does about one task, or about a quest whose task is gone."""

    CREATE = "create"
    UPDATE = "update"
    SKIP = "skip"
    """Nothing has changed."""
    CONFLICT = "conflict"
    """The task has changed, or is gone, but its quest has begun: it stays as it is."""
    CANCEL = "cancel"


COUNTED: Mapping[SyncAction, str] = {
    SyncAction.CREATE: "created",
    SyncAction.UPDATE: "updated",
    SyncAction.SKIP: "skipped",
    SyncAction.CONFLICT: "conflicts",
    SyncAction.CANCEL: "cancelled",
}
"""How a sentence counts them, in its order."""


class SyncedTask(NamedTuple):
    """The quest that was made of a task."""

    quest: str
    """Its id."""
    sha256: str
    """Of the task as the quest was made or last changed by it; "" for one that a sync has cancelled."""
    status: QuestStatus


class SyncStep(NamedTuple):
    """One thing that a sync does."""

    action: SyncAction
    task: str
    """Its id."""
    quest: str | None
    """Id of the quest that is there; None: it has to be created."""


def task_hash(task: SpecTask) -> str:
    """Return the SHA-256 of all that a document says of a task, in hex."""
    return value_hash(thing_json(task, SPEC_TASK))


_CHANGES = frozenset({QuestStatus.QUEUED, QuestStatus.FAILED, QuestStatus.CANCELLED})
"""How a quest stands that may be changed: nobody works on it, and nothing of it has landed."""


def steps(existing: Mapping[str, SyncedTask], document: Tasks) -> tuple[SyncStep, ...]:
    """Return what a sync does: first for the tasks, each behind what it needs, then for quests whose tasks are gone.

    Args:
        existing: Id of a task → the quest that was made of it.
        document: Tasks that have passed their check.

    Raises:
        Cycle: they have not: they need each other.
    """
    by_id = {task.id: task for task in document.tasks}
    names = order({task.id: task.needs for task in document.tasks})
    found = [_step(by_id[name], existing.get(name)) for name in names]
    for name, one in existing.items():
        if name not in by_id and one.status is QuestStatus.QUEUED:
            found.append(SyncStep(SyncAction.CANCEL, name, one.quest))
        elif name not in by_id and one.status in {QuestStatus.RUNNING, QuestStatus.REVIEW}:
            found.append(SyncStep(SyncAction.CONFLICT, name, one.quest))
    return tuple(found)


def _step(task: SpecTask, existing: SyncedTask | None) -> SyncStep:
    if existing is None:
        return SyncStep(SyncAction.CREATE, task.id, None)
    if existing.sha256 == task_hash(task):
        return SyncStep(SyncAction.SKIP, task.id, existing.quest)
    action = SyncAction.UPDATE if existing.status in _CHANGES else SyncAction.CONFLICT
    return SyncStep(action, task.id, existing.quest)


def conflicts(existing: Mapping[str, SyncedTask], tasks: Iterable[SpecTask]) -> list[str]:
    """Return the ids of tasks that have changed since their quests began, whatever else a sync does."""
    return [task.id for task in tasks if _step(task, existing.get(task.id)).action is SyncAction.CONFLICT]


def counts(made: Sequence[SyncStep]) -> dict[str, int]:
    """Return how many of each: `{"created": 6, "updated": 0, …}`."""
    found = Counter(step.action for step in made)
    return {word: found[action] for action, word in COUNTED.items()}


def goal_of(task: SpecTask, *, priority: Priority, into: str | None, verify: str | None = None) -> Goal:
    """Return what the quest of a task has to reach; what it needs is for who knows the quests.

    Args:
        task: Of a document that has passed.
        priority: The spec's, where the task has none of the known ones.
        into: The spec's branch, on which it lands; None: there is no repository.
        verify: The shell command that has to succeed on the merged work.
    """
    return Goal(
        title=task.title or task.id,
        brief=_brief(task),
        priority=priority_of(task, priority),
        owns=tuple(dict.fromkeys(map(owned, (*task.creates, *task.modifies)))),
        into=into,
        verify=verify if into else None,
        allow_empty=not (task.creates or task.modifies),  # one that names files is not done where it touched none
        estimate=round((task.hours or 0.0) * SECONDS_OF_HOUR, 3) or None,
        group=task.group or None,
    )


def _brief(task: SpecTask) -> str:
    """Return a task as its document has it; all of an endless one is in that document."""
    text = render_thing(task, SPEC_TASK)
    data = text.encode()
    if len(data) <= LARGEST_TEXT:
        return text
    return f"{data[: LARGEST_TEXT - _ROOM].decode(errors='ignore')}\n{CUT}\n"


def priority_of(task: SpecTask, otherwise: Priority) -> Priority:
    """Return how urgent a task is: no document makes itself critical."""
    try:
        found = Priority(task.priority.lower())
    except ValueError:
        return otherwise
    return Priority.HIGH if found is Priority.CRITICAL else found
