"""The worktrees of missions that run, as git sees them: which files they change, and which two would conflict.

Git runs in worker threads and without a checkout: no file that anybody works on changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.text.bytestrings import from_wire, to_wire

if TYPE_CHECKING:
    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.git.run import Git
    from overmind_core.isolation.workspace import Workspace

MOST_FILES = 10_000
"""Most changed files of one worktree that are compared."""


class Worktrees:
    """Asks git about the worktrees of missions."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def of(self, mission: str) -> Isolation | None:
        """The isolation of a mission that has a whole worktree; None: it has none."""
        isolation = self._workspace.records.get(mission)
        return None if isolation is None or isolation.worktree is None or isolation.half else isolation

    async def changed(self, mission: str) -> frozenset[str] | None:
        """The files that a mission has changed since it began, committed or not; None: no worktree, or git failed.

        Relative to the top of its worktree, in wire form.
        """
        isolation = self.of(mission)
        if isolation is None or isolation.worktree is None:
            return None
        git = self._workspace.git(isolation)
        worktree = from_wire(isolation.worktree)
        return await self._workspace.in_thread(_changed, git, worktree, isolation.base_commit)

    async def conflicts(self, one: str, other: str) -> tuple[str, ...] | None:
        """The files that would conflict if two missions landed as they are now; None: git can't say."""
        first, second = self.of(one), self.of(other)
        if first is None or second is None or first.worktree is None or second.worktree is None:
            return None
        git, source = self._workspace.git(first), from_wire(first.source)
        sides = from_wire(first.worktree), from_wire(second.worktree)
        return await self._workspace.in_thread(_conflicts, git, source, *sides)


def _changed(git: Git, worktree: str, since: str | None) -> frozenset[str] | None:
    from overmind_core.git.changes import names_between  # noqa: PLC0415 - for those who have worktrees
    from overmind_core.git.look import look_at  # noqa: PLC0415 - same
    from overmind_core.git.run import GitFailed, GitMissing  # noqa: PLC0415 - same

    try:
        look = look_at(git, worktree)
        found = set(look.changed)
        if since is not None and since != look.head:
            for file in names_between(git, worktree, since, "HEAD"):
                found.update(path for path in (file.path, file.old_path) if path is not None)
    except (GitFailed, GitMissing, OSError):
        return None
    return frozenset(to_wire(path) for path in sorted(found)[:MOST_FILES])


def _conflicts(git: Git, source: str, one: str, other: str) -> tuple[str, ...] | None:
    from overmind_core.git.merge_tree import MergeSide, conflicting_paths  # noqa: PLC0415 - as above
    from overmind_core.git.run import GitFailed, GitMissing  # noqa: PLC0415 - same

    try:
        found = conflicting_paths(git, source, MergeSide("HEAD", one), MergeSide("HEAD", other))
    except (GitFailed, GitMissing, OSError):
        return None
    return None if found is None else tuple(map(to_wire, found))
