"""Repositories inside a worktree that are not its submodules: git keeps only the hash of their commit.

Agents make them with `git init`, `git clone` and `git worktree add`. Which of them hold unsaved work is told by
`overmind_core.git.unsaved`.
"""

from __future__ import annotations

import os

from overmind_core.git.layout import GIT
from overmind_core.git.look import IndexLook, WorktreeLook
from overmind_core.git.run import Git
from overmind_core.git.submodules import submodule_paths


def nested_repositories(git: Git, path: str, look: WorktreeLook, index: IndexLook) -> tuple[str, ...]:
    """Return the folders of a worktree that a commit would keep as a bare hash, relative to its top, sorted.

    Args:
        git: For the mission.
        path: The top of the worktree.
        look: What git's status says of it.
        index: What git's index says.

    Raises:
        GitFailed: there is no worktree.
        GitMissing: there is no git.
    """
    new = {one.rstrip("/") for one in look.new if one.endswith("/")}
    return tuple(sorted({*new, *bare_gitlinks(git, path, index)}))


def bare_gitlinks(git: Git, path: str, index: IndexLook) -> tuple[str, ...]:
    """Return the folders of nested repositories of which git keeps the hash already, relative to the top.

    Raises:
        GitFailed: there is no worktree.
        GitMissing: there is no git.
    """
    if not index.gitlinks:
        return ()
    known = submodule_paths(git, path)
    linked = (link.path for link in index.gitlinks if link.path not in known)
    return tuple(folder for folder in linked if os.path.lexists(os.path.join(path, folder, GIT)))


def added_gitlinks(git: Git, folder: str, since: str, until: str) -> tuple[str, ...]:
    """Return the paths that `until` has as the bare hash of another repository's commit and `since` has not, sorted.

    What the .gitmodules of `until` names is a submodule.

    Raises:
        GitFailed: one of the commits does not exist.
        GitMissing: there is no git.
    """
    words = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-commit-id", "--diff-filter=AMT", since, until)
    fields = git.run(folder, *words).out.split("\0")
    links = {path for facts, path in zip(fields[::2], fields[1::2], strict=False) if facts.split(" ")[1] == "160000"}
    if not links:
        return ()
    return tuple(sorted(links - submodule_paths(git, folder, until)))
