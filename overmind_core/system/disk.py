"""Whether file systems have room: evidence for why something has failed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LEAST_ROOM = 1 << 20
"""Bytes: what fails for want of room often leaves a little of it."""


def first_full(paths: Iterable[str]) -> str | None:
    """The first of these paths, or the folder for temporary files, whose file system has no room; None: all have."""
    import tempfile  # noqa: PLC0415 - for those for whom something has failed

    return next((path for path in (*paths, tempfile.gettempdir()) if _is_full(path)), None)


def _is_full(path: str) -> bool:
    """Whether the file system has no room; one that can't be written to anyway has nothing to do with it.

    A worktree may be gone by now, so it is asked about the nearest folder above that is there.
    """
    while not os.path.isdir(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    try:
        found = os.statvfs(path)
    except OSError:
        return False
    if found.f_flag & os.ST_RDONLY or not found.f_blocks:
        return False
    free = found.f_bfree if os.geteuid() == 0 else found.f_bavail
    return free * found.f_frsize < LEAST_ROOM or bool(found.f_files and not found.f_favail)
