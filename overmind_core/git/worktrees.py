"""Worktrees of missions: made whole or not at all, and recognised. See removing.py and standing.py for the rest.

Paths are absolute. A worktree that was finished carries a mark in git's own folder for it: one that was killed on the
way is never taken for a whole one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from overmind_core.git.locks import patiently
from overmind_core.git.removing import Removed, claimed, claiming, message, remove
from overmind_core.git.repository import HEADS, Repository, Worktree, resolve, worktrees
from overmind_core.git.run import Git, GitFailed
from overmind_core.git.standing import Dirty, State, Unmerged, size, state
from overmind_core.git.submodules import check_out

__all__ = [
    "Added",
    "Dirty",
    "Removed",
    "State",
    "Unmerged",
    "add",
    "claimed",
    "exclude",
    "holds",
    "listed",
    "remove",
    "size",
    "state",
]

IGNORED = b".overmind/"
FOLDER = os.path.join(".overmind", "worktrees")
WHOLE = "overmind"
"""File in git's folder for a worktree, with the branch that it was made for: it is finished."""


class Added(NamedTuple):
    """A worktree that was made."""

    branch: str
    base: str
    """Name of the branch that it begins at, or the commit where that has no name."""
    base_commit: str
    fetched: str
    """What came of the fetch, for people; "" without one."""


def exclude(common: str) -> None:
    """Have git ignore `.overmind/` in all checkouts of a repository; nothing when it does.

    Raises:
        GitFailed: the file can't be written.
    """
    path = os.path.realpath(os.path.join(common, "info", "exclude"))
    try:
        _exclude(path)
    except OSError as error:
        raise GitFailed(("worktree", "add"), None, f"{path} can't be written: {error.strerror}") from None


def _exclude(path: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        with open(path, "rb") as file:
            text, mode = file.read(), os.fstat(file.fileno()).st_mode & 0o777
    except FileNotFoundError:
        text, mode = b"", 0o644
    if any(line.strip() in {IGNORED, b"/" + IGNORED} for line in text.splitlines()):
        return
    if text and not text.endswith(b"\n"):
        text += b"\n"
    # Beside it, then renamed: somebody who reads it meanwhile, or a full disk, never sees half of it.
    handle, beside = tempfile.mkstemp(prefix="exclude.", dir=os.path.dirname(path))
    try:
        with open(handle, "wb") as file:
            file.write(text + IGNORED + b"\n")
            os.fchmod(file.fileno(), mode)
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def add(  # noqa: PLR0917 (none of them has a default)
    git: Git,
    repository: Repository,
    path: str,
    branches: Iterable[str],
    base: str | None,
    fetch: bool,  # noqa: FBT001 (a setting of the project, passed on)
) -> Added:
    """Make a worktree at `path` on a new branch. What a failure leaves, `remove` takes away.

    Args:
        git: For the mission.
        repository: Seen from the person's checkout.
        path: Nothing is there yet.
        branches: Names for the branch, the first that is free is taken.
        base: What it begins at; None for what is checked out.
        fetch: Whether to fetch first when there is a remote, and to begin at the remote's state when that is ahead.

    Raises:
        GitFailed: with how to go on.
        GitMissing: there is no git.
    """
    wanted = base or repository.branch or repository.head
    note = _fetch(git, repository, wanted) if fetch and wanted else ""
    name, commit = _beginning(git, repository, base)
    exclude(repository.common)
    branch = _claim(git, repository, path, branches, commit)
    patiently(lambda: _check_out(git, repository, path, branch))
    check_out(git, path, repository)
    _mark(git, path, branch)
    return Added(branch, name, commit, note)


def _beginning(git: Git, repository: Repository, base: str | None) -> tuple[str, str]:
    name = base or repository.branch or repository.head
    commit = resolve(git, repository.top, name) if name else None
    if name and commit:
        return name, commit
    if base and repository.head is not None:
        raise GitFailed(("rev-parse", base), None, f"there is no branch, tag or commit {base!r} in {repository.top}")
    said = f"{repository.top} has no commits yet: make one first: git commit --allow-empty -m 'first commit'"
    raise GitFailed(("worktree", "add"), None, said)


def _fetch(git: Git, repository: Repository, wanted: str) -> str:
    remotes = git(repository.top, "remote").split("\n")
    if not remotes[0]:
        return ""
    patiently(lambda: git(repository.top, "fetch", "--quiet", "--no-recurse-submodules", "--", remotes[0]))
    return f"fetched {remotes[0]} ({wanted})"


def _claim(git: Git, repository: Repository, path: str, branches: Iterable[str], commit: str) -> str:
    """Create the branch: of several at once one alone succeeds."""
    for name in branches:
        claiming(path, name)
        words = ("update-ref", "-m", message(path), "--create-reflog", HEADS + name, commit, "")
        with suppress(GitFailed):
            git(repository.common, *words)
            return name
    raise GitFailed(("branch",), None, "none of the branch names is free")


def _check_out(git: Git, repository: Repository, path: str, branch: str) -> None:
    git(repository.top, "worktree", "add", "--quiet", "--", path, branch)


def _mark(git: Git, path: str, branch: str) -> None:
    with open(os.path.join(git(path, "rev-parse", "--absolute-git-dir"), WHOLE), "wb") as file:
        file.write(os.fsencode(branch))


def holds(git: Git, path: str, branch: str) -> bool:
    """Whether a whole worktree is there that was made for `branch`, whatever is checked out in it now.

    Raises:
        GitMissing: there is no git.
    """
    if not os.path.lexists(os.path.join(path, ".git")):
        return False
    try:
        own = git(path, "rev-parse", "--absolute-git-dir")
        with open(os.path.join(own, WHOLE), "rb") as file:
            return file.read() == os.fsencode(branch)
    except (GitFailed, OSError):
        return False


def listed(git: Git, common: str) -> list[Worktree]:
    """Return the worktrees of missions that the repository knows of, be their folders there or not.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    return [one for one in worktrees(git, common) if os.path.dirname(one.path).endswith(f"/{FOLDER}")]
