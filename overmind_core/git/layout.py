"""Git's folders of a checkout, as its files say it: without running git.

Read is only what gitrepository-layout(5) documents: the file `.git` of a worktree, `commondir`, and by what git knows a
folder of its own. Names and commits are never read so: how they are kept is git's own affair.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from overmind_core.git.run import Git
from overmind_core.system.small_file import read_small_file

GIT = ".git"
_LARGEST = 64 << 10
"""Bytes of a file that is read."""
_HEAD = re.compile(rb"ref:\s*refs/|[0-9a-f]{40}")
"""How git's HEAD begins, also where names are kept in tables. Source: git's setup.c, validate_headref."""


class GitFolders(NamedTuple):
    """Absolute, without links."""

    own: str
    """Git's folder for this checkout alone."""
    common: str
    """That of the repository: the same for all its checkouts."""


class CheckoutFolders(NamedTuple):
    """Absolute, without links."""

    top: str
    """Of the checkout."""
    common: str
    """Git's folder for the repository: the same for all its checkouts."""


def git_folders(git: Git, folder: str) -> GitFolders:
    """Return git's folders for what is in `folder`; a git is run only where no files there say it.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git, and it is needed.
    """
    return folders_of(folder) or asked_folders(git, folder)


def asked_folders(git: Git, folder: str) -> GitFolders:
    """Return git's folders for what is in `folder`, as git says it.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    # Relative to the folder for some places; only git 2.31 can be told otherwise.
    own, _, common = git.run(folder, "rev-parse", "--absolute-git-dir", "--git-common-dir").out.partition("\n")
    if common.count("\n") != 1:  # there is one in a path
        own = git.run(folder, "rev-parse", "--absolute-git-dir").out.removesuffix("\n")
        common = git.run(folder, "rev-parse", "--git-common-dir").out
    common = os.path.join(folder, common.removesuffix("\n"))
    return GitFolders(os.path.realpath(own), os.path.realpath(common))


def folders_of(top: str) -> GitFolders | None:
    """Return git's folders for the checkout whose top this is; None: its files do not say it, or are damaged."""
    try:
        link = os.path.join(top, GIT)
        own = os.path.realpath(link if os.path.isdir(link) else os.path.join(top, _value(link, b"gitdir: ")))
        shared = os.path.join(own, "commondir")
        common = os.path.realpath(os.path.join(own, _value(shared, b""))) if os.path.lexists(shared) else own
        return GitFolders(own, common) if _is_gits(own, common) else None
    except (OSError, ValueError):
        return None


def worktree_of(path: str) -> str | None:
    """Return git's common folder of the repository that has a worktree at `path`, beside its main checkout.

    None: there is none, as its link to the repository is missing, leads elsewhere, or a repository of its own is there.
    A git that is run there would work in what is around, or in that one.
    """
    found = folders_of(path)
    return None if found is None or found.own == found.common else found.common


def top_of(git: Git, folder: str) -> str:
    """Return the top of the checkout that `folder` is in.

    Raises:
        GitFailed: there is none.
        GitMissing: there is no git, and it is needed.
    """
    found = folders_of(folder)
    # A worktree is where its file `.git` is; the settings of a main checkout may say that it is elsewhere.
    return folder if found is not None and found.own != found.common else git(folder, "rev-parse", "--show-toplevel")


def common_of(folder: str) -> str | None:
    """Return git's common folder where `folder` is that itself, or the top of a checkout; None: its files don't say."""
    found = folders_of(folder)
    if found is not None:
        return found.common
    real = os.path.realpath(folder)
    try:
        # As git looks: a checkout may have files that are called as those of a folder of git's.
        return real if not os.path.lexists(os.path.join(real, GIT)) and _is_gits(real, real) else None
    except OSError:
        return None


def common_around(folder: str) -> str | None:
    """Return git's common folder of the checkout that a folder is in; None: the files there don't say it."""
    found = checkout_around(folder)
    return None if found is None else found.common


def checkout_around(folder: str) -> CheckoutFolders | None:
    """Return the checkout that a folder is in; None: the files there don't say it."""
    try:
        here = os.path.realpath(folder)
        disk = os.stat(here).st_dev
        while not os.path.lexists(os.path.join(here, GIT)):
            above = os.path.dirname(here)
            # As git looks: not on another disk, and what has a HEAD may be a repository without a checkout.
            if above == here or os.path.lexists(os.path.join(here, "HEAD")) or os.stat(above).st_dev != disk:
                return None
            here = above
    except OSError:
        return None
    found = folders_of(here)
    return None if found is None else CheckoutFolders(here, found.common)


def _value(path: str, before: bytes) -> str:
    """The path that a file of git's has, behind a word; raises ValueError where it has none."""
    text = read_small_file(path, _LARGEST, links=False)
    if text is None or not text.startswith(before) or b"\0" in text:
        raise ValueError(path)
    value = text.removeprefix(before).rstrip(b"\r\n")
    if not value:
        raise ValueError(path)
    return os.fsdecode(value)


def _is_gits(own: str, common: str) -> bool:
    """Whether git takes these for folders of its own. Source: git's setup.c, is_git_directory."""
    head = os.path.join(own, "HEAD")
    if os.path.islink(head):
        is_head = os.readlink(head).startswith("refs/")
    else:
        is_head = _HEAD.match(read_small_file(head, _LARGEST, links=False) or b"") is not None
    return is_head and all(os.path.isdir(os.path.join(common, name)) for name in ("objects", "refs"))
