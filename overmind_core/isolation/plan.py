"""A `run` that is to be isolated: what is refused at once, and what is recorded together with the mission."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from overmind_core.domain.isolation.isolation import Isolation, WorkCopy
from overmind_core.domain.isolation.project import FILE, Project
from overmind_core.domain.isolation.saga import saga_of, steps
from overmind_core.domain.text.bytestrings import from_wire, to_wire
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
    base: str | None = None
    """The branch that its worktree begins at; None: the project's, else what is checked out. Wire form."""
    copy_of: WorkCopy | None = None
    """The work of another mission that its worktree begins with instead."""

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
        base = self.project.base if self.base is None else self.base
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
            copy_of=self.copy_of,
        )


async def planned(workspace: Workspace, folder: str, environ: Mapping[str, str], *, base: str | None = None) -> Planned:
    """How a mission that works in `folder` (wire form) is to be isolated; `base`: see `Planned`.

    Raises:
        OvermindError: `untrusted_project`, `invalid`, `docker_missing`, `git_failed`: nothing was recorded.
    """
    looked = await workspace.projects.inspect(folder, environ, branch=base)
    if looked.found is not None and not looked.trusted:
        raise untrusted(looked)
    project = Project() if looked.found is None else looked.found.project
    note = ""
    if looked.repository is None:
        where = f"{to_wire(looked.source)} is not in a git repository"
        note = f"{where}: missions get their own ports and services, but no worktree."
    elif project.worktree and looked.repository.head is None:
        raise no_commits(to_wire(looked.source))
    if base is not None:
        await _check_base(workspace, looked, project, environ, base)
    engine = await workspace.engines.find(environ) if project.containers else None
    return Planned(looked, project, engine, workspace.once(looked.source, note), base)


async def planned_copy(workspace: Workspace, source: Isolation, environ: Mapping[str, str]) -> Planned:
    """How a fork of a mission with things of its own is to be isolated: it begins with all that is in its worktree.

    Of a mission whose worktree is gone, it begins at the base.

    Raises:
        OvermindError: as `planned`; `git_failed`, what is in the worktree can't be read.
    """
    plan = await planned(workspace, source.project_folder, environ)
    if source.worktree is None or not plan.has_worktree:
        return plan
    if source.branch is None or not await workspace.in_thread(os.path.isdir, from_wire(source.worktree)):
        note = f"The worktree of {source.name} is gone: this one begins at its base."
        return replace(plan, base=source.base, note=note)
    from overmind_core.git.merge import tree_of_all  # noqa: PLC0415 - for forks
    from overmind_core.git.repository import resolve  # noqa: PLC0415 - same
    from overmind_core.isolation.steps.worktree import with_git  # noqa: PLC0415 - same

    git, worktree = workspace.git(source), from_wire(source.worktree)
    commit = await with_git(workspace, resolve, git, worktree, "HEAD")
    if commit is None:
        raise no_commits(source.worktree)
    tree = await with_git(workspace, tree_of_all, git, worktree)  # its agent may commit meanwhile: then it is in this
    return replace(plan, base=source.base, copy_of=WorkCopy(commit, tree, source.base_commit))


async def _check_base(
    workspace: Workspace, looked: Inspected, project: Project, environ: Mapping[str, str], base: str
) -> None:
    """See that a worktree can begin at the branch `base` (wire form).

    Raises:
        OvermindError: `invalid`, there is no worktree, or no such branch; `git_failed`.
    """
    from overmind_core.git.run import Git  # noqa: PLC0415 - for those who name a base
    from overmind_core.git.worktree_base import is_branch  # noqa: PLC0415 - same
    from overmind_core.isolation.steps.worktree import with_git  # noqa: PLC0415 - same

    source = to_wire(looked.source)
    if looked.repository is None:
        raise OvermindError("invalid", f"There is no branch {base!r}: {source} is not in a git repository.")
    if not project.worktree:
        raise OvermindError("invalid", f"The branch {base!r} needs a worktree: {source}/{FILE} says `worktree: false`.")
    if looked.repository.asked is not None:
        return
    git = Git({from_wire(name): from_wire(value) for name, value in environ.items()}, home=workspace.home)
    if not await with_git(workspace, is_branch, git, looked.repository.top, from_wire(base)):
        raise OvermindError("invalid", f"There is no branch {base!r} in {source}. See: git branch --all")


def untrusted(looked: Inspected) -> OvermindError:
    """A person has to see first what the file runs."""
    from overmind_core.project_file.file import commands  # noqa: PLC0415 - YAML is for those who have such a file

    assert looked.found is not None
    path = to_wire(looked.found.path)
    why = "has changed since it was trusted" if looked.changed else "is not trusted yet"
    where = shlex.quote(to_wire(os.path.dirname(looked.found.path)))
    message = f"{path} {why}, and it runs commands. Review it, then: overmind trust {where} (or run with --no-isolate)"
    return OvermindError(
        "untrusted_project",
        message,
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
    isolation = _going_on(planned.isolation(mission, name, ports), workspace.records.get(mission))
    workspace.records[mission] = isolation

    def write() -> None:
        workspace.write(isolation)
        workspace.ports.hold(mission)

    if planned.engine is not None:
        stray_containers.remember(workspace, planned.engine)
    return write


def _going_on(isolation: Isolation, known: Isolation | None) -> Isolation:
    """The record of a mission whose own was lost with the state: it goes on in the worktree that stands on disk."""
    if known is None or known.worktree != isolation.worktree:
        return isolation
    return replace(
        isolation,
        branch=known.branch,
        base=known.base or isolation.base,
        base_commit=known.base_commit,
        ready_once=known.ready_once,
        ready_at=known.ready_at,
    )


def renewed(isolation: Isolation, generation: int, ports: Mapping[str, int]) -> Isolation:
    """The record at the beginning of another preparation."""
    saga = saga_of(steps(isolation.project, worktree=isolation.worktree is not None))
    return replace(isolation, saga=saga, generation=generation, ports=dict(ports), ended=False)
