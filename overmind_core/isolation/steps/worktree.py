"""The steps that make a worktree, and put into it what git ignores but the work needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from overmind_core.domain.isolation.isolation import Removal, branches
from overmind_core.domain.isolation.keep import KeepRules
from overmind_core.domain.isolation.saga import StepKind
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.git import worktrees
from overmind_core.git.repository import HEADS, find_repository, resolve
from overmind_core.git.run import GitFailed, GitMissing
from overmind_core.git.status import RemovalRefused
from overmind_core.git.worktree_removal import RemovedWorktree, claimed_branch
from overmind_core.isolation.errors import git_failed, git_missing, no_commits
from overmind_core.isolation.events import FileLeftOut, GitWrote

if TYPE_CHECKING:
    from overmind_core.domain.events import MissionEvent
    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.git.repository import Repository
    from overmind_core.git.run import Git
    from overmind_core.isolation.workspace import Workspace

T = TypeVar("T")


LINES = 200
"""Lines of git in a mission's log, at most: the last ones."""


async def with_git(
    workspace: Workspace, function: Callable[..., T], *arguments: object, log: str = "", **named: object
) -> T:
    """Call something that runs git, in a thread.

    `log`: the mission whose log gets what git wrote, where it refuses with more than a line.

    Raises:
        OvermindError: `git_failed`.
    """
    try:
        return await workspace.in_thread(partial(function, *arguments, **named))
    except GitFailed as error:
        if len(lines := error.said.splitlines()) > 1:
            _log(workspace, log, (GitWrote(text=f"git | {to_wire(line)}") for line in lines[-LINES:]))
        raise git_failed(error) from None
    except GitMissing:
        raise git_missing() from None


def _log(workspace: Workspace, mission: str, events: Iterable[MissionEvent]) -> None:
    found = workspace.registry.live.get(mission)
    if found is not None:
        for event in events:
            workspace.registry.record(found, event)


class Worktree:
    """A branch and a worktree of one mission."""

    def __init__(self, workspace: Workspace, mission: str) -> None:
        self._workspace = workspace
        self._mission = mission

    async def holds(self, service: str) -> bool:
        """Whether it is there, whole."""
        del service
        one = self._record
        if one.worktree is None or one.branch is None:
            return False
        return await with_git(
            self._workspace, worktrees.holds, self._git, from_wire(one.worktree), from_wire(one.branch)
        )

    async def take(self, service: str) -> None:
        """Make both; a worktree that somebody has deleted is made of its branch."""
        del service
        repository = await self._repository()
        begun = await self._begin(repository)
        if begun is not None:
            notes = await self._run(worktrees.again, repository, self._path, begun)
            self._made(replace(self._record, half=False))
        else:
            made = await self._add(repository)
            notes = made.notes
            self._made(
                replace(
                    self._record,
                    half=False,
                    branch=to_wire(made.branch),
                    base=to_wire(made.base),
                    base_commit=made.base_commit,
                )
            )
        _log(self._workspace, self._mission, (FileLeftOut(text=f"--- {to_wire(note)} ---") for note in notes))
        await with_git(self._workspace, _folder, from_wire(self._record.folder))

    async def undo(self, service: str) -> None:
        """Remove both; once the mission has run only if no work is lost."""
        del service
        one = self._record
        if one.worktree is None or (one.branch is None and not one.half):
            return  # nothing was made: what is in its place is somebody's
        branch = None if one.branch is None else from_wire(one.branch)
        if one.half and branch is not None:  # it was made of that branch, which may have work
            await self._run(worktrees.remove, from_wire(one.source), self._path, None, force=True)
            self._workspace.put(replace(self._record, half=False))
            return
        try:
            await self._run(remove, one, force=one.half or not one.ready_once)
        except RemovalRefused:
            return  # a person's or an agent's work: only a person removes it
        self._workspace.put(replace(self._record, half=False, branch=None, base_commit=None))

    def text(self, service: str) -> str:
        """For people."""
        del service
        return "making a worktree"

    async def _repository(self) -> Repository:
        one = self._record
        repository = await self._run(find_repository, from_wire(one.source), branch=self._base)
        if repository is None:
            raise OvermindError("git_failed", f"{one.source} is no longer in a git repository.")
        if repository.head is None:
            raise no_commits(one.source)
        return repository

    async def _begin(self, repository: Repository) -> str | None:
        """Write down that it is being made, so that nothing of it can be forgotten; the branch, where there is one."""
        await with_git(self._workspace, _free, from_wire(self._record.source), self._path)
        one = self._record
        branch = None if one.branch is None else from_wire(one.branch)
        if branch is not None and await self._run(resolve, repository.common, HEADS + branch) is None:
            branch = None
        kept = one if branch is not None else replace(one, branch=None, base_commit=None)
        self._workspace.put(replace(kept, half=True, lost=False, removed=Removal.NONE))
        await self._workspace.saved()
        return branch

    async def _add(self, repository: Repository) -> worktrees.NewWorktree:
        """Make both new: at the base, or with all the work of the mission that this one is a fork of."""
        one = self._record
        copied = None if one.ready_once else one.copy_of  # a fresh one begins as any other: git keeps no tree for ever
        if copied is None:
            return await self._add_at(repository, self._base, fetch=one.project.fetch)
        made = await self._add_at(repository, copied.commit, fetch=False)
        from overmind_core.git.merge import restore_files  # noqa: PLC0415 - for forks

        await self._run(restore_files, self._path, copied.tree)
        base = made.base if one.base is None else from_wire(one.base)
        return made._replace(base=base, base_commit=copied.base_commit or made.base_commit)

    async def _add_at(self, repository: Repository, base: str | None, *, fetch: bool) -> worktrees.NewWorktree:
        one = self._record
        name = self._workspace.registry.live[self._mission].definition.name
        wanted = branches(one.project.branch, name=name, mission=self._mission)
        return await self._run(
            worktrees.add,
            repository,
            self._path,
            map(from_wire, wanted),
            base,
            fetch,
        )

    def _made(self, isolation: Isolation) -> None:
        """The worktree is new: whatever was set up before was in another one."""
        self._workspace.put(replace(isolation, ready_at=None))
        book = self._workspace.registry
        mission = book.live.get(self._mission)
        if mission is not None and mission.set_up:
            book.put(replace(mission, set_up=False))

    async def _run(self, function: Callable[..., T], *arguments: object, **named: object) -> T:
        return await with_git(self._workspace, function, self._git, *arguments, log=self._mission, **named)

    @property
    def _base(self) -> str | None:
        one = self._record
        base = one.base if one.base is not None else one.project.base
        return None if base is None else from_wire(base)

    @property
    def _path(self) -> str:
        return from_wire(self._record.worktree or "")

    @property
    def _record(self) -> Isolation:
        return self._workspace.records[self._mission]

    @property
    def _git(self) -> Git:
        return self._workspace.git(self._record)


