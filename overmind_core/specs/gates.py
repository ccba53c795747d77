"""The questions of gates: the score of a document, and of tasks their number, time, cost and new commands."""

from __future__ import annotations

import asyncio
from shlex import quote
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.specs.check import score_text
from overmind_core.domain.specs.commands import command_hash
from overmind_core.domain.specs.shape import Tasks
from overmind_core.domain.specs.spec import PhaseName
from overmind_core.domain.text.decimals import dollars
from overmind_core.spec_files.documents import document_name
from overmind_core.specs import documents

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from overmind_core.domain.specs.shape import SpecTask
    from overmind_core.domain.specs.spec import Spec, SpecPhase
    from overmind_core.specs.quest_maker import QuestMaker
    from overmind_core.specs.registry import SpecRegistry
    from overmind_core.specs.task_sync import TaskSync

    UsualCost = Callable[[str, str, str], float | None]
    """Type of work, provider and model → US dollars of an attempt; None: unknown."""


SHOWN_PATHS = 5
"""Files of a task that a question lists of each kind."""


class _Cost(NamedTuple):
    """What tasks are estimated to cost."""

    dollars: float | None
    """None: no cost is known."""
    unknown: int
    """Number of tasks whose cost is unknown."""

    @property
    def text(self) -> str:
        """The end of the summary; empty if no cost is known."""
        if self.dollars is None:
            return ""
        return f", about {dollars(self.dollars)}" + (f" without {self.unknown} of them" if self.unknown else "")


class GateQuestions:
    """Words the questions of gates. Used from the event loop's thread only."""

    def __init__(self, *, registry: SpecRegistry, maker: QuestMaker, sync: TaskSync, usual_cost: UsualCost) -> None:
        self._registry = registry
        self._maker = maker
        self._sync = sync
        self._usual_cost = usual_cost

    async def question(self, spec: Spec, record: SpecPhase, *, is_changed: bool) -> tuple[str, dict[str, Any]]:
        """The summary and the subject of the question about a document; `is_changed`: since it was shown before."""
        name = document_name(record.phase)
        score = score_text(record.score or 0.0)
        lines = [f"{spec.folder}/{name} passed with {score}"]
        lines += [f"{name} has changed since it was shown"] if is_changed else []
        lines += [f"hint: {one}" for one in record.hints]
        subject: dict[str, Any] = {"phase": record.phase, "score": record.score, "file": f"{spec.folder}/{name}"}
        if record.contested:
            new = record.beside
            lines.append(f"{name} was written or edited by a person, and stays. The agent's is beside it, as {new}.")
            lines.append(f"allow keeps {name} and removes {new}")
            lines.append(f"to take the agent's: mv {quote(f'{spec.folder}/{new}')} {quote(f'{spec.folder}/{name}')}")
        if record.phase is PhaseName.TASKS:
            tasks = await asyncio.to_thread(_tasks, spec)
            lines += self._about_tasks(spec, tasks, subject)
        return f"{spec.slug}: {record.phase} passed with {score}", {**subject, "lines": lines}

    def _about_tasks(self, spec: Spec, tasks: Sequence[SpecTask], subject: dict[str, Any]) -> list[str]:
        """The part of a question about tasks: how many, how long, and each new command."""
        known = set(self._registry.phase(spec.id, PhaseName.TASKS).commands) - set(spec.allowed)
        new = [text for text in dict.fromkeys(one.check for one in tasks) if text and command_hash(text) in known]
        hours, cost = sum(one.hours or 0.0 for one in tasks), self._cost(spec, tasks)
        begun = self._sync.conflicts(spec, tasks)
        subject.update(tasks=len(tasks), hours=hours, cost_usd=cost.dollars, commands=new)
        return [
            f"{counted(len(tasks), 'task')}, {counted(hours, 'hour')}{cost.text}",
            *(line for one in tasks for line in _task_lines(one)),
            *(f"new command: {text}" for text in new),
            *(f"{one} has changed, but its quest has begun, and stays as it is" for one in begun),
        ]

    def _cost(self, spec: Spec, tasks: Sequence[SpecTask]) -> _Cost:
        """The estimated cost of tasks, from what similar work has cost."""
        work = self._maker.work(spec)
        if work is None:
            return _Cost(None, len(tasks))
        model = "" if work.agent is None else work.agent.model or ""
        found = [self._usual_cost(one.type or one.group, work.definition.provider, model) for one in tasks]
        known = [one for one in found if one is not None]
        return _Cost(round(sum(known), 6) if known else None, len(found) - len(known))


def counted(number: float, word: str) -> str:
    """Return a number of things: `1 task`, `3.5 hours`."""
    return f"{number:g} {word}{'' if number == 1 else 's'}"


def _task_lines(task: SpecTask) -> list[str]:
    """The lines about a task: its title, then its time, its needs and the files that it makes or changes."""
    facts = (
        "" if task.hours is None else f"{task.hours:g} h",
        f"needs {', '.join(task.needs)}" if task.needs else "",
        f"creates {_listed(task.creates)}" if task.creates else "",
        f"modifies {_listed(task.modifies)}" if task.modifies else "",
    )
    about = " · ".join(filter(None, facts))
    return [f"{task.id} {task.title}", *([f"  {about}"] if about else [])]


def _listed(paths: Sequence[str]) -> str:
    more = len(paths) - SHOWN_PATHS
    return ", ".join((*paths[:SHOWN_PATHS], *((f"{more} more",) if more > 0 else ())))


def _tasks(spec: Spec) -> Sequence[SpecTask]:
    """The tasks of the document in the folder; blocks."""
    document = documents.standing(spec, PhaseName.TASKS)
    return document.tasks if isinstance(document, Tasks) else ()
