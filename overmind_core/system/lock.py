"""One holder at a time, decided by `flock`: it ends with the process, however that ends.

On the command line's start-up path: cheap imports only.
"""

from __future__ import annotations

import fcntl
import os
import time

PAUSE = 0.02
"""Seconds between two tries of `wait_lock`."""
PID_PATIENCE = 0.1
"""Seconds that a new holder gets to write its pid."""


class Lock:
    """A lock that this process holds until `release` or its end."""

    __slots__ = ("_fd", "path")

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self._fd = fd

    @property
    def counts(self) -> bool:
        """Whether the path still names the locked file: after its removal another process may lock a new one."""
        return self._fd >= 0 and _is_same_file(self.path, self._fd)

    @property
    def removed(self) -> bool:
        """Whether the locked file has no name any more; one in a folder that was moved has."""
        return self._fd < 0 or not os.fstat(self._fd).st_nlink

    def release(self) -> None:
        """Give the lock back; again is harmless. The file stays: removing it would let two hold it."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def try_lock(path: str) -> Lock | None:
    """Take the lock at once, or return None when another process holds it.

    Raises:
        OSError: the file can't be opened or written.
    """
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            if not _take(fd):
                os.close(fd)
                return None
            if _is_same_file(path, fd):
                _write_pid(fd)
                return Lock(path, fd)
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def wait_lock(path: str, timeout: float, *, after: int | None = None) -> Lock | None:
    """Take the lock within `timeout` seconds, or return None; `after`: wait for that process alone."""
    deadline = time.monotonic() + timeout
    while (lock := try_lock(path)) is None:
        if time.monotonic() >= deadline or (after and (holder_pid(path) or after) != after):
            return None
        time.sleep(PAUSE)
    return lock


def is_free(path: str, patience: float) -> bool:
    """Whether nobody holds the lock, or lets go of it within `patience` seconds."""
    if not os.path.exists(path):
        return True
    lock = wait_lock(path, patience)
    if lock is not None:
        lock.release()
    return lock is not None


def holder_pid(path: str) -> int | None:
    """Return the pid of the process that holds the lock now; None when nobody does.

    0 means: held, by a process that couldn't write its pid.
    """
    deadline = time.monotonic() + PID_PATIENCE
    while True:
        pid = _probe(path)
        if pid is None or _is_alive(pid):
            return pid
        # Between taking the lock and writing, the file still has the last holder's pid or none.
        if time.monotonic() >= deadline:
            return pid
        time.sleep(0.001)


def _take(fd: int) -> bool:
    """Try for the exclusive lock. A probe's shared lock, held for microseconds, is no holder."""
    while not _flock(fd, fcntl.LOCK_EX):
        if not _flock(fd, fcntl.LOCK_SH):
            return False
        fcntl.flock(fd, fcntl.LOCK_UN)
        time.sleep(0.0005)
    return True


def _flock(fd: int, mode: int) -> bool:
    try:
        fcntl.flock(fd, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _probe(path: str) -> int | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if _flock(fd, fcntl.LOCK_SH):
            return None
        text = os.read(fd, 32).strip()
        return int(text) if text.isdigit() else 0
    finally:
        os.close(fd)


def _is_same_file(path: str, fd: int) -> bool:
    """Tell whether `path` still names what was locked: somebody may have removed the file meanwhile."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(found, os.fstat(fd))


def _write_pid(fd: int) -> None:
    text = b"%d\n" % os.getpid()
    os.pwrite(fd, text, 0)
    os.ftruncate(fd, len(text))


def _is_alive(pid: int) -> bool:
    if pid == 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
