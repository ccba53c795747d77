"""Git's lock files: held for moments by somebody who works beside us, or for ever by one that was killed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TypeVar

from overmind_core.git.run import GitFailed

PATIENCE = 8.0
"""Seconds for which a lock that somebody holds is waited for."""
_FIRST, _LONGEST = 0.02, 0.3
"""Seconds between two attempts."""
_HELD = (
    re.compile(r"[Uu]nable to create '(?P<lock>.*?\.lock)': File exists", re.DOTALL),
    re.compile(r"could not lock (?:config )?file (?P<file>.*?): File exists", re.DOTALL),
)
_PASSING = (
    re.compile(r"failed to read .*commondir"),  # a worktree that is being added at this moment
    re.compile(r"bad object worktrees/"),  # the same
    re.compile(r"could not create leading directories"),
    re.compile(r"cannot lock ref .*(?:unable to resolve reference|but expected|No such file)", re.DOTALL),
    re.compile(r"could not lock config file"),
    re.compile(r"cannot update ref .*: "),
)

Result = TypeVar("Result")


def held_lock(said: str) -> str | None:
    """Return the lock file that git says is held; None when it says something else."""
    for pattern in _HELD:
        found = pattern.search(said)
        if found is not None:
            names = found.groupdict()
            return names.get("lock") or f"{names['file']}.lock"
    return None


def patiently(attempt: Callable[[], Result], *, seconds: float | None = None) -> Result:
    """Return what `attempt` does, which is made again as long as another git is in its way.

    Args:
        attempt: Leaves nothing behind when it fails.
        seconds: How long; `PATIENCE` unless told.

    Raises:
        GitFailed: of the attempt; a lock that stays held is named, with what to do.
        GitMissing: there is no git.
    """
    until = time.monotonic() + (PATIENCE if seconds is None else seconds)
    pause = _FIRST
    while True:
        try:
            return attempt()
        except GitFailed as error:
            lock = held_lock(error.said)
            if lock is None and not any(pattern.search(error.said) for pattern in _PASSING):
                raise
            if time.monotonic() >= until:
                raise _stuck(error, lock) from None
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST)


def _stuck(error: GitFailed, lock: str | None) -> GitFailed:
    if lock is None:
        return error
    said = (
        f"fatal: {lock} is held by another git, or was left behind by one that was killed: "
        "wait for that git, or remove the file when none runs, and try again"
    )
    return GitFailed(error.words, error.code, said)
