"""The process table of Linux, read straight from /proc: 2.5 times faster than asking a library.

A process that is gone is no error, ever; to lack file descriptors is one: a blind look must not pass for an empty one.

Source: proc_pid_stat(5), proc_pid_environ(5), proc_locks(5).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from functools import cache

from overmind_core.system.membership import EXEMPT_PROGRAMS, exempt_matcher
from overmind_core.system.process import Disposition, Identity, Process, Snapshot, send_pinned
from overmind_core.system.run_mark import NO_MARK, STARTED_IN, mark_of, unmarked_limit
from overmind_core.system.socket_clients import clients

PF_EXITING = 0x4
"""Among the flags of /proc/<pid>/stat. Source: include/linux/sched.h."""
GONE = (FileNotFoundError, ProcessLookupError, PermissionError)
KEEPER_LOCK = b"/keeper.lock"
SUPERVISOR_LOCK = b"/supervisor.lock"
"""What the paths of our locks end in."""
HEADLESS = b"/headless"
"""A file beside a supervisor's lock: its holder belongs to whoever started it, only its keeper stands apart."""
UNCOUNTED = b"0 0 0\n"
"""In /proc/<pid>/schedstat where the kernel does not count."""
READ = os.O_RDONLY | os.O_CLOEXEC
_TICKS = os.sysconf("SC_CLK_TCK")
"""A second."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
"""Bytes."""


def scan() -> Snapshot:
    """Read all processes: about 10 µs each.

    Raises:
        OSError: /proc can't be read, or there are no file descriptors left.
    """
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (process := read(int(entry))) is not None:
            found[process.pid] = process
    return Snapshot(found)


def read(pid: int) -> Process | None:
    """Read one process; None when there is none."""
    stat = _slurp(f"/proc/{pid}/stat")
    if not stat:
        return None
    end = stat.rindex(b")")
    rest = stat[end + 2 :].split(None, 20)
    return Process(
        pid=pid,
        ppid=int(rest[1]),
        pgrp=int(rest[2]),
        sid=int(rest[3]),
        state=rest[0].decode("ascii"),
        ticks=int(rest[19]),
        threads=int(rest[17]),
        name=stat[stat.index(b"(") + 1 : end].decode("utf-8", "surrogateescape"),
        leaving=bool(int(rest[6]) & PF_EXITING),
    )


def usage(pid: int) -> tuple[float, int] | None:
    """CPU seconds and resident bytes of a process; None when there is none."""
    stat = _slurp(f"/proc/{pid}/stat")
    if not stat:
        return None
    rest = stat[stat.rindex(b")") + 2 :].split(None, 22)
    return (int(rest[11]) + int(rest[12])) / _TICKS, int(rest[21]) * _PAGE


def run_statistics(pid: int) -> bytes:
    """How long and how often the main thread of `pid` has run: another text as soon as it has run again.

    Empty when that can't be told. Source: the kernel's sched-stats documentation.
    """
    text = _slurp(f"/proc/{pid}/schedstat")
    return b"" if text == UNCOUNTED else text


def environ(pid: int) -> bytes:
    """The environment that `pid` was started with, `NAME=value` each ended by a NUL.

    Empty when it isn't ours to read.
    """
    return _slurp(f"/proc/{pid}/environ")


def now_ticks() -> int:
    """This moment as a process that starts now would have it as its start time."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // (1_000_000_000 // os.sysconf("SC_CLK_TCK"))


def command(pid: int) -> list[str]:
    """The command line of `pid`, empty for a zombie."""
    line = _slurp(f"/proc/{pid}/cmdline").rstrip(b"\0")
    return [part.decode("utf-8", "surrogateescape") for part in line.split(b"\0")] if line else []


