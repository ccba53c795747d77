"""Branches of work that was sent: a commit of what is not committed, and the removal of those that nobody needs."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile

from overmind_core.domain.sent_work import SENT, left_over
from overmind_core.git.layout import git_folders
from overmind_core.git.look import WorktreeLook, look_at_index
from overmind_core.git.merge import NestedRepositories, Unresolved
from overmind_core.git.nested import nested_repositories
from overmind_core.git.repository import HEADS
from overmind_core.git.run import Git, GitFailed, GitMissing, retry_while_locked

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable

_log = logging.getLogger(__name__)


def commit_of_all(git: Git, top: str, look: WorktreeLook, message: str) -> str:
    """Return a commit, behind the one that is checked out, of all that is in a worktree but what git ignores.

    Nothing of the person's changes: it is staged in a copy of the index, and no branch leads to the commit.

    Args:
        git: For whoever asks.
        top: Top of the worktree.
        look: What git's status says of it; it has a commit.
        message: Of the commit.

    Raises:
        Unresolved: files have conflicts.
        NestedRepositories: folders are repositories of their own, and no submodules.
        GitFailed: git refused.
        GitMissing: there is none.
    """
    assert look.head is not None
    if look.conflicting:
        raise Unresolved(tuple(sorted(look.conflicting)))
    if nested := nested_repositories(git, top, look, look_at_index(git, top)):
        raise NestedRepositories(nested)
    with tempfile.TemporaryDirectory(prefix="overmind-sent-", ignore_cleanup_errors=True) as scratch:
        copy = os.path.join(scratch, "index")
        own = os.path.join(git_folders(git, top).own, "index")
        if os.path.exists(own):
            shutil.copy2(own, copy)  # with its time, by which git knows what to read again
        variables = {"GIT_INDEX_FILE": copy}
        git.run(top, "add", "-A", variables=variables)
        tree = git.run(top, "write-tree", variables=variables).out.strip()
    words = ("commit-tree", "--no-gpg-sign", tree, "-p", look.head, "-m", message)
    return git.run(top, *words).out.strip()


def forget_sent(git: Git, repository: str, gone: str, used: Iterable[str], now: float) -> None:
    """Remove the sent branches of a repository that no run needs any more; see `domain.sent_work.left_over`.

    What can't be removed stays until the next one goes.
    """
    try:
        names = git(repository, "for-each-ref", "--format=%(refname)", f"{HEADS}{SENT}").split("\n")
        branches = [name.removeprefix(HEADS) for name in names if name]
        for branch in left_over(branches, used=used, gone=gone, now=now):
            retry_while_locked(lambda branch=branch: git(repository, "update-ref", "-d", HEADS + branch))  # type: ignore[misc]
    except (GitFailed, GitMissing) as error:
        _log.warning("sent branches of %s are kept: %s", repository, error)
