"""Start a program by `os.posix_spawn`: the caller's memory is not copied, so that it stays fast whatever that holds.

posix_spawn takes neither folder nor umask nor limits: the one-threaded caller changes its own around the call.
"""

from __future__ import annotations

import errno
import os
import resource

from overmind_core.system import tty
from overmind_core.system.spawnplan import (
    ALL_SIGNALS,
    MARK_LIMIT,
    STDIN_NULL,
    STDIN_PIPE,
    STEP_CWD,
    STEP_EXEC,
    STEP_LIMITS,
    STEP_TERMINAL,
    Ends,
    Plan,
    SpawnFailed,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Action = tuple[int, int, bytes | str, int, int] | tuple[int, int, int]


def start(plan: Plan, ends: Ends) -> int:
    """Start the program and return its pid; fills in `ends.out` for a terminal. Raises SpawnFailed."""
    if not plan.tty:
        return _run(plan, [_stdin(plan, ends), _pipe_end(ends.child_out, 1), _pipe_end(ends.child_err, 2)])
    slave = _open_terminal(plan, ends)
    try:
        return _run(plan, _terminal_actions(plan, ends, os.ttyname(slave)))
    finally:
        os.close(slave)


def _open_terminal(plan: Plan, ends: Ends) -> int:
    try:
        ends.out, slave = os.openpty()
    except OSError as error:
        raise SpawnFailed(error.errno or errno.ENOSPC, STEP_TERMINAL) from None
    tty.prepare(slave, columns=plan.columns, rows=plan.rows)
    return slave


def _terminal_actions(plan: Plan, ends: Ends, name: str) -> list[Action]:
    """A session leader that opens a terminal without O_NOCTTY gets it as its controlling one (tty_ioctl(4))."""
    if plan.stdin in {STDIN_NULL, STDIN_PIPE}:
        return [_stdin(plan, ends), (os.POSIX_SPAWN_OPEN, 1, name, os.O_RDWR, 0), _copy(1, 2)]
    return [(os.POSIX_SPAWN_OPEN, 0, name, os.O_RDWR, 0), _copy(0, 1), _copy(0, 2)]


def _stdin(plan: Plan, ends: Ends) -> Action:
    if plan.stdin == STDIN_PIPE:
        return _pipe_end(ends.child_stdin, 0)
    return (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)


def _pipe_end(source: int, target: int) -> Action:
    """Open the pipe (or log) by its name: the C library refuses to copy a descriptor above the child's lower limit."""
    flags = os.O_WRONLY | os.O_APPEND if target else os.O_RDONLY
    return (os.POSIX_SPAWN_OPEN, target, f"/proc/self/fd/{source}", flags, 0)


def _copy(source: int, target: int) -> Action:
    return (os.POSIX_SPAWN_DUP2, source, target)


def _run(plan: Plan, actions: Sequence[Action]) -> int:
    umask = os.umask(plan.umask)
    nofile = resource.getrlimit(resource.RLIMIT_NOFILE)
    queue = resource.getrlimit(MARK_LIMIT) if plan.mark else (0, 0)
    step = STEP_CWD
    try:
        os.chdir(plan.cwd)
        step = STEP_LIMITS
        resource.setrlimit(resource.RLIMIT_NOFILE, plan.nofile)
        if plan.mark:
            resource.setrlimit(MARK_LIMIT, (plan.mark, queue[1]))
        step = STEP_EXEC
        return os.posix_spawn(
            plan.program,
            plan.argv,
            plan.env,
            file_actions=actions,
            setsid=True,
            setsigmask=[],
            setsigdef=ALL_SIGNALS,
        )
    except (OSError, ValueError) as error:
        raise SpawnFailed(getattr(error, "errno", None) or errno.EINVAL, step) from None
    finally:
        if plan.mark:
            resource.setrlimit(MARK_LIMIT, queue)
        resource.setrlimit(resource.RLIMIT_NOFILE, nofile)
        os.chdir("/")
        os.umask(umask)
