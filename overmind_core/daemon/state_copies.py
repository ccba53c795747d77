"""Copies of state.db: one a day, made only where something has changed since the last, and seven of them kept.

Each is made in a thread, from one moment of the file, and has its name once it is whole. A copy that can't be made is a
line in the log.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import sqlite3
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.system.paths import Home

FIRST_SECONDS = 60.0
"""From a daemon's start to its first look: what is begun and ended again within a minute needs no copy."""
PERIOD = 3600.0
"""Seconds between two looks."""
KEPT = 7
ROOM = 3
"""How many times the file's size has to be free: a copy never takes the last of a disk."""
_COARSE = 1.0
"""Seconds by which the moments of files may lie behind the clock, at most."""
_PREFIX, _SUFFIX, _UNFINISHED = "state-", ".db", ".new"
_log = logging.getLogger(__name__)


class Copy(NamedTuple):
    """A copy of the state."""

    day: str
    """As `2026-11-27`, of the clocks here."""
    path: str
    made_at: float
    """Seconds since the epoch."""
    bytes: int


def copies(folder: str) -> list[Copy]:
    """Return the copies in a folder, newest first."""
    found = []
    with suppress(FileNotFoundError):
        for name in sorted(os.listdir(folder), reverse=True):
            if name.startswith(_PREFIX) and name.endswith(_SUFFIX):
                path = os.path.join(folder, name)
                with suppress(FileNotFoundError):
                    status = os.stat(path)
                    day = name[len(_PREFIX) : -len(_SUFFIX)]
                    found.append(Copy(day, path, status.st_mtime, status.st_size))
    return found


def make_copy(database: str, folder: str, day: str) -> Copy | None:
    """Copy a database that others have open, for this day; None where there is one, or nothing has changed since.

    Raises:
        OSError: it can't be made; nothing of it stays.
        sqlite3.Error: the same.
    """
    known = [one for one in copies(folder) if one.day <= day]  # a clock that was wrong has made the others
    if known and (known[0].day == day or known[0].made_at >= _changed_at(database)):
        return None
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = os.path.join(folder, f"{_PREFIX}{day}{_SUFFIX}")
    new = f"{path}{_UNFINISHED}"
    for left in os.listdir(folder):  # by a daemon that was killed
        if left.endswith(_UNFINISHED):
            os.unlink(os.path.join(folder, left))
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < ROOM * os.stat(database).st_size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), folder)
    began = time.time()
    try:
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            version = _version(connection)
            connection.execute("VACUUM INTO ?", (new,))
            # A file that has lost its log is as new as its newest copy, then.
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            # That touches the file, and is no change; what was committed meanwhile is one, which the copy may not have.
            ended = time.time()
            made_at = ended if _version(connection) == version else began - _COARSE
        os.utime(new, (made_at, made_at))
        _sync(new)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(new)
        raise
    os.rename(new, path)
    _sync(folder)
    made, *others = sorted(copies(folder), key=lambda one: one.day > day)  # those of the future are the first to go
    for old in others[KEPT - 1 :]:
        os.unlink(old.path)
    return made


def _version(connection: sqlite3.Connection) -> int:
    """Another number once others have committed something."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _changed_at(database: str) -> float:
    found = 0.0
    for path in (database, f"{database}-wal"):
        with suppress(FileNotFoundError):
            found = max(found, os.stat(path).st_mtime)
    return found


def _sync(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class StateCopies:
    """Makes them, for as long as the daemon lives."""

    def __init__(self, home: Home, clock: Callable[[], float] = time.time) -> None:
        """`clock`: seconds since the epoch."""
        self._home = home
        self._clock = clock

    async def run(self) -> None:
        """Look now and then, until cancelled."""
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(PERIOD)

    def look(self) -> None:
        """Make today's copy where it is due."""
        day = time.strftime("%Y-%m-%d", time.localtime(self._clock()))
        try:
            make_copy(self._home.database, self._home.copies, day)
        except (OSError, sqlite3.Error) as error:
            _log.warning("no copy of the state was made: %s", error)
