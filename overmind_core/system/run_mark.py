"""A mark is a number that a process inherits, never sheds by accident, and that anybody may read back.

It is worn as the soft RLIMIT_MSGQUEUE (bytes of POSIX message queues; next to nobody uses them): it survives `env -i`,
setsid, double forks and exec, and can be read of a zombie too. All homes of one user share the range, so every keeper
leases a block of numbers: a file per block, locked for the keeper's life, which names the home that used it last.

Source: getrlimit(2), proc_pid_limits(5).

The programs that no sweep ends, though a mission started them: they serve the whole user, not the mission.

A pattern is a shell glob. It is held against the process' name and against its command line, the program without its
folder: `java*GradleDaemon*` finds `/usr/bin/java -Xmx512m org.gradle.launcher.daemon.bootstrap.GradleDaemon 8.5`.
"""

from __future__ import annotations

import fcntl
import fnmatch
import os
import re
import resource
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache

NO_MARK = 0
"""What `take` and `mark_of` answer where there are no marks; it belongs to no run."""
UNKNOWN = -1
"""What `mark_of` answers for a process that doesn't exist or can't be looked at."""

LIMIT = getattr(resource, "RLIMIT_MSGQUEUE", None)
"""Linux only."""
CUSTOMARY = 819_200
"""The kernel's default for both limits, in bytes: what a process without a mark wears."""
PER_BLOCK = 4096
"""Marks in a block."""


def ceiling() -> int:
    """What a process without a mark wears, in bytes; 0 where marks don't exist."""
    if LIMIT is None:
        return 0
    hard = resource.getrlimit(LIMIT)[1]
    return CUSTOMARY if hard == resource.RLIM_INFINITY else min(hard, CUSTOMARY)


def mark_of(pid: int) -> int:
    """The mark that `pid` wears: also its `ceiling` when it wears none, and UNKNOWN when that can't be told.

    Half a microsecond; needs no file descriptor.
    """
    if LIMIT is None:
        return UNKNOWN
    try:
        return resource.prlimit(pid, LIMIT)[0]
    except PermissionError:
        return _mark_in_proc(pid)
    except OSError:
        return UNKNOWN


def _mark_in_proc(pid: int) -> int:
    """The slow way (10 µs), for set-uid programs: prlimit(2) refuses those, the file is readable for all."""
    try:
        with open(f"/proc/{pid}/limits", "rb") as file:
            soft = file.read().partition(b"Max msgqueue size")[2].split(None, 1)[0]
        return int(soft)
    except (OSError, IndexError, ValueError):
        return UNKNOWN


def shed() -> None:
    """Take off the mark of the mission inside which this process was started, so that its end spares us."""
    if LIMIT is not None:
        resource.setrlimit(LIMIT, (ceiling(), resource.getrlimit(LIMIT)[1]))


class Marks:
    """The marks that one keeper may give to its runs; further blocks are leased as they are needed.

    The locks go with the process, so a keeper that is killed frees its blocks.
    """

    def __init__(self, folder: str, home: str, *, top: int | None = None) -> None:
        """Lease nothing yet.

        Args:
            folder: `marks` in the user's runtime folder; made when it is missing.
            home: path of the home that the keeper serves.
            top: `ceiling()` unless told.
        """
        self._folder = folder
        self._home = os.fsencode(home)
        self._top = ceiling() if top is None else top
        self._free: deque[int] = deque()
        self._files: list[int] = []

    def take(self) -> int:
        """Return a mark that nobody else of this user wears, the longest unused first; NO_MARK when all are taken."""
        if not self._free and not self._lease():
            return NO_MARK
        return self._free.popleft()

    def give_back(self, mark: int) -> None:
        """Make `mark` free again: only when nothing wears it any more (its run was swept clean)."""
        if mark > NO_MARK:
            self._free.append(mark)

    def close(self) -> None:
        """End the leases (the process' end does so too)."""
        for file in self._files:
            os.close(file)
        self._files.clear()
        self._free.clear()

    def _lease(self) -> bool:
        """Lock one more block; False when none is to be had."""
        with suppress(OSError):
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
        for block in sorted(range(self._blocks()), key=self._rank):
            file = self._lock(block)
            if file is not None:
                self._files.append(file)
                self._free.extend(self._numbers(block))
                return True
        return False

    def _blocks(self) -> int:
        """How many there are: no mark takes more than half of the limit away, so that programs may still use queues."""
        return self._top // 2 // PER_BLOCK

    def _numbers(self, block: int) -> range:
        first = self._top - block * PER_BLOCK - 1
        return range(first, first - PER_BLOCK, -1)

    def _rank(self, block: int) -> int:
        """Ours before untouched before another home's: what that one left behind may still wear its numbers."""
        try:
            with open(os.path.join(self._folder, str(block)), "rb") as file:
                owner = file.read()
        except OSError:
            owner = b""
        return 0 if owner == self._home else 1 if not owner else 2

    def _lock(self, block: int) -> int | None:
        """Lock the file of `block` and sign it, or None: somebody has it (perhaps we ourselves)."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            file = os.open(os.path.join(self._folder, str(block)), flags, 0o600)
        except OSError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(file, 0)
            os.pwrite(file, self._home, 0)
        except OSError:
            os.close(file)
            return None
        return file


LEAVE = (
    # keys and passphrases
    "gpg-agent",
    "ssh-agent",
    "scdaemon",
    "keyboxd",
    # terminals that people come back to
    "tmux: server",
    "SCREEN",
    "SCREEN *",
    "zellij --server*",
    # build daemons, shared by all builds of the user
    "java*GradleDaemon*",
    "java*KotlinCompileDaemon*",
    "java*sbt.ForkMain*",
    "bazel(*",
    "*bazel*A-server.jar*",
    "buck2d*",
    "mvnd*",
    "sccache",
    "distccd",
    "watchman",
    "adb*fork-server*",
)
"""Unless the configuration's list `leave` says otherwise."""


def matcher(patterns: Iterable[str]) -> Callable[[str, Sequence[str]], bool]:
    """Return a function that tells whether a process with this name and command line is to be left alone."""
    return _matcher(tuple(patterns))


@cache
def _matcher(patterns: tuple[str, ...]) -> Callable[[str, Sequence[str]], bool]:
    if not patterns:
        return lambda _name, _argv: False
    match = re.compile("|".join(map(fnmatch.translate, patterns)), re.DOTALL).match

    def left(name: str, argv: Sequence[str]) -> bool:
        line = " ".join([os.path.basename(argv[0]), *argv[1:]]) if argv else ""
        return bool(match(name) or match(line) or (argv and match(os.path.basename(argv[0]))))

    return left
