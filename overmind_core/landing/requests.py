"""The arguments of requests about worktrees and the work in them."""

from __future__ import annotations

from overmind_core.domain.landing import VERIFY_LIMIT
from overmind_core.kernel.request import Args, RequestKey
from overmind_core.missions.requests import Amount


class Worktrees(Args, frozen=True):
    """Which worktrees to list; null means all. `sizes`: also how much of the disk each takes, which is counted anew."""

    ids: list[str] | None = None
    sizes: bool = False
    cwd: str | None = None
    """Only those of the repository that this folder is in."""


class Commit(Args, frozen=True):
    """Commit everything in the worktree of a mission."""

    id: str
    message: str


class Merge(Args, frozen=True):
    """Land a mission's work on a branch; null: the one that it began at."""

    id: str
    into: str | None = None
    squash: bool = False
    rebase: bool = False
    verify: str | None = None
    """A shell command that has to succeed on the merged work, before anything is changed; null: the quest's own."""
    verify_timeout: Amount = VERIFY_LIMIT
    """How long that may take; 0 = for ever. Other merges of the repository wait as long."""
    message: str | None = None
    preview: bool = False
    """Only say what would land, or conflict."""
    with_marks: bool = False
    """Land files that were committed with the marks of a conflict, too; else they are refused."""
    unreviewed: bool = False
    """Land the work of a quest whose review is open, was denied, or has not been; else it is refused."""
    undo_landed: bool = False
    """Land the work of a quest that would undo what has landed, too; else it is refused."""
    resolve: bool = False
    """Begin the merge in the mission's worktree where it conflicts, and have the mission's agent finish it."""
    session_env: dict[str, str] = {}
    """With `resolve`, for an agent that is started again: as of `restart`."""
    request: RequestKey | None = None
    """A key of the caller's choice, without `:`; a repeat with the same key is told of the landing that there was."""


class Push(Args, frozen=True):
    """Push the branch of a mission; null: to the remote where it belongs."""

    id: str
    remote: str | None = None


class Discard(Args, frozen=True):
    """Remove what an ended mission has of its own; `force`: also work that is nowhere else."""

    id: str
    force: bool = False


class WorktreesPrune(Args, frozen=True):
    """Discard what ended missions have of their own, where no work is lost; `force`: also where some is."""

    force: bool = False
    dry_run: bool = False
    cwd: str | None = None
    """Only those of the repository that this folder is in."""
    as_shown: dict[str, str] | None = None
    """The same of the answer to a dry run: what that did not show stays, and what has changed since."""