def children(pid: int) -> list[int]:
    """The pids of the children of `pid`, those of its threads too; oldest first within a thread."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except GONE:
        return []
    lists = (_slurp(f"/proc/{pid}/task/{thread}/children") for thread in threads)
    return [int(child) for text in lists for child in text.split()]


@cache
def tells_children() -> bool:
    """Whether the kernel tells of each process which children it has: not every one is built so."""
    return os.path.exists(f"/proc/self/task/{os.getpid()}/children")


def _slurp(path: str) -> bytes:
    try:
        fd = os.open(path, READ)
    except GONE:
        return b""
    try:
        text = os.read(fd, 65536)
        # A short answer may be all, or one page of more: only an empty one is the end.
        while len(text) >= 2048 and (more := os.read(fd, 1 << 20)):  # noqa: PLR2004 (no stat line is that long)
            text += more
    except GONE:
        return b""
    finally:
        os.close(fd)
    return text


def _status(pid: int) -> list[bytes]:
    return _slurp(f"/proc/{pid}/status").splitlines()


class LinuxProcessTable:
    """The processes of this machine, with a memory for facts: use one for each sweep."""

    adopting = True

    def __init__(self, leave: Iterable[str] = EXEMPT_PROGRAMS) -> None:
        self._matches = exempt_matcher(leave)
        self._origins: dict[Identity, tuple[bytes, bytes]] = {}
        self._holders: set[Identity] = set()
        self._servants: set[Identity] = set()
        self._clients: dict[tuple[Identity, bool], Collection[int]] = {}
        self._lockers: set[int] | None = None
        self._uids = None if os.geteuid() == 0 else {os.getuid(), os.geteuid(), 0}
        """None: root may read everybody's."""

    def scan(self) -> Snapshot:
        """Read all processes; see `scan`."""
        snapshot = scan()
        self._lockers = _lockers(snapshot)
        return snapshot

    def send(self, process: Process, signal: int) -> bool:
        """Send `signal` to that very process; False when it is gone or not ours to signal."""
        return send_pinned(process.pid, signal, check=lambda: self.is_there(process.identity))

    def is_there(self, identity: Identity) -> bool:
        """Whether that very process is there, be it dead."""
        now = read(identity[0])
        return now is not None and now.identity == identity

    def command(self, process: Process) -> str:
        """Its command line, or its name in brackets as `ps` shows it."""
        return " ".join(command(process.pid)) or f"[{process.name}]"

    def disposition(self, process: Process, signal: int) -> Disposition | None:
        """What it does with that signal, by the masks of `/proc/<pid>/status`; None when it is gone."""
        masks = {name: value for name, _, value in (line.partition(b":\t") for line in _status(process.pid))}
        for name, found in ((b"SigIgn", Disposition.IGNORED), (b"SigCgt", Disposition.CAUGHT)):
            if int(masks.get(name, b"0"), 16) >> (signal - 1) & 1:
                return found
        return Disposition.DEFAULT if b"SigCgt" in masks else None

    def mark(self, process: Process) -> int:
        """The mark it wears."""
        return mark_of(process.pid)

    def is_marked(self, process: Process) -> bool:
        """Whether it wears any mark: of a run, be that over, or of a supervisor."""
        return NO_MARK < mark_of(process.pid) < unmarked_limit()

    def origin(self, process: Process) -> tuple[bytes, bytes]:
        """Mission and home that its environment names; asked once, for a program may replace itself."""
        known = self._origins.get(process.identity)
        if known is not None:
            return known
        if not self._readable(process.pid):
            return b"", b""
        text = b"\0" + environ(process.pid)
        found = _value(text, b"OVERMIND_MISSION_ID"), _value(text, b"OVERMIND_HOME")
        if len(text) > 1:  # for a moment of its exec it has none
            self._origins[process.identity] = found
        return found

    def is_leaving(self, process: Process) -> bool:
        """Whether it has ended by now, or is about to."""
        now = read(process.pid)
        return now is None or now.identity != process.identity or now.dead or now.leaving

    def has_begun(self, process: Process, keeper: int) -> bool:
        """Whether it runs a program of its own."""
        return command(process.pid) != command(keeper)

    def holds_lock(self, process: Process) -> bool:
        """Whether it holds a keeper's or a supervisor's lock."""
        if self._lockers is not None and process.pid not in self._lockers:
            return False
        return _remembered(self._holders, process.identity, lambda: _holds_lock(process.pid))

    def daemon_in(self, process: Process, missions: Collection[str] | None) -> tuple[str, str] | None:
        """The mission inside which a daemon or keeper was started, and its home; None: it is neither, or of no such.

        `missions`: those that count; None: any.
        """
        if not self.holds_lock(process):
            return None
        mission = os.fsdecode(_value(b"\0" + environ(process.pid), os.fsencode(STARTED_IN)))
        home = _locked_home(process.pid) if mission and (missions is None or mission in missions) else None
        return None if home is None else (mission, os.fsdecode(home))

    def is_exempt(self, process: Process) -> bool:
        """Whether it is a program that is never ended."""
        return _remembered(self._servants, process.identity, lambda: self._matches(process.name, command(process.pid)))

    def clients(self, process: Process, *, loopback: bool) -> Collection[int]:
        """The pids of those that are connected to it as to a server of this machine; asked once."""
        key = (process.identity, loopback)
        if key not in self._clients:
            self._clients[key] = clients(process.pid, loopback=loopback)
        return self._clients[key]

    def _readable(self, pid: int) -> bool:
        """Whether its environment may be ours: root's too, for so look programs that hide their memory.

        As root everybody's: a program of ours may have become another user.
        """
        if self._uids is None:
            return True
        try:
            return os.stat(f"/proc/{pid}").st_uid in self._uids
        except GONE:
            return False


