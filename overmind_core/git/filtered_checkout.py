"""A checkout into a new worktree, made also where a filter of git can't be had: that is off in it then."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from overmind_core.git import repository
from overmind_core.git.absent_filters import switch_off
from overmind_core.git.layout import git_folders
from overmind_core.git.run import Git, GitFailed
from overmind_core.git.worktree_gaps import absent_filters, filter_gaps

_OLDER = 10.0
"""Seconds, more than the clocks of a disk and a machine differ."""


def check_out(git: Git, folder: str, path: str, *which: str) -> tuple[Git, tuple[str, ...]]:
    """Make a worktree at `path`; see `git worktree add` for `which`.

    Returns:
        A git that does without the filters that can't be had, for what is checked out below; lines for people.

    Raises:
        GitFailed: git refused. Something may be left if it did so after the checkout.
        GitMissing: there is no git.
    """
    without, absent = _check_out(git, folder, path, which)
    gaps = filter_gaps(git, path, absent)
    if gaps:
        own = git_folders(git, path).own
        try:
            switch_off(own, {one.name: one.program for one in gaps})
        except OSError as error:
            raise GitFailed(("worktree", "add"), None, f"{own} can't be written: {error.strerror}") from None
        _settle(without, path, [file for one in gaps for file in one.files])
    return without, tuple(one.text for one in gaps)


def _check_out(git: Git, folder: str, path: str, which: tuple[str, ...]) -> tuple[Git, dict[str, str]]:
    """Check out, once more if it fails and filters are missing; the git that did so, and those.

    Git itself goes on without a filter that is not required, and says so: most checkouts say nothing, and take one git.
    """
    try:
        written = repository.check_out(git, folder, path, *which)
        absent = absent_filters(git, folder) if written.strip() else {}
        return replace(git, filters_off=tuple(absent)) if absent else git, absent
    except GitFailed as error:
        absent = {} if error.was_ended else absent_filters(git, folder)
        if not absent:
            raise
    without = replace(git, filters_off=tuple(absent))
    repository.check_out(without, folder, path, *which)
    return without, absent


def _settle(git: Git, path: str, files: Iterable[str]) -> None:
    """Have files be older than git's index, so that the agent's git need not ask their filter whether they changed."""
    for name in files:
        with suppress(OSError):
            file = os.path.join(path, name)
            before = os.lstat(file).st_mtime - _OLDER
            os.utime(file, (before, before), follow_symlinks=False)
    git.run(path, "update-index", "-q", "--refresh", expected=(0, 1))
