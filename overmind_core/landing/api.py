"""`worktrees`, `changes`, `commit`, `merge`, `push`, `discard`: the work of missions, reviewed, landed, thrown away.

What does it is loaded when it is first asked for: most supervisors never are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.kernel.request import handles
from overmind_core.landing.requests import Commit, Discard, Merge, Push, Worktrees, WorktreesPrune
from overmind_core.missions.requests import One

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.kernel.request import Caller, Stream
    from overmind_core.landing.answer_types import (
        CommittedWork,
        DiscardedWork,
        MergeItem,
        MissionChanges,
        MissionWork,
        PrunedWorktrees,
        PushedBranch,
        WorktreeList,
    )
    from overmind_core.landing.review import LandingReview


class LandingApi:
    """The requests about the work of missions."""

    def __init__(self, review: Callable[[], LandingReview]) -> None:
        """`review`: loads and makes what answers them."""
        self._make = review
        self._made: LandingReview | None = None

    @property
    def _review(self) -> LandingReview:
        if self._made is None:
            self._made = self._make()
        return self._made

    @handles(Worktrees)
    async def worktrees(self, request: Worktrees, caller: Caller) -> WorktreeList:
        """The worktrees of missions, also of removed ones, with how each stands to its base."""
        del caller
        return await self._review.worktrees(request)

    @handles(One)
    async def changes(self, request: One, caller: Caller) -> MissionChanges:
        """The changes of a mission since its branch began; without a worktree, what is not committed there.

        Of a quest that is reviewed, and has no worktree, those there since its newest attempt began.
        """
        del caller
        return await self._review.changes(request)

    @handles(Commit)
    async def commit(self, request: Commit, caller: Caller) -> CommittedWork:
        """Commit everything in a mission's worktree; it may run meanwhile."""
        return await self._review.commit(request, caller)

    @handles(Merge)
    def merge(self, request: Merge, caller: Caller) -> Stream[MissionWork, MergeItem]:
        """Merge a mission's work into a branch: an item for each step, the last one with the result."""
        return self._review.merge(request, caller)

    @handles(Push)
    async def push(self, request: Push, caller: Caller) -> PushedBranch:
        """Push a mission's branch under its own name, never by force."""
        del caller
        return await self._review.push(request)

    @handles(Discard)
    async def discard(self, request: Discard, caller: Caller) -> DiscardedWork:
        """Remove the worktree, the branch, the containers and the volumes of an ended mission."""
        return await self._review.discard(request, caller)

    @handles(WorktreesPrune)
    async def worktrees_prune(self, request: WorktreesPrune, caller: Caller) -> PrunedWorktrees:
        """Discard what ended missions have of their own, but for work that is nowhere else."""
        del caller
        return await self._review.worktrees_prune(request)
