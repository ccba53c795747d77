"""The process table of this machine, by whichever way the system has."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from typing import Protocol

from overmind_core.system.membership import EXEMPT_PROGRAMS, ProcessFacts
from overmind_core.system.process import Disposition, Identity, Process, Snapshot

if sys.platform == "linux":
    from overmind_core.system.process_table_linux import LinuxProcessTable as _SystemProcessTable
    from overmind_core.system.process_table_linux import (
        children,
        command,
        environ,
        now_ticks,
        read,
        run_statistics,
        scan,
        tells_children,
        usage,
    )
else:
    from overmind_core.system.process_table_portable import PortableProcessTable as _SystemProcessTable
    from overmind_core.system.process_table_portable import (
        children,
        command,
        environ,
        now_ticks,
        read,
        run_statistics,
        scan,
        tells_children,
        usage,
    )

__all__ = [
    "ProcessTable", "children", "command", "environ", "identity", "new_process_table", "now_ticks", "read",
    "run_statistics", "scan", "send", "tells_children", "usage",
]  # fmt: skip


class ProcessTable(ProcessFacts, Protocol):
    """The processes of a machine, and what may be done to them."""

    def scan(self) -> Snapshot:
        """Look at all processes."""

    def send(self, process: Process, signal: int) -> bool:
        """Send `signal` to that very process; False when it is gone or not ours to signal."""

    def daemon_in(self, process: Process, missions: Collection[str] | None) -> tuple[str, str] | None:
        """The mission inside which a daemon or keeper was started, and its home; None: it is neither, or of no such.

        `missions`: those that count; None: any.
        """

    def command(self, process: Process) -> str:
        """The command line, for people."""

    def disposition(self, process: Process, signal: int) -> Disposition | None:
        """What it does with that signal; None: it is gone, or that is not told."""


def new_process_table(leave: Iterable[str] = EXEMPT_PROGRAMS) -> ProcessTable:
    """Return the table of this machine, with an empty memory; `leave` are the programs that are never ended."""
    return _SystemProcessTable(leave)


def identity(pid: int) -> Identity | None:
    """The identity of the process `pid`, which a later one with that pid doesn't share; None when there is none."""
    process = read(pid)
    return None if process is None else process.identity


def send(pid: int, ticks: int, signal: int) -> bool:
    """Send `signal` to `pid` if it started at `ticks`; False when it is gone or not ours to signal."""
    process = read(pid)
    return process is not None and process.ticks == ticks and new_process_table(()).send(process, signal)
