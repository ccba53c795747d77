"""The record of an isolated mission, made again of what stands on disk: for a recovery that has lost it.

A worktree carries git's mark of who made it and for which branch, the branch's log says where it began, and containers
have fixed names. What nobody can know any more is left out: then all in a worktree counts as work.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from overmind_core.domain.isolation.isolation import Isolation, container_name, volume_name
from overmind_core.domain.isolation.project import Project
from overmind_core.domain.isolation.saga import Saga, SagaPhase, steps
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.domain.text.problems import Problems
from overmind_core.git.branches import began_at
from overmind_core.git.layout import checkout_around, folders_of
from overmind_core.git.repository import HEAD, HEADS, branch_of, is_ancestor, resolve
from overmind_core.git.run import Git, GitFailed, GitMissing
from overmind_core.git.worktree_removal import claimed_branch
from overmind_core.git.worktrees import branch_mark
from overmind_core.isolation.plan import WORKTREES
from overmind_core.isolation.steps.services import LABEL
from overmind_core.project_file import file

if TYPE_CHECKING:
    from overmind_core.domain.missions.mission import Mission

_ID = re.compile(r"[0-9a-f]{8}")
"""The id of a mission, as the name of its worktree."""
_OF_BRANCH = "overmind/"
"""Before a mission's name in its branch, where the project wants no other."""


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """A mission of which the record of what it has of its own is lost. Texts in wire form."""

    id: str
    name: str = ""
    """As far as it is known."""
    mission: Mission | None = None
    """None: it is lost, too, or was removed."""
    children: Collection[Mission] = ()
    base: str | None = None
    """The branch on which its work is to land; None: nobody knows of one."""
    ports: Mapping[str, int] = field(default_factory=dict)


class Adoption:
    """Makes records again. Blocks: it runs git.

    Args:
        git: Git as the person runs it.
        trusted: Tells whether a project's file, by its path in wire form, was trusted with a content by its SHA-256.
        engines: Addresses of the container engines that were used.
    """

    def __init__(self, git: Git, trusted: Callable[[str, str], bool], engines: Collection[str]) -> None:
        self._git = git
        self._trusted = trusted
        self._engine = next(iter(engines)) if len(engines) == 1 else None

    def adopt(self, one: Unrecorded, sources: Iterable[str]) -> Isolation | None:
        """The record of a mission; None: it has no worktree, or nobody knows where. `lost`: it had, and all is gone.

        `sources`: the tops of checkouts, in wire form, where the worktree of a mission that is lost may be.
        """
        if one.mission is not None:
            place = own_worktree(one.mission)
            return None if place is None else self._made(one, *place)
        for source in sources if _ID.fullmatch(one.id) else ():
            if branch_mark(worktree_in(from_wire(source), one.id)) is not None:
                return self._made(one, source, "")
        return None

    def _made(self, one: Unrecorded, source: str, subfolder: str) -> Isolation:
        path = worktree_in(from_wire(source), one.id)
        folders = folders_of(path) if os.path.isdir(path) else None
        branch = self._branch(from_wire(source), path)
        project = self._project(from_wire(source))
        base, commit = self._base(from_wire(source), branch, one.base)
        common = folders or folders_of(from_wire(source))
        return Isolation(
            one.id,
            one.name or (one.id if branch is None else to_wire(branch).removeprefix(_OF_BRANCH)),
            source,
            subfolder,
            project,
            _all_taken(project),
            generation=0 if one.mission is None else one.mission.restart_count,
            repository=None if common is None else to_wire(common.common),
            worktree=to_wire(path),
            branch=None if branch is None else to_wire(branch),
            base=None if base is None else to_wire(base),
            base_commit=commit,
            engine=self._engine if project.containers else None,
            ports=dict(one.ports),
            containers=self._containers(one.id, project),
            volumes=self._volumes(one.id, project),
            services={child.definition.labels[LABEL]: child.id for child in one.children},
            ready_once=branch is not None,
            ready_at=None if branch is None else 0,
            ended=one.mission is None or not one.mission.is_live,
            lost=branch is None,
        )

    def _branch(self, source: str, path: str) -> str | None:
        """The branch of a worktree, there or not; None: there is none."""
        with suppress(GitFailed, GitMissing):
            marked = branch_mark(path)
            if marked is not None:
                return marked
            return claimed_branch(self._git, source, path)
        return None

    def _base(self, source: str, branch: str | None, into: str | None) -> tuple[str | None, str | None]:
        """The branch at which one began, or the commit where that has no name, and that commit."""
        base = None if into is None else from_wire(into)
        with suppress(GitFailed, GitMissing):
            began = None if branch is None else began_at(self._git, source, branch)
            if began is None:
                return base, None if base is None else resolve(self._git, source, HEADS + base)
            if base is None and is_ancestor(self._git, source, began, HEAD):
                base = branch_of(self._git, source)
            return base or began, began
        return base, None

    def _project(self, source: str) -> Project:
        """What its file wants, where a person has trusted it as it is."""
        with suppress(Problems, file.Unreadable):
            found = file.load(source)
            if found is not None and self._trusted(to_wire(found.path), found.sha256):
                return found.project
        return Project()

    def _containers(self, mission: str, project: Project) -> dict[str, str]:
        if self._engine is None:
            return {}
        return {one.name: container_name(mission, one.name) for one in project.containers}

    def _volumes(self, mission: str, project: Project) -> tuple[str, ...]:
        if self._engine is None:
            return ()
        return tuple(volume_name(mission, one.name, name) for one in project.containers for name in one.volumes)


def own_worktree(mission: Mission) -> tuple[str, str] | None:
    """The top of the checkout and the folder below it, in wire form, of a mission with a worktree of its own."""
    source, found, rest = mission.definition.cwd.partition(f"/{WORKTREES}/{mission.id}")
    if not found or not mission.definition.isolated or not (not rest or rest.startswith("/")):
        return None
    return source, rest.removeprefix("/")


def source_of(folder: str) -> str | None:
    """The top of the person's checkout around a folder, both in wire form; None: there is none."""
    source, found, _ = folder.partition(f"/{WORKTREES}/")
    if found:
        return source
    around = checkout_around(from_wire(folder))
    return None if around is None else to_wire(around.top)


def worktree_in(source: str, mission: str) -> str:
    """The path of a mission's worktree in a checkout; texts of the system."""
    return os.path.join(source, WORKTREES, mission)


def _all_taken(project: Project) -> Saga:
    """The steps of a preparation that is over."""
    taken = steps(project, worktree=True)
    return Saga(taken, at=len(taken), phase=SagaPhase.DONE)
