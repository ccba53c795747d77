"""Repositories inside a worktree that are not its submodules: git keeps only the hash of their commit.

Their commits live in their own folder, so they are removed with the worktree. Agents make such repositories with
`git init`, `git clone` and `git worktree add`, also in folders that git ignores.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

from overmind_core.git.run import Git, GitFailed
from overmind_core.git.worktree_base import gitlinks, submodule_paths

GIT = ".git"


def nested_repositories(git: Git, path: str) -> tuple[str, ...]:
    """Return the folders of a worktree that a commit would keep as a bare hash, relative to its top, sorted.

    Args:
        git: For the mission.
        path: The top of the worktree.

    Raises:
        GitFailed: there is no worktree.
        GitMissing: there is no git.
    """
    words = ("status", "--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=all", "--no-renames")
    entries = git.run(path, *words).out.split("\0")
    new = {entry[3:].rstrip("/") for entry in entries if entry.startswith("?? ") and entry.endswith("/")}
    return tuple(sorted({*new, *bare_gitlinks(git, path)}))


def bare_gitlinks(git: Git, path: str) -> tuple[str, ...]:
    """Return the folders of nested repositories of which git keeps the hash already, relative to the top.

    Raises:
        GitFailed: there is no worktree.
        GitMissing: there is no git.
    """
    known = submodule_paths(git, path)
    linked = (link.path for link in gitlinks(git, path) if link.path not in known)
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


def unsaved_repositories(git: Git, path: str) -> tuple[str, ...]:
    """Return the folders of nested repositories with work that is nowhere else, relative to the top, sorted.

    That is what is not committed, and commits that no remote has. Looks into ignored folders too. A repository that
    git can't read counts as work.

    Raises:
        GitMissing: there is no git.
    """
    return tuple(sorted(folder for folder in _below(path) if _has_work(git, os.path.join(path, folder))))


def _below(top: str) -> Iterator[str]:
    """Folders below `top` with a `.git` of their own; links are not followed."""
    for folder, folders, files in os.walk(top):
        if folder != top and (GIT in folders or GIT in files):
            yield os.path.relpath(folder, top)
        with suppress(ValueError):
            folders.remove(GIT)


def _has_work(git: Git, folder: str) -> bool:
    try:
        if os.path.realpath(git(folder, "rev-parse", "--show-toplevel")) != os.path.realpath(folder):
            return bool(os.listdir(os.path.join(folder, GIT)))  # no repository to git: damaged, or empty
        status = ("status", "--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=all")
        if git.run(folder, *status).out:
            return True
        return bool(git.run(folder, "rev-list", "--max-count=1", *_own(git, folder), "--").out)
    except GitFailed:
        return True


def _own(git: Git, folder: str) -> list[str]:
    """Arguments of `git rev-list` that select the commits which go with the folder."""
    heads = ["HEAD"] if git.run(folder, "rev-parse", "--verify", "--quiet", "HEAD", expected=(0, 1)).code == 0 else []
    if not os.path.isdir(os.path.join(folder, GIT)):  # a worktree or submodule: branches live elsewhere
        return [*heads, "--not", "--branches", "--remotes", "--tags"] if heads else ["--max-count=0", "--all"]
    if not git(folder, "remote"):
        return [*heads, "--all"]
    stash = git.run(folder, "rev-parse", "--verify", "--quiet", "refs/stash", expected=(0, 1)).out.split()
    # A clone of one tag or commit has no branch of its remote: tags, and where a shallow history ends, were fetched.
    return [*heads, "--branches", *stash, "--not", "--remotes", "--tags", *_fetched(git, folder)]


def _fetched(git: Git, folder: str) -> list[str]:
    shallow = os.path.join(folder, git(folder, "rev-parse", "--git-path", "shallow"))
    with suppress(OSError), open(shallow, encoding="ascii") as file:
        return file.read().split()
    return []