class FilesStep:
    """Files and links in a new worktree."""

    def __init__(self, workspace: Workspace, mission: str) -> None:
        self._workspace = workspace
        self._mission = mission

    async def holds(self, service: str) -> bool:
        """Whether the worktree is an old one: what an agent has made of it since is its own."""
        del service
        saga = self._workspace.records[self._mission].saga
        return not any(saga.steps[number].act is StepKind.WORKTREE for number in saga.begun)

    async def take(self, service: str) -> None:
        """Copy and link; what is left out is recorded in the mission's log."""
        from overmind_core.isolation.copy_files import PlacingFailed  # noqa: PLC0415 - for those who want it

        del service
        one = self._workspace.records[self._mission]
        try:
            notes = await self._workspace.in_thread(_placed, self._workspace.git(one), one)
        except PlacingFailed as error:
            raise OvermindError("disk_full" if error.is_full else "invalid", to_wire(str(error))) from None
        missing = (FileLeftOut(text=f"--- {line} ---") for line in notes if line.startswith("not "))
        _log(self._workspace, self._mission, missing)

    async def undo(self, service: str) -> None:
        """Nothing: they go with the worktree."""

    def text(self, service: str) -> str:
        """For people."""
        del service
        return "copying files"


def _placed(git: Git, isolation: Isolation) -> tuple[str, ...]:
    """Copy and link, and have git ignore the links to what it ignores; a line for each thing. Blocks.

    A link that git would take for a new file would be committed: it is taken away again.
    """
    from overmind_core.isolation.copy_files import copy_and_link  # noqa: PLC0415 - for those who want it

    source, worktree, project = from_wire(isolation.source), from_wire(isolation.worktree or ""), isolation.project
    notes = copy_and_link(source, worktree, project.copy, project.link)
    new = worktrees.new_links(git, source, worktree, map(from_wire, project.link))
    try:
        worktrees.exclude_paths(from_wire(isolation.repository or ""), new)
    except GitFailed as error:
        for path in new:
            os.unlink(os.path.join(worktree, path))
        return (*notes, *(to_wire(f"not linked: {path}, because git would commit it: {error.reason}") for path in new))
    return notes


def remove(git: Git, isolation: Isolation, *, force: bool, folder_only: bool = False) -> RemovedWorktree:
    """Take a worktree and its branch away, also when nobody could write down any more what that is called. Blocks.

    Args:
        git: For the mission.
        isolation: What the mission has.
        force: Whether work that is nowhere else goes too.
        folder_only: Whether the branch stays.

    Raises:
        RemovalRefused: there is work that is nowhere else, and no `force`.
        GitFailed: something can't be deleted; it may be called again.
        GitMissing: there is no git.
    """
    source, path = from_wire(isolation.source), from_wire(isolation.worktree or "")
    branch = from_wire(isolation.branch) if isolation.branch is not None else None
    if branch is None and os.path.isdir(source):
        branch = claimed_branch(git, source, path)
    return worktrees.remove(
        git,
        source,
        path,
        None if folder_only else branch,
        force=force,
        base=None if isolation.base is None else from_wire(isolation.base),
        base_commit=isolation.base_commit,
        keep=keep_rules(isolation),
    )


def keep_rules(isolation: Isolation) -> KeepRules | None:
    """The rules by which files that git ignores keep the mission's worktree, for paths of the system.

    None before it has run: all that is there was made by the preparation.
    """
    if not isolation.ready_once:
        return None
    return KeepRules(isolation.ready_at or 0, tuple(map(from_wire, isolation.project.keep)))


def _free(source: str, path: str) -> None:
    """See that the worktree can be made where it belongs.

    Raises:
        GitFailed: something is in its way.
    """
    for folder in (os.path.dirname(os.path.dirname(path)), os.path.dirname(path)):
        if os.path.islink(folder):
            message = f"{folder} is a symbolic link: worktrees are created in {source} itself. Remove the link"
            raise GitFailed(("worktree", "add"), None, message)
    if os.path.lexists(path):
        raise GitFailed(("worktree", "add"), None, f"{path} already exists and is not a worktree. Move it away")


def _folder(path: str) -> None:
    """The folder that the mission was started in may be one that git knows nothing of."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise GitFailed(("worktree", "add"), None, f"{path} can't be created: {error.strerror}") from None
