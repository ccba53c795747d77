"""Start a program by a fork: ptyprocess for terminals, a plain fork for pipes. The way without posix_spawn.

What ptyprocess does to a process that it opened is not wanted here: its `__del__` would hang the terminal up, its
file objects would close the descriptor, and `close` sleeps. So it gets a class that only takes the two numbers.
"""

from __future__ import annotations

import errno
import os
import resource
import signal

import ptyprocess

from overmind_core.system import tty
from overmind_core.system.spawnplan import (
    ALL_SIGNALS,
    MARK_LIMIT,
    STDIN_PIPE,
    STDIN_TTY,
    STEP_CWD,
    STEP_EXEC,
    STEP_LIMITS,
    STEP_PIPE,
    STEP_TERMINAL,
    Ends,
    Plan,
    SpawnFailed,
)

_PLACEHOLDER = "/bin/sh"
"""ptyprocess looks its program up before the fork; the real one is started in `_become`."""


class _Bare(ptyprocess.PtyProcess):  # type: ignore[misc]  # carries no types
    """Knows pid and descriptor, owns neither."""

    born: list[tuple[int, int]] = []  # noqa: RUF012 -- how they get out when `spawn` raises
    closed = True

    def __init__(self, pid: int, fd: int) -> None:
        self.pid = pid
        self.fd = fd
        self.born.append((pid, fd))


class _Refused(Exception):
    """`<errno> <step>`, from the child to the parent."""


def start(plan: Plan, ends: Ends) -> int:
    """Start the program and return its pid; fills in `ends.out` for a terminal. Raises SpawnFailed."""
    return _on_terminal(plan, ends) if plan.tty else _on_pipes(plan, ends)


def _on_terminal(plan: Plan, ends: Ends) -> int:
    _check_terminals()

    def prepare() -> None:
        tty.prepare(1, columns=plan.columns, rows=plan.rows)
        if plan.stdin != STDIN_TTY:
            _set_stdin(plan, ends)
        _become(plan)

    passed = (ends.child_stdin,) if ends.child_stdin >= 0 else ()
    said = ""
    try:
        _Bare.spawn([_PLACEHOLDER], preexec_fn=prepare, dimensions=(plan.rows, plan.columns), pass_fds=passed)
    except OSError as error:
        raise SpawnFailed(error.errno or errno.ENOSPC, STEP_TERMINAL) from None
    except Exception as error:  # noqa: BLE001 -- ptyprocess raises its bare kind with the child's words
        said = str(error)
    pid, ends.out = _Bare.born.pop()
    os.set_inheritable(ends.out, False)
    _check(pid, said)
    return pid


def _check_terminals() -> None:
    """Find out now when there are none, or no descriptors: ptyprocess would lose the pipe that it has opened."""
    opened: list[int] = []
    try:
        opened += os.pipe()
        opened += os.openpty()
    except OSError as error:
        raise SpawnFailed(error.errno or errno.ENOSPC, STEP_TERMINAL) from None
    finally:
        for fd in opened:
            os.close(fd)


def _on_pipes(plan: Plan, ends: Ends) -> int:
    try:
        heard, told = os.pipe()
    except OSError as error:
        raise SpawnFailed(error.errno or errno.EMFILE, STEP_PIPE) from None
    try:
        pid = os.fork()
        if pid == 0:
            _child_on_pipes(plan, ends, told)
    except OSError as error:
        os.close(heard)
        raise SpawnFailed(error.errno or errno.EAGAIN, STEP_EXEC) from None
    finally:
        os.close(told)
    with open(heard, "rb", buffering=0) as file:
        _check(pid, file.read().decode("ascii", "replace"))
    return pid


def _child_on_pipes(plan: Plan, ends: Ends, told: int) -> None:
    try:
        os.setsid()
        _set_stdin(plan, ends)
        os.dup2(ends.child_out, 1)
        os.dup2(ends.child_err, 2)
        _become(plan)
    except BaseException as error:  # noqa: BLE001 -- the child must not return into the parent's code
        os.write(told, str(error).encode("ascii", "replace"))
    finally:
        os._exit(127)


def _check(pid: int, said: str) -> None:
    """Reap a child that could not become the program, and say why."""
    if said:
        os.waitpid(pid, 0)
        number, _, step = said.partition(" ")
        raise SpawnFailed(int(number) if number.isdigit() else errno.EINVAL, step or STEP_EXEC)


def _set_stdin(plan: Plan, ends: Ends) -> None:
    source = ends.child_stdin if plan.stdin == STDIN_PIPE else os.open(os.devnull, os.O_RDONLY)
    os.dup2(source, 0)


def _become(plan: Plan) -> None:
    """In the child: take on the plan's world and be the program. Raises _Refused."""
    step = STEP_CWD
    try:
        os.umask(plan.umask)
        os.chdir(plan.cwd)
        step = STEP_LIMITS
        resource.setrlimit(resource.RLIMIT_NOFILE, plan.nofile)
        if plan.mark:
            resource.setrlimit(MARK_LIMIT, (plan.mark, resource.getrlimit(MARK_LIMIT)[1]))
        step = STEP_EXEC
        for number in ALL_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.execve(plan.program, plan.argv, plan.env)  # noqa: S606 -- no shell wanted
    except (OSError, ValueError) as error:
        raise _Refused(f"{getattr(error, 'errno', None) or errno.EINVAL} {step}") from None
