"""A `run` that is to be isolated: what is refused at once, and what is recorded together with the mission."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from overmind_core.domain.isolation.isolation import Isolation
from overmind_core.domain.isolation.project import Project
from overmind_core.domain.isolation.saga import saga_of, steps
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.isolation import stray_containers
from overmind_core.isolation.errors import no_commits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from overmind_core.isolation.projects import Inspected
    from overmind_core.isolation.workspace import Workspace

WORKTREES = ".overmind/worktrees"


@dataclass(frozen=True, slots=True)
class Planned:
    """A mission that is to be isolated, before it has an id."""

    looked: Inspected
    project: Project
    engine: str | None
    note: str
    """A sentence for the person, "" for none."""

    @property
    def has_worktree(self) -> bool:
        """Whether it gets a worktree."""
        return self.looked.repository is not None and self.project.worktree

    def folder(self, mission: str) -> str:
        """Where the mission with this id will run; in wire form."""
        source = to_wire(self.looked.source)
        top = f"{source}/{WORKTREES}/{mission}" if self.has_worktree else source
        subfolder = to_wire(self.looked.subfolder)
        return f"{top}/{subfolder}" if subfolder else top

    def isolation(self, mission: str, name: str, ports: dict[str, int]) -> Isolation:
        """What is recorded."""
        looked, repository = self.looked, self.looked.repository
        source = to_wire(looked.source)
        worktree = f"{source}/{WORKTREES}/{mission}" if self.has_worktree else None
        base = self.project.base
        if repository is not None and base is None and looked.shared:  # it goes on from where its parent is
            base = to_wire(repository.branch or repository.head or "")
        return Isolation(
            mission,
            name,
            source,
            to_wire(looked.subfolder),
            self.project,
            saga_of(steps(self.project, worktree=self.has_worktree)),
            repository=None if repository is None else to_wire(repository.common),
            worktree=worktree,
            base=base,
            engine=self.engine,
            ports=ports,
        )


async def planned(workspace: Workspace, folder: str, environ: Mapping[str, str]) -> Planned:
    """How a mission that works in `folder` (wire form) is to be isolated.

    Raises:
        OvermindError: `untrusted_project`, `invalid`, `docker_missing`, `git_failed`: nothing was recorded.
    """
    looked = await workspace.projects.inspect(folder, environ)
    if looked.found is not None and not looked.trusted:
        raise untrusted(looked)
    project = Project() if looked.found is None else looked.found.project
    note = ""
    if looked.repository is None:
        where = f"{to_wire(looked.source)} is not in a git repository"
        note = f"{where}: missions get their own ports and services, but no worktree."
    elif project.worktree and looked.repository.head is None:
        raise no_commits(to_wire(looked.source))
    engine = await workspace.engines.find(environ) if project.containers else None
    return Planned(looked, project, engine, workspace.once(looked.source, note))


def untrusted(looked: Inspected) -> OvermindError:
    """A person has to see first what the file runs."""
    from overmind_core.project_file.file import commands  # noqa: PLC0415 - YAML is for those who have such a file

    assert looked.found is not None
    path = to_wire(looked.found.path)
    why = "has changed since it was trusted" if looked.changed else "is not trusted yet"
    folder = to_wire(os.path.dirname(looked.found.path))
    told = f"{path} {why}, and it runs commands. Review it, then: overmind trust {folder} (or run with --no-isolate)"
    return OvermindError(
        "untrusted_project",
        told,
        path=path,
        sha256=looked.found.sha256,
        commands=[to_wire(one) for one in commands(looked.found.project)],
        changed=looked.changed,
    )


async def record(workspace: Workspace, planned: Planned, mission: str, name: str) -> Callable[[], None]:
    """Reserve what is reserved at once; what is returned is saved in the commit of the mission.

    Raises:
        OvermindError: `port_range_exhausted`; nothing is reserved.
    """
    ports = await workspace.ports.reserve(mission, planned.project, {})
    isolation = planned.isolation(mission, name, ports)
    workspace.records[mission] = isolation

    def write() -> None:
        workspace.write(isolation)
        workspace.ports.hold(mission)

    if planned.engine is not None:
        stray_containers.remember(workspace, planned.engine)
    return write


def renewed(isolation: Isolation, generation: int, ports: Mapping[str, int]) -> Isolation:
    """The record at the beginning of another preparation."""
    saga = saga_of(steps(isolation.project, worktree=isolation.worktree is not None))
    return replace(isolation, saga=saga, generation=generation, ports=dict(ports), ended=False)
