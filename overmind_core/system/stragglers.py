"""Ends what a supervisor that was killed left running: known by a variable of its environment. Blocks, for a thread."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

from overmind_core.system.process import Identity, Process, Snapshot
from overmind_core.system.processtree import Machine, environ, machine

EMPTY = 2
"""Looks in a row that must find nobody: one that forks and ends may slip through one, and has no environment for a
moment of its exec."""
PAUSE = 0.01
"""Seconds between looks."""
LIMIT = 5.0
"""Seconds after which those that can't be killed, such as one that waits for a dead disk, are left."""
OURS = b"\0OVERMIND_MISSION_ID="
"""In the environment of agents: they are ended as missions, wherever they were started."""


def end_stragglers(variable: str, value: str) -> int:
    """Kill every process of this user that was started with `variable=value`, and wait until they are gone.

    A daemon of ours and its agents are spared, even when such a process started them.

    Args:
        variable: The variable's name.
        value: Nobody else's; "" ends nobody.

    Returns:
        How many were found.
    """
    if not value:
        return 0
    sign = b"\0" + os.fsencode(f"{variable}={value}") + b"\0"
    on = machine(())
    met: set[Identity] = set()
    until = time.monotonic() + LIMIT
    empty = 0
    while empty < EMPTY and time.monotonic() < until:
        found = list(_wearing(on, on.scan(), sign))
        empty = 0 if found else empty + 1
        for process in found:
            met.add(process.identity)
            on.send(process, signal.SIGKILL)
        time.sleep(PAUSE)
    return len(met)


def _wearing(on: Machine, snapshot: Snapshot, sign: bytes) -> Iterator[Process]:
    for process in snapshot.processes.values():
        if process.dead or process.pid == os.getpid():
            continue
        text = b"\0" + environ(process.pid)
        if sign in text and OURS not in text and not on.holds_lock(process) and _same_user(process.pid):
            yield process


def _same_user(pid: int) -> bool:
    """Whether it runs as this user; where there is no /proc nobody else's environment can be read."""
    try:
        return os.stat(f"/proc/{pid}").st_uid == os.geteuid()
    except OSError:
        return not os.path.isdir("/proc/self")
