"""The process table where there is no /proc: what psutil knows.

It finds session, tree and readable environments. There are no marks, and orphans go to the first process, not to the
keeper.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable
from contextlib import suppress

import psutil

from overmind_core.system.membership import EXEMPT_PROGRAMS, exempt_matcher
from overmind_core.system.process import Disposition, Identity, Process, Snapshot, send_pinned
from overmind_core.system.run_mark import NO_MARK

STATES = {psutil.STATUS_ZOMBIE: "Z", psutil.STATUS_DEAD: "X", psutil.STATUS_STOPPED: "T", psutil.STATUS_RUNNING: "R"}
LOCKS = ("/keeper.lock", "/supervisor.lock")


def scan() -> Snapshot:
    """Ask for all processes."""
    found = (_process(process) for process in psutil.process_iter())
    return Snapshot({process.pid: process for process in found if process is not None})


def read(pid: int) -> Process | None:
    """Ask for one process; None when there is none."""
    try:
        return _process(psutil.Process(pid))
    except psutil.Error:
        return None


def usage(pid: int) -> tuple[float, int] | None:
    """CPU seconds and resident bytes of a process; None when there is none."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            return times.user + times.system, int(process.memory_info().rss)
    except psutil.Error:
        return None


def run_statistics(pid: int) -> bytes:
    """Empty: nobody tells here whether a process has run."""
    del pid
    return b""


def environ(pid: int) -> bytes:
    """The environment that `pid` was started with, `NAME=value` each ended by a NUL.

    Empty when it isn't ours to read.
    """
    try:
        pairs = psutil.Process(pid).environ()
    except (psutil.Error, OSError):
        return b""
    return b"".join(os.fsencode(f"{name}={value}") + b"\0" for name, value in pairs.items())


def now_ticks() -> int:
    """This moment as a process that starts now would have it as its start time."""
    return round(time.time() * 100)


def command(pid: int) -> list[str]:
    """The command line of `pid`, empty when it isn't ours to read."""
    with suppress(psutil.Error, OSError):
        return psutil.Process(pid).cmdline()
    return []


def children(pid: int) -> list[int]:
    """The pids of the children of `pid`."""
    with suppress(psutil.Error, OSError):
        return [child.pid for child in psutil.Process(pid).children()]
    return []


def tells_children() -> bool:
    """It is told here, whatever the system."""
    return True


class PortableProcessTable:
    """The processes of this machine, with a memory for environments: use one for each sweep."""

    adopting = False

    def __init__(self, leave: Iterable[str] = EXEMPT_PROGRAMS) -> None:
        self._matches = exempt_matcher(leave)
        self._origins: dict[Identity, tuple[bytes, bytes]] = {}

    def scan(self) -> Snapshot:
        """Ask for all processes."""
        return scan()

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
        """None: it is not told."""
        del process, signal
        return None

    def mark(self, process: Process) -> int:
        """Nothing wears a mark here."""
        del process
        return NO_MARK

    def is_marked(self, process: Process) -> bool:
        """Nothing wears one."""
        del process
        return False

    def origin(self, process: Process) -> tuple[bytes, bytes]:
        """Mission and home that its environment names; asked once, for a program may replace itself."""
        if process.identity not in self._origins:
            try:
                pairs = psutil.Process(process.pid).environ()
            except (psutil.Error, OSError):
                return b"", b""
            found = (os.fsencode(pairs.get(name, "")) for name in ("OVERMIND_MISSION_ID", "OVERMIND_HOME"))
            self._origins[process.identity] = next(found), next(found)
        return self._origins[process.identity]

    def is_leaving(self, process: Process) -> bool:
        """Whether it has ended by now."""
        now = read(process.pid)
        return now is None or now.identity != process.identity or now.dead

    def has_begun(self, process: Process, keeper: int) -> bool:
        """Whether it runs a program of its own."""
        return command(process.pid) != command(keeper)

    def holds_lock(self, process: Process) -> bool:
        """Whether it has a keeper's or a supervisor's lock open."""
        with suppress(psutil.Error, OSError):
            return any(_is_lock(file.path) for file in psutil.Process(process.pid).open_files())
        return False

    def daemon_in(self, process: Process, missions: Collection[str] | None) -> tuple[str, str] | None:
        """None: of each process all files would have to be looked at."""
        del process, missions
        return None

    def is_exempt(self, process: Process) -> bool:
        """Whether it is a program that is never ended."""
        return self._matches(process.name, command(process.pid))

    def clients(self, process: Process, *, loopback: bool) -> Collection[int]:
        """Nobody: of unix sockets no other end is told here."""
        del process, loopback
        return ()


def _is_lock(path: str) -> bool:
    """Whether it is a lock of somebody with missions of its own; a headless run's belong to whoever started that."""
    if path.endswith("/supervisor.lock") and os.path.lexists(path.removesuffix("supervisor.lock") + "headless"):
        return False
    return path.endswith(LOCKS)


def _process(process: psutil.Process) -> Process | None:
    """Everything about one process, or None when it is gone."""
    try:
        with process.oneshot():
            return Process(
                pid=process.pid,
                ppid=process.ppid(),
                pgrp=os.getpgid(process.pid),
                sid=os.getsid(process.pid),
                state=STATES.get(process.status(), "S"),
                ticks=round(process.create_time() * 100),
                name=process.name(),
            )
    except (psutil.Error, OSError):
        return None
