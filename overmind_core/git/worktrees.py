"""Worktrees of missions: made whole or not at all, and recognised. Their status and removal are files of their own.

Paths are absolute. A worktree that was finished carries a mark in git's own folder for it: one that was killed on the
way is never taken for a whole one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import NamedTuple

from overmind_core.git.repository import HEADS, Checkout, Repository, check_out, checkouts, resolve
from overmind_core.git.run import Git, GitFailed, retry_while_locked
from overmind_core.git.status import Dirty, Unmerged
from overmind_core.git.worktree_base import check_out_submodules, find_base
from overmind_core.git.worktree_removal import (
    claimed_branch,
    message,
    prune_admin_folders,
    record_claim,
    remove,
)

__all__ = ["Dirty", "NewWorktree", "Unmerged", "add", "again", "exclude", "holds", "listed", "remove"]

IGNORED = b".overmind/"
FOLDER = os.path.join(".overmind", "worktrees")
WHOLE = "overmind"
"""File in git's folder for a worktree, with the branch that it was made for: it is finished."""
NAMES = 1000
"""So many names for a branch are tried."""
_EXISTS = re.compile(r"reference already exists|exists; cannot create")
_BLOCKED = re.compile(r"'refs/heads/(?P<name>[^']+)' exists; cannot create")
"""A branch can't be above another, such as `a` and `a/b`."""


class NewWorktree(NamedTuple):
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
    import tempfile  # noqa: PLC0415 - a supervisor seldom needs it

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
) -> NewWorktree:
    """Make a worktree at `path` on a new branch. It leaves nothing when git refuses.

    What a git leaves that was ended by a signal, `remove` takes away later: whoever ended it would end our clean-up in
    the middle as well, and a branch of which only the log is gone is known as ours to nobody.

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
    if os.path.lexists(path):
        raise GitFailed(("worktree", "add"), None, f"{path} already exists")
    start = find_base(git, repository, base, fetch=fetch)
    exclude(repository.common)
    branch = None
    try:
        branch = _create(git, repository.common, path, branches, start.commit)
        _finish(git, repository, path, branch)
    except GitFailed as error:
        if not error.was_ended:
            with suppress(GitFailed):
                branch = branch or claimed_branch(git, repository.common, path)
                remove(git, repository.common, path, branch, force=True)
        raise
    return NewWorktree(branch, start.name, start.commit, start.note)


def again(git: Git, repository: Repository, path: str, branch: str) -> None:
    """Make the worktree of a branch anew whose folder was deleted by hand: its commits are in it, nothing else is.

    Args:
        git: For the mission.
        repository: Seen from the person's checkout.
        path: Nothing is there.
        branch: Made by `add`.

    Raises:
        GitFailed: something is there, or the branch is gone, or checked out elsewhere. The branch is left in any case.
        GitMissing: there is no git.
    """
    if os.path.lexists(path):
        raise GitFailed(("worktree", "add"), None, f"{path} already exists")
    if resolve(git, repository.common, HEADS + branch) is None:
        raise GitFailed(("worktree", "add"), None, f"the branch {branch} is gone")
    exclude(repository.common)
    try:
        _finish(git, repository, path, branch)
    except GitFailed as error:
        if not error.was_ended:
            with suppress(GitFailed):
                remove(git, repository.common, path, None, force=True)
        raise


def _finish(git: Git, repository: Repository, path: str, branch: str) -> None:
    """From a branch to a whole worktree of it."""
    prune_admin_folders(git, repository.common, path)
    check_out(git, repository.top, path, "--", path, branch)
    check_out_submodules(git, path, repository)
    _mark(git, path, branch)


def _create(git: Git, common: str, path: str, branches: Iterable[str], commit: str) -> str:
    """Create the first branch that is free: git lets one alone of several at once create it."""
    taken: list[str] = []
    blocked: set[str] = set()
    for name in islice(branches, NAMES):
        if any(name.startswith(f"{prefix}/") for prefix in blocked):
            continue
        _check_name(git, common, name)
        record_claim(path, name)
        words = ("update-ref", "--create-reflog", "-m", message(path), HEADS + name, commit, "")
        try:
            retry_while_locked(partial(git, common, *words))
        except GitFailed as error:
            if _EXISTS.search(error.output) is None:
                raise
            other = _BLOCKED.search(error.output)
            taken.append(other["name"] if other else name)
            if other and name.startswith(f"{other['name']}/"):
                blocked.add(other["name"])
        else:
            return name
    told = f"{', '.join(dict.fromkeys(taken[:3]))} already {'exists' if len(set(taken)) == 1 else 'exist'}"
    advice = "rename the mission, or set another `branch:`"
    raise GitFailed(("branch",), None, f"its branch can't be created: {told}: {advice}")


def _check_name(git: Git, common: str, name: str) -> None:
    answer = git.run(common, "check-ref-format", HEADS + name, expected=(0, 1))
    if answer.code or name.startswith("-") or name == "HEAD":
        raise GitFailed(("branch", name), answer.code, f"{name!r} can't be the name of a branch")


def _mark(git: Git, path: str, branch: str) -> None:
    own = git.run(path, "rev-parse", "--absolute-git-dir").out.removesuffix("\n")
    try:
        with open(os.path.join(own, WHOLE), "wb") as file:
            file.write(os.fsencode(branch))
    except OSError as error:
        raise GitFailed(("worktree", "add"), None, f"{own} can't be written: {error.strerror}") from None


def holds(git: Git, path: str, branch: str) -> bool:
    """Whether a whole worktree is there that was made for `branch`, whatever is checked out in it now.

    Raises:
        GitMissing: there is no git.
    """
    if not os.path.lexists(os.path.join(path, ".git")):
        return False
    try:
        own = git.run(path, "rev-parse", "--absolute-git-dir").out.removesuffix("\n")
        with open(os.path.join(own, WHOLE), "rb") as file:
            return file.read() == os.fsencode(branch)
    except (GitFailed, OSError):
        return False


def listed(git: Git, common: str) -> list[Checkout]:
    """Return the worktrees of missions that the repository knows of, be their folders there or not.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    return [one for one in checkouts(git, common) if os.path.dirname(one.path).endswith(f"/{FOLDER}")]
