"""The log of a program of ours that runs without a terminal: a file that its start keeps small."""

from __future__ import annotations

import os

LIMIT = 1 << 20
"""Bytes from which on the next start keeps it, as `daemon.log.1` beside `daemon.log`, and begins a new one."""


def open_log(path: str) -> int:
    """Return a descriptor that writes to the end of a log; to nothing where it can't be opened."""
    try:
        if os.path.exists(path) and os.stat(path).st_size > LIMIT:
            os.replace(path, path + ".1")
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:  # a full disk is no reason to supervise nothing
        return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
