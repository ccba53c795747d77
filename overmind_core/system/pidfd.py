"""Signals that can't hit a stranger: the pid is pinned by a file descriptor before anybody asks whose it is.

Source: pidfd_open(2), pidfd_send_signal(2).
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable

MISSING = {errno.ENOSYS, errno.EMFILE, errno.ENFILE, errno.EINVAL, errno.EPERM}
"""No pidfd to be had, though the process may be there (an old kernel, a sandbox, no file descriptors left)."""


def send(pid: int, number: int, *, check: Callable[[], bool]) -> bool:
    """Send signal `number` to `pid` if `check` says that it is still the one meant.

    Returns:
        Whether it was sent; False when the process is gone or not ours to signal.
    """
    pidfd_open = getattr(os, "pidfd_open", None)
    if pidfd_open is None:
        return _send_unpinned(pid, number, check)
    try:
        fd: int = pidfd_open(pid)
    except OSError as error:
        return error.errno in MISSING and _send_unpinned(pid, number, check)
    try:
        if not check():
            return False
        signal.pidfd_send_signal(fd, number)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(fd)


def _send_unpinned(pid: int, number: int, check: Callable[[], bool]) -> bool:
    """The second best: microseconds between check and signal."""
    try:
        if not check():
            return False
        os.kill(pid, number)
    except OSError:
        return False
    return True
