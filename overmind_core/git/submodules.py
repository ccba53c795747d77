"""Submodules of a new worktree: from the person's checkout where that has them, else from where they come from."""

from __future__ import annotations

import os

from overmind_core.git.locks import patiently
from overmind_core.git.repository import Repository
from overmind_core.git.run import Git


def check_out(git: Git, path: str, repository: Repository) -> None:  # noqa: ARG001
    """Check out the submodules of the worktree at `path`.

    Raises:
        GitFailed: one can't be had.
        GitMissing: there is no git.
    """
    if os.path.lexists(os.path.join(path, ".gitmodules")):
        patiently(lambda: git(path, "submodule", "update", "--init", "--recursive", "--quiet"))
