"""Start a program in a session of its own, on a terminal or on pipes: one function, two ways.

`posix_spawn` is the way on Linux (four times faster), a fork through ptyprocess elsewhere and on request. Both give
the child the same world. For one-threaded callers only; afterwards the caller's folder is `/`.

What both ways of starting a program share: the plan, the ends of its files, and the failure.

Start a program by `os.posix_spawn`: the caller's memory is not copied, so that it stays fast whatever that holds.

posix_spawn takes neither folder nor umask nor limits: the one-threaded caller changes its own around the call.

Start a program by a fork: ptyprocess for terminals, a plain fork for pipes. The way without posix_spawn.

What ptyprocess does to a process that it opened is not wanted here: its `__del__` would hang the terminal up, its
file objects would close the descriptor, and `close` sleeps. So it gets a class that only takes the two numbers.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys

import ptyprocess

from overmind_core.system import terminal

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

    Action = tuple[int, int, bytes | str, int, int] | tuple[int, int, int]


STDIN_NULL = "null"
STDIN_TTY = "tty"
STDIN_PIPE = "pipe"

MARK_LIMIT = getattr(resource, "RLIMIT_MSGQUEUE", -1)
"""The limit whose soft value marks the processes of a run; -1 where the system has none."""

ALL_SIGNALS = sorted(set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP})
"""Every signal that can be ignored: a child must not inherit what the keeper or Python ignores."""

STEP_TERMINAL = "terminal"
STEP_PIPE = "pipe"
STEP_CWD = "cwd"
STEP_LIMITS = "limits"
STEP_EXEC = "exec"


class SpawnFailed(OSError):
    """The program did not start; `step` is one of the `STEP_…` names."""

    def __init__(self, number: int, step: str) -> None:
        super().__init__(number, os.strerror(number))
        self.step = step


class Plan:
    """What to start. Every text is bytes, as the kernel takes it."""

    __slots__ = ("argv", "columns", "cwd", "env", "mark", "nofile", "program", "rows", "stdin", "tty", "umask")

    def __init__(
        self,
        *,
        program: bytes,
        argv: list[bytes],
        env: dict[bytes, bytes],
        cwd: bytes,
        umask: int,
        tty: bool,
        stdin: str,
        columns: int,
        rows: int,
        nofile: tuple[int, int],
        mark: int = 0,
    ) -> None:
        """`nofile`: RLIMIT_NOFILE of the child; `mark`: its soft RLIMIT_MSGQUEUE, 0 leaves that alone."""
        self.program = program
        self.argv = argv
        self.env = env
        self.cwd = cwd
        self.umask = umask
        self.tty = tty
        self.stdin = stdin
        self.columns = columns
        self.rows = rows
        self.nofile = nofile
        self.mark = mark


class Ends:
    """Both ends of the child's files; -1 where there is none. What we opened is close-on-exec."""

    __slots__ = ("child_err", "child_out", "child_stdin", "err", "out", "stdin")

    def __init__(self) -> None:
        self.out = self.err = self.stdin = -1
        self.child_out = self.child_err = self.child_stdin = -1

    def open_pipes(self, plan: Plan) -> None:
        """Open what the plan wants but its terminal. Raises SpawnFailed."""
        try:
            if plan.stdin == STDIN_PIPE:
                self.child_stdin, self.stdin = os.pipe()
            if not plan.tty:
                self.out, self.child_out = os.pipe()
                self.err, self.child_err = os.pipe()
        except OSError as error:
            raise SpawnFailed(error.errno or 0, STEP_PIPE) from None

    def close_child(self) -> None:
        """The child has its ends: let go of ours of them, and never block on the others."""
        _close(self.child_out, self.child_err, self.child_stdin)
        self.child_out = self.child_err = self.child_stdin = -1
        for fd in (self.out, self.err, self.stdin):
            if fd >= 0:
                os.set_blocking(fd, False)

    def close(self) -> None:
        """Nothing was started."""
        _close(self.out, self.err, self.stdin, self.child_out, self.child_err, self.child_stdin)


def _close(*fds: int) -> None:
    for fd in fds:
        if fd >= 0:
            os.close(fd)


def start_by_posix_spawn(plan: Plan, ends: Ends) -> int:
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
    terminal.prepare(slave, columns=plan.columns, rows=plan.rows)
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


def start_by_fork(plan: Plan, ends: Ends) -> int:
    """Start the program and return its pid; fills in `ends.out` for a terminal. Raises SpawnFailed."""
    return _on_terminal(plan, ends) if plan.tty else _on_pipes(plan, ends)


def _on_terminal(plan: Plan, ends: Ends) -> int:
    _check_terminals()

    def prepare() -> None:
        terminal.prepare(1, columns=plan.columns, rows=plan.rows)
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


AUTO = "auto"
POSIX_SPAWN = "posix_spawn"
PTYPROCESS = "ptyprocess"

_NATIVE = POSIX_SPAWN if sys.platform.startswith("linux") else PTYPROCESS
_WAYS = {AUTO: _NATIVE, POSIX_SPAWN: POSIX_SPAWN, PTYPROCESS: PTYPROCESS}
_STARTERS = {POSIX_SPAWN: start_by_posix_spawn, PTYPROCESS: start_by_fork}


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
