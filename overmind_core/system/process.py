"""Processes and snapshots of them (pure data; whoever scanned fills it in), and signals that can't hit a stranger.

A signal goes through a file descriptor that pins the pid before anybody asks whose it is.

Source: pidfd_open(2), pidfd_send_signal(2).
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import cached_property
from typing import NamedTuple

Identity = tuple[int, int]
"""Pid and start time: tells a process from a later one with the same pid."""


class Disposition(Enum):
    """What a process does with a signal."""

    DEFAULT = "default"
    IGNORED = "ignored"
    CAUGHT = "caught"


class Process(NamedTuple):
    """One process, as `/proc/<pid>/stat` has it."""

    pid: int
    ppid: int
    pgrp: int
    sid: int
    """The session's leader; 0 for the kernel's own threads and where it can't be told."""
    state: str
    """One letter: R S D T t Z X."""
    ticks: int
    """Start time in clock ticks (1/100 s) since boot; since the epoch where there is no /proc."""
    threads: int = 1
    name: str = ""
    """At most 15 bytes of the program's name, or what it calls itself."""
    leaving: bool = False
    """It has begun to end: its memory is given up, so that it tells nothing of itself any more."""

    @property
    def dead(self) -> bool:
        """Whether nothing of it runs: a zombie, unless threads outlive its main thread."""
        return self.state in {"Z", "X"} and self.threads <= 1

    @property
    def identity(self) -> Identity:
        """Pid and start time, which no other process of this boot shares."""
        return self.pid, self.ticks


class Snapshot:
    """All processes, by pid, dead ones included."""

    def __init__(self, processes: Mapping[int, Process]) -> None:
        self.processes = processes

    @cached_property
    def children(self) -> Mapping[int, list[int]]:
        """The pids of each process' children."""
        found: dict[int, list[int]] = {}
        for process in self.processes.values():
            found.setdefault(process.ppid, []).append(process.pid)
        return found

    @cached_property
    def sessions(self) -> Mapping[int, list[int]]:
        """The pids in each session."""
        found: dict[int, list[int]] = {}
        for process in self.processes.values():
            found.setdefault(process.sid, []).append(process.pid)
        return found

    def ancestors(self, pid: int) -> Iterator[int]:
        """The parents of `pid`, nearest first. A snapshot isn't atomic: a circle ends the walk."""
        met = {pid}
        while (process := self.processes.get(pid)) is not None and process.ppid not in met:
            pid = process.ppid
            met.add(pid)
            yield pid

    def descends(self, pid: int, ancestor: int) -> bool:
        """Whether `ancestor` is above `pid`."""
        return ancestor in self.ancestors(pid)

    def has(self, identity: Identity) -> bool:
        """Whether that very process is there, be it dead. A start time of 0 stands for any."""
        process = self.processes.get(identity[0])
        return process is not None and identity[1] in {0, process.ticks}


MISSING = {errno.ENOSYS, errno.EMFILE, errno.ENFILE, errno.EINVAL, errno.EPERM}
"""No pidfd to be had, though the process may be there (an old kernel, a sandbox, no file descriptors left)."""


def send_pinned(pid: int, number: int, *, check: Callable[[], bool]) -> bool:
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
