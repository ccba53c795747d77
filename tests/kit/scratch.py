"""Where tests put their repositories and other files: in memory, where that is possible; homes stay on the disk.

They make and remove some hundred thousand files. What a disk's file system does for these took a tenth of the
processor time of a whole run, and the tests waited for its journal.
"""

from __future__ import annotations

import os
import tempfile

_MEMORY = "/dev/shm"
_ROOM = 4 << 30
"""Bytes that must be free there; all workers together need less than one gigabyte."""


def _has_room(folder: str) -> bool:
    """Whether all tests fit there, and programs may be put there."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return os.access(folder, os.W_OK) and found.f_bavail * found.f_frsize > _ROOM and not found.f_flag & os.ST_NOEXEC


def prefer_memory() -> None:
    """Have all temporary files of this process, and of what it starts, in memory; not where TMPDIR says otherwise."""
    if "TMPDIR" not in os.environ and _has_room(_MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = _MEMORY
