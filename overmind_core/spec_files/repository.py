"""The files of a repository, as documents of specs name them: paths relative to its top, in wire form."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping

from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.git.run import Git, GitFailed, GitMissing

MOST_FILES = 100_000
"""Most files of a folder without git; with more, its files count as unknown."""
OWN = ".overmind"
"""Overmind's own folder at the top: its files do not count as the repository's."""
_GIT = ".git"
_REMOVED = "R "
"""How git marks a file that is no longer there; it tells that beside what it tells of every file."""
_SECONDS = 60.0
"""How long git may take to list its files."""


def repository_around(folder: str) -> str | None:
    """Return the top of the checkout that a folder is in; None where there is none."""
    above = folder
    while not os.path.lexists(os.path.join(above, _GIT)):
        above, below = os.path.dirname(above), above
        if above == below:
            return None
    return above


def files_of(top: str, environ: Mapping[str, str] = os.environ) -> frozenset[str] | None:
    """Return the existing files that git does not ignore; None: unknown.

    Where there is no git, those of the folder, without hidden folders. Links to folders are not followed, and one that
    leads out of the checkout is no file of it.

    Args:
        top: Of the checkout.
        environ: In which git is looked for.
    """
    if not os.path.lexists(os.path.join(top, _GIT)):
        found = _walked(top)
        return None if found is None else frozenset(_inside(top, found))
    git = Git(environ)
    try:
        return frozenset(_inside(top, map(to_wire, _listed(git, top))))
    except (GitFailed, GitMissing):
        return None


def _inside(top: str, names: Iterable[str]) -> Iterator[str]:
    real = os.path.realpath(top)
    for name in names:
        path = os.path.join(top, from_wire(name))
        if not os.path.islink(path) or os.path.commonpath((real, os.path.realpath(path))) == real:
            yield name


def _listed(git: Git, top: str) -> set[str]:
    which = ("--cached", "--others", "--deleted", "--exclude-standard")
    entries = git.run(top, "ls-files", "-t", "-z", *which, seconds=_SECONDS).out.split("\0")
    removed = {entry[2:] for entry in entries if entry.startswith(_REMOVED)}
    listed = {entry[2:] for entry in entries if entry and not entry.endswith("/")} - removed
    return {name for name in listed if name.split("/", 1)[0] != OWN}


def _walked(top: str) -> frozenset[str] | None:
    found: set[str] = set()
    for name in _names(top):
        found.add(name)
        if len(found) > MOST_FILES:
            return None
    return frozenset(found)


def _names(top: str) -> Iterator[str]:
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = os.path.relpath(folder, top)
        for name in names:
            yield to_wire(name if inside == os.curdir else os.path.join(inside, name))


def hashes_of(top: str, paths: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of the content of files, in hex; "" for one that does not exist or is not a regular file.

    Args:
        top: Of the checkout.
        paths: Relative to it, in wire form, without `..`.
    """
    return {path: _hash(os.path.join(top, from_wire(path))) for path in paths}


def _hash(path: str) -> str:
    from hashlib import file_digest  # noqa: PLC0415 - it loads OpenSSL: 4 MB, for those who have specs

    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOMEM}:
            raise  # says nothing about the file
        return ""
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return ""
    with open(handle, "rb") as file:
        return file_digest(file, "sha256").hexdigest()
