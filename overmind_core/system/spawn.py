"""Start a program in a session of its own, on a terminal or on pipes: one function, two ways.

`posix_spawn` is the way on Linux (four times faster), a fork through ptyprocess elsewhere and on request. Both give
the child the same world. For one-threaded callers only; afterwards the caller's folder is `/`.
"""

from __future__ import annotations

import os
import sys

from overmind_core.system import forkspawn, posixspawn
from overmind_core.system.spawnplan import Ends, Plan

AUTO = "auto"
POSIX_SPAWN = "posix_spawn"
PTYPROCESS = "ptyprocess"

_NATIVE = POSIX_SPAWN if sys.platform.startswith("linux") else PTYPROCESS
_WAYS = {AUTO: _NATIVE, POSIX_SPAWN: POSIX_SPAWN, PTYPROCESS: PTYPROCESS}
_STARTERS = {POSIX_SPAWN: posixspawn.start, PTYPROCESS: forkspawn.start}


class Spawned:
    """The new process and our ends of its files, non-blocking and close-on-exec; -1 where there is none."""

    __slots__ = ("err", "out", "pid", "stdin")

    def __init__(self, pid: int, ends: Ends) -> None:
        self.pid = pid
        self.out = ends.out
        """The terminal's master, or the pipe of standard output."""
        self.err = ends.err
        self.stdin = ends.stdin


def spawn(plan: Plan, method: str = AUTO) -> Spawned:
    """Start the program by `method`, one of the names above.

    Raises:
        SpawnFailed: nothing runs, and nothing stays open.
        KeyError: there is no such method.
    """
    start = _STARTERS[_WAYS[method]]
    ends = Ends()
    try:
        ends.open_pipes(plan)
        pid = start(plan, ends)
    except BaseException:
        ends.close()
        raise
    ends.close_child()
    return Spawned(pid, ends)


def spawn_detached(argv: list[str], env: dict[str, str], *, log: str, nofile: tuple[int, int]) -> int:
    """Start a background program in a session of its own, its output appended to the file `log`; return its pid.

    Raises:
        SpawnFailed: it did not start.
        OSError: `log` can't be opened.
    """
    ends = Ends()
    try:
        ends.child_out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        ends.child_err = os.dup(ends.child_out)
        plan = Plan(
            program=os.fsencode(argv[0]),
            argv=[os.fsencode(text) for text in argv],
            env={os.fsencode(name): os.fsencode(value) for name, value in env.items()},
            cwd=b"/",
            umask=0o077,
            tty=False,
            stdin="null",
            columns=0,
            rows=0,
            nofile=nofile,
        )
        return _STARTERS[_NATIVE](plan, ends)
    finally:
        ends.close()
