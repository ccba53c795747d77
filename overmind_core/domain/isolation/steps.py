"""What is done, in which order, until an isolated mission can start. Data: who does it is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from overmind_core.domain.isolation.project import Project


class Act(StrEnum):
    """What a step does; undoing it is the same word backwards."""

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
class Step:
    """One step; `service` for those that are about one."""

    act: Act
    service: str = ""

    def __str__(self) -> str:
        """Return what people read, such as `container db`."""
        return f"{self.act} {self.service}" if self.service else str(self.act)


def steps(project: Project, *, worktree: bool) -> tuple[Step, ...]:
    """What to do, in order: containers before the set-up, which may need them, processes after it, which need that.

    Args:
        project: What is wanted.
        worktree: Whether there is to be one: it is a git repository, and the project wants it.
    """
    found: list[Step] = []
    if worktree:
        found.append(Step(Act.WORKTREE))
        if project.copy or project.link:
            found.append(Step(Act.FILES))
    found += [Step(Act.IMAGE, one.name) for one in project.containers]
    found += [Step(Act.CONTAINER, one.name) for one in project.containers]
    found += [Step(Act.READY, one.name) for one in project.containers]
    if project.setup:
        found.append(Step(Act.SETUP))
    for one in project.processes:
        found.append(Step(Act.SERVICE, one.name))
        if one.ready is not None:
            found.append(Step(Act.READY, one.name))
    return tuple(found)
