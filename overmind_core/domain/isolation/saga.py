"""The saga of a preparation: its steps in order, how far it has come, and what comes next. Pure.

All of its steps hold in the end, or none that it took. Each step is checked first: what holds already (another start of
the same mission) is passed and never undone. What does not is recorded as begun, and saved, before it is touched. After
a crash the step that was under way is undone and taken again; after a failure every step that this preparation took is
undone, the newest first. Data: who carries it out is elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from overmind_core.domain.isolation.project import Project


class StepKind(StrEnum):
    """The kind of a step; the same for doing and undoing it."""

    WORKTREE = "worktree"
    """A branch and a worktree; undone, both are gone."""
    FILES = "files"
    """What git ignores but the work needs; gone with the worktree."""
    IMAGE = "image"
    """Pulled, if it is not there; never undone: it belongs to the machine."""
    CONTAINER = "container"
    """Created with its volumes and started; undone, container and volumes are gone."""
    SETUP = "setup"
    """The project's commands, as a run of the mission; gone with the worktree."""
    SERVICE = "service"
    """A process as a child mission; undone, it is ended."""
    READY = "ready"
    """Waited for; nothing to undo."""


@dataclass(frozen=True, slots=True)
class SagaStep:
    """One step; `service` for those that are about one."""

    act: StepKind
    service: str = ""

    def __str__(self) -> str:
        """Return what people read, such as `container db`."""
        return f"{self.act} {self.service}" if self.service else str(self.act)


def steps(project: Project, *, worktree: bool) -> tuple[SagaStep, ...]:
    """What to do, in order: containers before the set-up, which may need them, processes after it, which need that.

    Args:
        project: What is wanted.
        worktree: Whether there is to be one: it is a git repository, and the project wants it.
    """
    found: list[SagaStep] = []
    if worktree:
        found.append(SagaStep(StepKind.WORKTREE))
        if project.copy or project.link:
            found.append(SagaStep(StepKind.FILES))
    found += [SagaStep(StepKind.IMAGE, one.name) for one in project.containers]
    found += [SagaStep(StepKind.CONTAINER, one.name) for one in project.containers]
    found += [SagaStep(StepKind.READY, one.name) for one in project.containers]
    if project.setup:
        found.append(SagaStep(StepKind.SETUP))
    for one in project.processes:
        found.append(SagaStep(StepKind.SERVICE, one.name))
        if one.ready is not None:
            found.append(SagaStep(StepKind.READY, one.name))
    return tuple(found)


class SagaPhase(StrEnum):
    """Where a preparation stands."""

    FORWARD = "forward"
    BACKWARD = "backward"
    """It failed, or is no longer wanted: what it took is undone."""
    DONE = "done"
    """Every step holds."""
    UNDONE = "undone"
    """Nothing that it took is left."""


class CheckStep(NamedTuple):
    """See whether the step holds; then `passed` or `begun`."""

    step: SagaStep


class TakeStep(NamedTuple):
    """Do the step, which is recorded as begun; then `taken` or `failed`."""

    step: SagaStep


class UndoStep(NamedTuple):
    """Undo the step, however far it came; then `undone`."""

    step: SagaStep


Next = CheckStep | TakeStep | UndoStep | None


@dataclass(frozen=True, slots=True)
class Saga:
    """The steps of one mission and how far they are. Replaced, never changed."""

    steps: tuple[SagaStep, ...]
    at: int = 0
    """Index of the step that comes next or is under way."""
    begun: tuple[int, ...] = ()
    """Indices of the steps that this preparation took or is taking, oldest first."""
    phase: SagaPhase = SagaPhase.FORWARD
    repeat: bool = False
    """The step under way was interrupted: it is undone before it is taken again."""
    error: str | None = None
    """Code of why it failed."""
    message: str | None = None
    """Sentence of why it failed, and how to go on."""

    @property
    def under_way(self) -> SagaStep | None:
        """The step that is being looked at, taken or undone."""
        if self.phase is SagaPhase.FORWARD and self.at < len(self.steps):
            return self.steps[self.at]
        if self.phase is SagaPhase.BACKWARD and self.begun:
            return self.steps[self.begun[-1]]
        return None


def next_action(saga: Saga) -> Next:
    """What to do next; None when it is over, one way or the other."""
    step = saga.under_way
    if step is None:
        return None
    if saga.phase is SagaPhase.BACKWARD or saga.repeat:
        return UndoStep(step)
    return TakeStep(step) if saga.at in saga.begun else CheckStep(step)


def passed(saga: Saga) -> Saga:
    """The step holds already."""
    return _forward(saga)


def begun(saga: Saga) -> Saga:
    """The step does not hold: it is recorded before it is taken."""
    return replace(saga, begun=(*saga.begun, saga.at))


def taken(saga: Saga) -> Saga:
    """The step is done."""
    return _forward(saga)


def failed(saga: Saga, code: str, message: str) -> Saga:
    """A step can't be done, or is not wanted any more: undo what was taken."""
    return _settled(replace(saga, phase=SagaPhase.BACKWARD, repeat=False, error=code, message=message))


def undone(saga: Saga) -> Saga:
    """The step is undone: when it is to be repeated it can be taken now, else the one before it is next."""
    if saga.repeat:
        return replace(saga, repeat=False)
    return _settled(replace(saga, begun=saga.begun[:-1]))


def interrupted(saga: Saga) -> Saga:
    """The saga under another supervisor: a step that was begun may be half done."""
    if saga.phase is SagaPhase.FORWARD and saga.at in saga.begun:
        return replace(saga, repeat=True)
    return saga


def saga_of(steps: tuple[SagaStep, ...]) -> Saga:
    """The beginning of a preparation, the first one or another: what holds of an earlier one is passed."""
    return _forward(Saga(steps, at=-1))


def _forward(saga: Saga) -> Saga:
    at = saga.at + 1
    return replace(saga, at=at, phase=SagaPhase.DONE if at >= len(saga.steps) else SagaPhase.FORWARD)


def _settled(saga: Saga) -> Saga:
    return saga if saga.begun else replace(saga, phase=SagaPhase.UNDONE)
