"""Which repository a folder is of: by the URL of its remote, else by its first commit, else by where it is."""

from __future__ import annotations

import os
from typing import NamedTuple

from overmind_core.domain.memory.repository import ROOT, KnownBy, RepositoryName, chosen_name
from overmind_core.git.layout import CheckoutFolders, asked_folders, checkout_around
from overmind_core.git.run import Git, GitFailed, GitMissing

LIMIT = 10.0
"""Seconds for one git: a long history without a remote is read to its beginning."""
_NO_MATCH = 1
"""Git's status for no such setting."""


class FolderIdentity(NamedTuple):
    """Which repository a folder is of. No URL is in it."""

    repository: RepositoryName
    top: str
    """Top of the checkout, without links: what globs of files are relative to. The folder itself outside of git."""
    place: str
    """The same for all checkouts of one clone, and stays when its name changes: git's common folder, or the folder."""


def identity(git: Git, folder: str) -> FolderIdentity:
    """Return which repository a folder is of.

    One git is run for a repository with a remote, or without git at all; a second one where the first commit is needed.
    """
    real = os.path.realpath(folder)
    try:
        found = checkout_around(folder) or _asked(git, folder)
        name = chosen_name(_remotes(git, folder))
        if name is not None:
            return FolderIdentity(RepositoryName(name, KnownBy.URL), found.top, found.common)
        root = _first_commit(git, folder, found.common)
    except (GitFailed, GitMissing):
        known = checkout_around(folder)
        return _by_path(real) if known is None else _in_git(known)
    if root is None:
        return _in_git(found)
    return FolderIdentity(RepositoryName(f"{ROOT}{root}", KnownBy.ROOT), found.top, found.common)


def _asked(git: Git, folder: str) -> CheckoutFolders:
    """What git says where no files do: of a bare repository, or within git's own folder."""
    common = asked_folders(git, folder).common
    return CheckoutFolders(common, common)


def _in_git(found: CheckoutFolders) -> FolderIdentity:
    is_checkout = os.path.basename(found.common) == ".git"
    name = os.path.dirname(found.common) if is_checkout else found.common
    return FolderIdentity(RepositoryName(name, KnownBy.PATH), found.top, found.common)


def _by_path(real: str) -> FolderIdentity:
    return FolderIdentity(RepositoryName(real, KnownBy.PATH), real, real)


def _remotes(git: Git, folder: str) -> dict[str, str]:
    """The URL of each remote, as it is configured; of several the first, from which is fetched."""
    words = ("config", "--null", "--get-regexp", r"^remote\..*\.url$")
    out = git.run(folder, *words, expected=(0, _NO_MATCH), seconds=LIMIT).out
    remotes: dict[str, str] = {}
    for entry in out.split("\0"):
        key, separator, url = entry.partition("\n")
        if separator and url:
            remotes.setdefault(key.removeprefix("remote.").removesuffix(".url"), url)
    return remotes


def _first_commit(git: Git, folder: str, common: str) -> str | None:
    """The least of the commits with which its branches begin; None: there is none, or the clone does not reach it."""
    if os.path.exists(os.path.join(common, "shallow")):
        return None
    out = git.run(folder, "rev-list", "--max-parents=0", "--branches", "--remotes", seconds=LIMIT).out
    return min(out.split(), default=None)
