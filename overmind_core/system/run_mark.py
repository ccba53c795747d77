"""Run marks: numbers that every process of a run inherits, never sheds by accident, and that anybody may read back.

A mark is the soft RLIMIT_MSGQUEUE (bytes of POSIX message queues; next to nobody uses them): it survives `env -i`,
setsid, double forks and exec, and can be read of a zombie too. All homes of one user share the range, so every keeper
leases a block of numbers: a file per block, locked for the keeper's life, which names the home that used it last.

Source: getrlimit(2), proc_pid_limits(5).
"""

from __future__ import annotations

import fcntl
import os
import resource
from collections import deque
from contextlib import suppress

NO_MARK = 0
"""What `take` and `mark_of` answer where there are no marks; it belongs to no run."""
MARK_UNKNOWN = -1
"""What `mark_of` answers for a process that doesn't exist or can't be looked at."""

MARK_RLIMIT = getattr(resource, "RLIMIT_MSGQUEUE", None)
"""Linux only."""
OWN_MARK = 1
"""What a supervisor wears, and so everything that it starts for itself: git, and the hooks and filters that git runs.
No run ever has it: their marks lie in the upper half of the limit."""
PERSON_MARK = 2
"""What a person's command wears that a supervisor starts in the background: it may leave processes, and is no run."""
OWN_VARIABLE = "OVERMIND_GIT_FOR"
"""Variable in the environment of each git of a supervisor, and of the hooks that it runs: for which mission it is."""
PROBE_VARIABLE = "OVERMIND_PROBE_OF"
"""Variable in the environment of each probe of a supervisor: the id of the mission that it is about.

No `OWN_VARIABLE`, as that makes what it says to the supervisor the word of its mission."""
STARTED_IN = "OVERMIND_STARTED_IN"
"""Variable in the environment of a daemon, and of its keeper, that was started inside a mission: the mission's id."""
DEFAULT_LIMIT = 819_200
"""The kernel's default for both limits, in bytes: what a process without a mark wears."""
BLOCK_SIZE = 4096
"""Marks in a block."""


def unmarked_limit() -> int:
    """What a process without a mark wears, in bytes; 0 where marks don't exist."""
    if MARK_RLIMIT is None:
        return 0
    hard = resource.getrlimit(MARK_RLIMIT)[1]
    return DEFAULT_LIMIT if hard == resource.RLIM_INFINITY else min(hard, DEFAULT_LIMIT)


def mark_of(pid: int) -> int:
    """The mark that `pid` wears: also `unmarked_limit()` when it wears none, and MARK_UNKNOWN when it can't be read.

    Half a microsecond; needs no file descriptor.
    """
    if MARK_RLIMIT is None:
        return MARK_UNKNOWN
    try:
        return resource.prlimit(pid, MARK_RLIMIT)[0]
    except PermissionError:
        return _mark_in_proc(pid)
    except OSError:
        return MARK_UNKNOWN


def _mark_in_proc(pid: int) -> int:
    """The slow way (10 µs), for set-uid programs: prlimit(2) refuses those, the file is readable for all."""
    try:
        with open(f"/proc/{pid}/limits", "rb") as file:
            soft = file.read().partition(b"Max msgqueue size")[2].split(None, 1)[0]
        return int(soft)
    except (OSError, IndexError, ValueError):
        return MARK_UNKNOWN


def clear_mark() -> None:
    """Take off the mark of the mission inside which this process was started, so that its end spares us."""
    if MARK_RLIMIT is not None:
        resource.setrlimit(MARK_RLIMIT, (unmarked_limit(), resource.getrlimit(MARK_RLIMIT)[1]))


def wear_own_mark(*, for_good: bool = False) -> None:
    """Have every program that this process starts from now on be known as ours, whoever wrote it.

    A mission's mark that it has inherited stays: a headless run inside a mission is a part of that, and ends with it.

    Args:
        for_good: Whether this process never takes it off again from what it starts: it is about to become a program
            that a mission may have written.
    """
    if MARK_RLIMIT is not None and resource.getrlimit(MARK_RLIMIT)[0] == unmarked_limit() > OWN_MARK:
        hard = OWN_MARK if for_good else resource.getrlimit(MARK_RLIMIT)[1]
        resource.setrlimit(MARK_RLIMIT, (OWN_MARK, hard))


def own_limits() -> tuple[int, int] | None:
    """The limits of a program that we start for ourselves; None where it inherits the mark of a mission."""
    if MARK_RLIMIT is None:
        return None
    ours = resource.getrlimit(MARK_RLIMIT)[0]
    return (OWN_MARK, OWN_MARK) if ours == OWN_MARK or ours == unmarked_limit() > OWN_MARK else None


def is_own_mark(mark: int) -> bool:
    """Whether a process with this mark was started by a supervisor for itself, also where it has lowered the mark."""
    return mark == OWN_MARK or (mark == NO_MARK and unmarked_limit() > OWN_MARK)


def is_of_another(mark: int) -> bool:
    """Whether this mark, which is not the one that is looked for, says whose a process is: a run's or a supervisor's.

    What lies below the marks of runs is a process' own limit: it has taken its mark off.
    """
    top = unmarked_limit()
    return mark in {OWN_MARK, PERSON_MARK} or top // 2 <= mark < top


def clear_own_mark_of(pid: int, *, background: bool = False) -> None:
    """Take the mark of a supervisor off a program that it has just started for a person: it speaks as that person.

    One in the `background` gets another in its place.
    """
    if MARK_RLIMIT is None or resource.getrlimit(MARK_RLIMIT)[0] != OWN_MARK:
        return  # a mission's mark is not ours to take off
    with suppress(OSError):  # it has ended already
        mark = PERSON_MARK if background else unmarked_limit()
        resource.prlimit(pid, MARK_RLIMIT, (mark, resource.getrlimit(MARK_RLIMIT)[1]))


def is_of_home(mark: int, home: str, folder: str, *, top: int | None = None) -> bool:
    """Whether this home was the last to lease the mark: also when its run, and the keeper that gave it, are long gone.

    Args:
        mark: Of a process.
        home: Path of the home.
        folder: See `MarkPool`.
        top: See `MarkPool`.
    """
    block = ((unmarked_limit() if top is None else top) - 1 - mark) // BLOCK_SIZE
    if mark <= PERSON_MARK or block < 0:
        return False
    with suppress(OSError), open(os.path.join(folder, str(block)), "rb") as file:
        return file.read() == os.fsencode(home)
    return False


class MarkPool:
    """The marks that one keeper may give to its runs; further blocks are leased as they are needed.

    The locks go with the process, so a keeper that is killed frees its blocks.
    """

    def __init__(self, folder: str, home: str, *, top: int | None = None) -> None:
        """Lease nothing yet.

        Args:
            folder: `marks` in the user's runtime folder; made when it is missing.
            home: path of the home that the keeper serves.
            top: `unmarked_limit()` by default.
        """
        self._folder = folder
        self._home = os.fsencode(home)
        self._top = unmarked_limit() if top is None else top
        self._free: deque[int] = deque()
        self._files: list[int] = []

    @property
    def files(self) -> tuple[int, ...]:
        """The descriptors of the files that are locked: whoever inherits them holds the locks, too."""
        return tuple(self._files)

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
        return self._top // 2 // BLOCK_SIZE

    def _numbers(self, block: int) -> range:
        first = self._top - block * BLOCK_SIZE - 1
        return range(first, first - BLOCK_SIZE, -1)

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
