"""Files of a worktree that git ignores and an agent made: they are nowhere else.

What was there before the work began is not the agent's: it was copied, linked, or made by the project's set-up. It is
told by the time at which the file system noted a change, which no program can set.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from overmind_core.domain.isolation.keep import CACHES, KeepRules
from overmind_core.git.layout import GIT
from overmind_core.git.look import WorktreeLook, look_at
from overmind_core.git.run import Git, GitFailed
from overmind_core.git.submodules import submodule_paths

MOST = 1000
"""Files that are named at most."""
TICK = 3.0
"""Seconds in which the clock of a file system has moved on; that of some moves every two."""
_TAG, _SIGNATURE = "CACHEDIR.TAG", b"Signature: 8a477f597d28d172789f06886806bc55"
"""Source: bford.info/cachedir."""


class IgnoredFiles(NamedTuple):
    """Files that git ignores and an agent made or changed; at most `MOST` of each, relative to the top, sorted."""

    kept: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    """Those that may go with the worktree, as the person has said."""


NONE = IgnoredFiles()


def moment(path: str) -> int:
    """Return a moment on the clock of a folder's file system: later than all that was done, earlier than what will be.

    Raises:
        OSError: there is no such folder.
    """
    until = time.monotonic() + TICK
    before = _touch(path)
    while (now := _touch(path)) <= before and time.monotonic() < until:
        time.sleep(0.001)
    return now


def _touch(path: str) -> int:
    """Have the file system note the time, without changing anything that programs look at."""
    facts = os.stat(path)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    return os.stat(path).st_ctime_ns


def ignored_files(git: Git, path: str, rules: KeepRules, look: WorktreeLook) -> IgnoredFiles:
    """Return the files of a worktree that git ignores and that are not as they were before the work began.

    Also those that a nested repository ignores; what else is in one is told by `unsaved`. Not what is in caches.

    Args:
        git: For the mission.
        path: The top of the worktree.
        rules: Since when, and which of them are kept.
        look: What git's status says of it, with what is ignored.

    Raises:
        GitFailed: there is no worktree.
        GitMissing: there is no git.
    """
    kept: list[str] = []
    dropped: list[str] = []
    for file in _changed_files(git, path, look, rules.since):
        found = kept if rules.keep(file) else dropped
        if len(found) < MOST:
            found.append(file)
        elif found is kept:
            break
    return IgnoredFiles(tuple(sorted(kept)), tuple(sorted(dropped)))


def _changed_files(git: Git, top: str, look: WorktreeLook, since: int) -> Iterator[str]:
    for entry in look.ignored:
        yield from _changed(git, top, entry.rstrip("/"), since)
    for inside in sorted(submodule_paths(git, top)):
        if os.path.lexists(os.path.join(top, inside, GIT)):
            yield from (f"{inside}/{path}" for path in _looked(git, os.path.join(top, inside), since))


def _looked(git: Git, top: str, since: int) -> Iterator[str]:
    return _changed_files(git, top, look_at(git, top, ignored=True), since)


def _changed(git: Git, top: str, path: str, since: int) -> Iterator[str]:
    """The file, or files of the folder, that are new or changed; links are not followed."""
    try:
        facts = os.lstat(os.path.join(top, path))
    except OSError:
        return  # it went meanwhile
    if not stat.S_ISDIR(facts.st_mode):
        is_work = stat.S_ISREG(facts.st_mode) or stat.S_ISLNK(facts.st_mode)
        if is_work and _changed_at(facts) >= since:
            yield path
    elif os.path.basename(path) not in CACHES:
        is_moved = facts.st_mtime_ns < since <= facts.st_ctime_ns  # it was moved here as it is
        yield from _changed_below(git, top, path, 0 if is_moved else since)


def _changed_below(git: Git, top: str, path: str, since: int) -> Iterator[str]:
    try:
        names = sorted(os.listdir(os.path.join(top, path)))
    except FileNotFoundError:
        return
    except OSError:
        yield path  # nobody can tell
        return
    if GIT in names:
        yield from _changed_inside(git, top, path, since)
    elif _TAG not in names or not _is_cache(os.path.join(top, path, _TAG)):
        for name in names:
            yield from _changed(git, top, f"{path}/{name}", since)


def _changed_inside(git: Git, top: str, path: str, since: int) -> Iterator[str]:
    """What the repository of a folder ignores; nothing where git can't read it: all of that is work."""
    folder = os.path.join(top, path)
    try:
        if os.path.realpath(git(folder, "rev-parse", "--show-toplevel")) == os.path.realpath(folder):
            yield from (f"{path}/{file}" for file in _looked(git, folder, since))
    except GitFailed:
        return


def _changed_at(facts: os.stat_result) -> int:
    """When a file was made, changed or moved here. A new name elsewhere for the same file is no change of it."""
    return facts.st_ctime_ns if facts.st_nlink == 1 else facts.st_mtime_ns


def _is_cache(path: str) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # it may be a pipe
    except OSError:
        return False
    with open(handle, "rb") as file, suppress(OSError):
        return file.read(len(_SIGNATURE)) == _SIGNATURE
    return False
