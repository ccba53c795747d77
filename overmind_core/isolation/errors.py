"""What can go wrong on the way, as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from overmind_core.git.run import GitFailed

_INSTALL = "Git is not on PATH. Install it, for example with: apt install git"


def git_failed(error: GitFailed) -> OvermindError:
    """What git said."""
    if error.is_disk_full:
        return OvermindError("disk_full", f"The disk is full: {error.reason}.".replace("..", "."))
    return OvermindError("git_failed", f"Git refused: {error.reason}.".replace("..", "."))


def git_missing() -> OvermindError:
    """There is no git."""
    return OvermindError("git_failed", _INSTALL)


def no_commits(source: str) -> OvermindError:
    """A worktree has to begin somewhere."""
    message = f"{source} has no commits yet, so a worktree can't be created. Make a commit first: git commit"
    return OvermindError("git_failed", message)
