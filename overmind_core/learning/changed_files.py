"""The files that the work of a quest has changed: in its worktree, or by its landing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.text.bytestrings import from_wire, to_wire

if TYPE_CHECKING:
    from overmind_core.domain.quests.quest import Quest
    from overmind_core.git.run import Git
    from overmind_core.isolation.workspace import Workspace


class ChangedFiles:
    """Asks git in worker threads."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def of(self, quest: Quest) -> frozenset[str]:
        """The files, relative to the top of its repository, in wire form; none if git can't say."""
        isolation = self._workspace.records.get(quest.id)
        if isolation is None or isolation.half:
            return frozenset()
        git = self._workspace.git(isolation)
        landed = None if quest.queue is None else quest.queue.landed
        if landed is not None:
            source = from_wire(isolation.source)
            return await self._workspace.in_thread(_between, git, source, landed.before, landed.after)
        if isolation.worktree is None or isolation.base_commit is None:
            return frozenset()
        worktree = from_wire(isolation.worktree)
        return await self._workspace.in_thread(_between, git, worktree, isolation.base_commit, None)


def _between(git: Git, folder: str, since: str, until: str | None) -> frozenset[str]:
    """The files in which two commits differ; without `until` up to the worktree, with uncommitted changes."""
    from overmind_core.git.changes import names_between  # noqa: PLC0415 - for those who have worktrees
    from overmind_core.git.look import look_at  # noqa: PLC0415 - same
    from overmind_core.git.run import GitFailed, GitMissing  # noqa: PLC0415 - same

    try:
        found = {file.path for file in names_between(git, folder, since, until or "HEAD")}
        if until is None:
            found.update(look_at(git, folder).changed)
    except (GitFailed, GitMissing, OSError):
        return frozenset()
    return frozenset(to_wire(path) for path in found)
