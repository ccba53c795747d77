"""Committing everything in a worktree, as its person would: hooks run, and git finds the author."""

from __future__ import annotations

from typing import NamedTuple

from overmind_core.git.locks import patiently
from overmind_core.git.run import Git


class NothingToCommit(Exception):
    """The worktree is as it was committed last."""


class Unresolved(Exception):
    """A merge is under way in the worktree, with conflicts that nobody has resolved. Its argument: the paths."""


class Committed(NamedTuple):
    """What was committed; `files`: how many changed."""

    commit: str
    subject: str
    files: int


def commit(git: Git, folder: str, message: str) -> Committed:
    """Commit all that is in the worktree around `folder`, but what git ignores.

    Raises:
        NothingToCommit: there is nothing.
        Unresolved: files have conflicts.
        GitFailed: git, or a hook, refused; what was to be committed is staged.
        GitMissing: there is none.
    """
    top = git(folder, "rev-parse", "--show-toplevel")
    if unresolved := conflicting(git, top):
        raise Unresolved(unresolved)
    patiently(lambda: git(top, "add", "-A"))
    merging = git.ask(top, "rev-parse", "--verify", "--quiet", "MERGE_HEAD", expected=(0, 1)).code == 0
    changed = git(top, "diff", "--cached", "--no-ext-diff", "--name-only", "-z").count("\0")
    if not merging and not changed:
        raise NothingToCommit
    patiently(lambda: git.ask(top, "commit", "--quiet", "-F", "-", text=message))
    commit_, subject = git(top, "log", "-1", "--no-show-signature", "--format=%H %s").split(" ", 1)
    return Committed(commit_, subject, changed)


def conflicting(git: Git, folder: str) -> tuple[str, ...]:
    """Return the files whose conflicts are not resolved, relative to the top."""
    return tuple(sorted({line.split("\t", 1)[1] for line in git(folder, "ls-files", "-u", "-z").split("\0") if line}))
