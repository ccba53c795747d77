"""The steps that make a worktree, and put into it what git ignores but the work needs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from overmind_core.domain.isolation import naming
from overmind_core.domain.isolation.steps import Act
from overmind_core.errors import OvermindError
from overmind_core.git import repository as git_repository
from overmind_core.git import worktrees
from overmind_core.git.run import GitFailed, GitMissing
from overmind_core.supervisor.isolation.failures import git_failed, git_missing, no_commits
from overmind_core.wire.bytestrings import from_wire, to_wire

if TYPE_CHECKING:
    from overmind_core.domain.isolation.record import Isolation
    from overmind_core.git.run import Git
    from overmind_core.supervisor.isolation.isolations import Isolations

T = TypeVar("T")


async def with_git(isolations: Isolations, function: Callable[..., T], *arguments: object) -> T:
    """Call something that runs git, in a thread.

    Raises:
        OvermindError: `git_failed`.
    """
    try:
        return await isolations.in_thread(function, *arguments)
    except GitFailed as error:
        raise git_failed(error) from None
    except GitMissing:
        raise git_missing() from None


class Worktree:
    """A branch and a worktree of one mission."""

    def __init__(self, isolations: Isolations, mission: str) -> None:
        self._isolations = isolations
        self._mission = mission

    async def holds(self, service: str) -> bool:
        """Whether it is there, whole."""
        del service
        one = self._record
        if one.worktree is None or one.branch is None:
            return False
        return await with_git(
            self._isolations, worktrees.holds, self._git, from_wire(one.worktree), from_wire(one.branch)
        )

    async def take(self, service: str) -> None:
        """Make both."""
        del service
        one = self._record
        assert one.worktree is not None
        repository = await with_git(self._isolations, git_repository.find, self._git, from_wire(one.source))
        if repository is None:
            raise OvermindError("git_failed", f"{one.source} is in no git repository any more.")
        if repository.head is None:
            raise no_commits(one.source)
        name = self._isolations.core.book.live[self._mission].definition.name
        wanted = naming.branches(one.project.branch, name=name, mission=self._mission)
        base = one.base if one.base is not None else one.project.base
        made = await with_git(
            self._isolations,
            worktrees.add,
            self._git,
            repository,
            from_wire(one.worktree),
            map(from_wire, wanted),
            None if base is None else from_wire(base),
            one.project.fetch,
        )
        self._made(made)
        await self._isolations.in_thread(_folder, from_wire(self._record.folder))

    async def undo(self, service: str) -> None:
        """Remove both; once the mission has run only if no work is lost."""
        del service
        one = self._record
        if one.worktree is None:
            return
        try:
            await with_git(self._isolations, _remove, self._git, one)
        except (worktrees.Dirty, worktrees.Unmerged):
            return  # a person's or an agent's work: only a person removes it
        self._isolations.put(replace(self._record, branch=None, base_commit=None))

    def text(self, service: str) -> str:
        """For people."""
        del service
        return "making a worktree"

    def _made(self, made: worktrees.Added) -> None:
        """The worktree is new: whatever was set up before was in another one."""
        self._isolations.put(
            replace(
                self._record,
                branch=to_wire(made.branch),
                base=to_wire(made.base),
                base_commit=made.base_commit,
            )
        )
        book = self._isolations.core.book
        mission = book.live.get(self._mission)
        if mission is not None and mission.set_up:
            book.put(replace(mission, set_up=False))

    @property
    def _record(self) -> Isolation:
        return self._isolations.records[self._mission]

    @property
    def _git(self) -> Git:
        return self._isolations.git(self._record)


class Files:
    """Files and links in a new worktree."""

    def __init__(self, isolations: Isolations, mission: str) -> None:
        self._isolations = isolations
        self._mission = mission

    async def holds(self, service: str) -> bool:
        """Whether the worktree is an old one: what an agent has made of it since is its own."""
        del service
        saga = self._isolations.records[self._mission].saga
        return not any(saga.steps[number].act is Act.WORKTREE for number in saga.begun)

    async def take(self, service: str) -> None:
        """Copy and link."""
        from overmind_core.projects.placing import PlacingFailed, place  # noqa: PLC0415 - for those who want it

        del service
        one = self._isolations.records[self._mission]
        assert one.worktree is not None
        try:
            await self._isolations.in_thread(
                place,
                from_wire(one.source),
                from_wire(one.worktree),
                [from_wire(pattern) for pattern in one.project.copy],
                [from_wire(path) for path in one.project.link],
            )
        except PlacingFailed as error:
            raise OvermindError("invalid", to_wire(str(error))) from None

    async def undo(self, service: str) -> None:
        """Nothing: they go with the worktree."""

    def text(self, service: str) -> str:
        """For people."""
        del service
        return "copying files"


def _remove(git: Git, isolation: Isolation) -> None:
    """Take away what was made, also when nobody could write down any more what its branch is called."""
    source, path = from_wire(isolation.source), from_wire(isolation.worktree or "")
    branch = worktrees.claimed(git, source, path) if isolation.branch is None else from_wire(isolation.branch)
    worktrees.remove(
        git,
        source,
        path,
        branch,
        force=not isolation.ready_once,
        base=None if isolation.base is None else from_wire(isolation.base),
        base_commit=isolation.base_commit,
    )


def _folder(path: str) -> None:
    """The folder that the mission was started in may be one that git knows nothing of."""
    os.makedirs(path, exist_ok=True)
