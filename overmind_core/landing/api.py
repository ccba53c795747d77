"""`worktrees`, `changes`, `commit`, `merge`, `push`, `discard`: the work of missions, reviewed, landed, thrown away.

What does it is loaded when it is first asked for: most supervisors never are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from overmind_core.daemon.app import Supervisor
    from overmind_core.isolation.api import Commit, Discard, Merge, Push, Worktrees, WorktreesPrune
    from overmind_core.missions.callers import Caller
    from overmind_core.missions.requests import One

Answer = dict[str, Any]


async def worktrees(core: Supervisor, request: Worktrees, caller: Caller) -> Answer:
    """The worktrees of missions, also of removed ones, with how each stands to its base."""
    del caller
    from overmind_core.landing import review  # noqa: PLC0415 - see above

    return await review.worktrees(core, request)


async def changes(core: Supervisor, request: One, caller: Caller) -> Answer:
    """What a mission has changed since its branch began; without a worktree, what is not committed where it works."""
    del caller
    from overmind_core.landing import review  # noqa: PLC0415 - see above

    return await review.changes(core, request)


async def commit(core: Supervisor, request: Commit, caller: Caller) -> Answer:
    """Commit everything in a mission's worktree; it may run meanwhile."""
    from overmind_core.landing import review  # noqa: PLC0415 - see above

    return await review.commit(core, request, caller)


def merge(core: Supervisor, request: Merge, caller: Caller) -> AsyncIterator[Answer]:
    """Land a mission's work on a branch: an item for each step, the last one says what came of it."""
    from overmind_core.landing import review  # noqa: PLC0415 - see above

    return review.merge(core, request, caller)


async def push(core: Supervisor, request: Push, caller: Caller) -> Answer:
    """Push a mission's branch under its own name, never by force."""
    del caller
    from overmind_core.landing import review  # noqa: PLC0415 - see above

    return await review.push(core, request)


async def discard(core: Supervisor, request: Discard, caller: Caller) -> Answer:
    """Remove the worktree, the branch, the containers and the volumes of an ended mission."""
    from overmind_core.landing import review  # noqa: PLC0415 - see above

    return await review.discard(core, request, caller)


async def worktrees_prune(core: Supervisor, request: WorktreesPrune, caller: Caller) -> Answer:
    """Discard what ended missions have of their own, but for work that is nowhere else."""
    del caller
    from overmind_core.landing import review  # noqa: PLC0415 - see above

    return await review.worktrees_prune(core, request)