def _remembered(memory: set[Identity], identity: Identity, look: Callable[[], bool]) -> bool:
    """Remember a yes alone: what is a shell's fork now may be the daemon in a moment."""
    if identity in memory:
        return True
    if look():
        memory.add(identity)
        return True
    return False


def _value(text: bytes, name: bytes) -> bytes:
    return text.partition(b"\0" + name + b"=")[2].partition(b"\0")[0]


def _lockers(snapshot: Snapshot) -> set[int] | None:
    """The processes that may hold a `flock`; None = any.

    The list names who took a lock: when that one is gone, a child that inherited the file holds it.
    """
    try:
        with open("/proc/locks", "rb") as file:
            lines: Sequence[bytes] = file.read().splitlines()
    except GONE:
        return None
    pids = {int(line.split()[4]) for line in lines if b"FLOCK" in line and b"->" not in line}
    return pids if all(pid in snapshot.processes for pid in pids) else None


def _holds_lock(pid: int) -> bool:
    folder = f"/proc/{pid}/fd"
    try:
        fds = os.listdir(folder)
    except GONE:
        return False
    return any(_is_lock(pid, fd) for fd in fds)


def _locked_home(pid: int) -> bytes | None:
    """The home whose lock a process holds."""
    with suppress(*GONE):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            if _is_lock(pid, fd):
                return os.path.dirname(os.readlink(os.fsencode(f"/proc/{pid}/fd/{fd}")))
    return None


def _is_lock(pid: int, fd: str) -> bool:
    """Whether that file is one of our locks and held, not just read."""
    try:
        name = os.readlink(os.fsencode(f"/proc/{pid}/fd/{fd}"))
    except GONE:
        return False
    name = name.removesuffix(b" (deleted)")
    if name.endswith(SUPERVISOR_LOCK) and os.path.lexists(name.removesuffix(SUPERVISOR_LOCK) + HEADLESS):
        return False
    if not name.endswith((KEEPER_LOCK, SUPERVISOR_LOCK)):
        return False
    return re.search(rb"^lock:.*FLOCK.*WRITE", _slurp(f"/proc/{pid}/fdinfo/{fd}"), re.MULTILINE) is not None
