"""Start a program in a session of its own, on a terminal or on pipes: one function, two ways.

`posix_spawn` is the way on Linux (four times faster: the caller's memory is not copied), a fork elsewhere and on
request: ptyprocess for terminals, a plain fork for pipes. Both give the child the same world. For one-threaded callers
only: posix_spawn takes neither folder nor umask nor limits, so the caller changes its own around the call, and
afterwards its folder is `/`.

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
    from collections.abc import Mapping, Sequence

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


class SpawnError(OSError):
    """The program did not start; `step` is one of the `STEP_…` names."""

    def __init__(self, number: int, step: str) -> None:
        super().__init__(number, os.strerror(number))
        self.step = step


class SpawnPlan:
    """A process to start. Every text is bytes, as the kernel takes it; an environment may be of plain ASCII."""

    __slots__ = ("argv", "columns", "cwd", "env", "mark", "nofile", "program", "rows", "stdin", "tty", "umask")

    def __init__(
        self,
        *,
        program: bytes,
        argv: list[bytes],
        env: Mapping[bytes, bytes] | Mapping[str, str],
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


class FileEnds:
    """Both ends of the child's files; -1 where there is none. What we opened is close-on-exec."""

    __slots__ = ("child_err", "child_out", "child_stdin", "err", "out", "stdin")

    def __init__(self) -> None:
        self.out = self.err = self.stdin = -1
        self.child_out = self.child_err = self.child_stdin = -1

    def open_pipes(self, plan: SpawnPlan) -> None:
        """Open what the plan wants but its terminal. Raises SpawnError."""
        try:
            if plan.stdin == STDIN_PIPE:
                self.child_stdin, self.stdin = os.pipe()
            if not plan.tty:
                self.out, self.child_out = os.pipe()
                self.err, self.child_err = os.pipe()
        except OSError as error:
            raise SpawnError(error.errno or 0, STEP_PIPE) from None

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


def start_by_posix_spawn(plan: SpawnPlan, ends: FileEnds) -> int:
    """Start the program and return its pid; fills in `ends.out` for a terminal. Raises SpawnError."""
    if not plan.tty:
        return _run(plan, [_stdin(plan, ends), _pipe_end(ends.child_out, 1), _pipe_end(ends.child_err, 2)])
    slave = _open_terminal(plan, ends)
    try:
        return _run(plan, _terminal_actions(plan, ends, _own_file(slave)))
    finally:
        os.close(slave)


def _open_terminal(plan: SpawnPlan, ends: FileEnds) -> int:
    try:
        ends.out, slave = os.openpty()
    except OSError as error:
        raise SpawnError(error.errno or errno.ENOSPC, STEP_TERMINAL) from None
    terminal.prepare(slave, columns=plan.columns, rows=plan.rows)
    return slave


def _terminal_actions(plan: SpawnPlan, ends: FileEnds, name: str) -> list[Action]:
    """A session leader that opens a terminal without O_NOCTTY gets it as its controlling one (tty_ioctl(4))."""
    if plan.stdin in {STDIN_NULL, STDIN_PIPE}:
        return [_stdin(plan, ends), (os.POSIX_SPAWN_OPEN, 1, name, os.O_RDWR, 0), _copy(1, 2)]
    return [(os.POSIX_SPAWN_OPEN, 0, name, os.O_RDWR, 0), _copy(0, 1), _copy(0, 2)]


def _stdin(plan: SpawnPlan, ends: FileEnds) -> Action:
    if plan.stdin == STDIN_PIPE:
        return _pipe_end(ends.child_stdin, 0)
    return (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)


def _pipe_end(source: int, target: int) -> Action:
    """Open the pipe (or log) by its name: the C library refuses to copy a descriptor above the child's lower limit."""
    flags = os.O_WRONLY | os.O_APPEND if target else os.O_RDONLY
    return (os.POSIX_SPAWN_OPEN, target, _own_file(source), flags, 0)


def _own_file(fd: int) -> str:
    """The name under which the child, too, finds what it has as `fd` until it is the program."""
    return f"/proc/self/fd/{fd}"


def _copy(source: int, target: int) -> Action:
    return (os.POSIX_SPAWN_DUP2, source, target)


def _run(plan: SpawnPlan, actions: Sequence[Action]) -> int:
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
        raise SpawnError(getattr(error, "errno", None) or errno.EINVAL, step) from None
    finally:
        if plan.mark:
            resource.setrlimit(MARK_LIMIT, queue)
        resource.setrlimit(resource.RLIMIT_NOFILE, nofile)
        os.chdir("/")
        os.umask(umask)


_PLACEHOLDER = "/bin/sh"
"""ptyprocess looks its program up before the fork; the real one is started in `_exec_plan`."""


class _PtyHandle(ptyprocess.PtyProcess):  # type: ignore[misc]  # carries no types
    """Knows pid and descriptor, owns neither."""

    born: list[tuple[int, int]] = []  # noqa: RUF012 -- how they get out when `spawn` raises
    closed = True

    def __init__(self, pid: int, fd: int) -> None:
        self.pid = pid
        self.fd = fd
        self.born.append((pid, fd))


class _ChildFailed(Exception):
    """`<errno> <step>`, from the child to the parent."""


def start_by_fork(plan: SpawnPlan, ends: FileEnds) -> int:
    """Start the program and return its pid; fills in `ends.out` for a terminal. Raises SpawnError."""
    return _on_terminal(plan, ends) if plan.tty else _on_pipes(plan, ends)


def _on_terminal(plan: SpawnPlan, ends: FileEnds) -> int:
    _check_terminals()

    def prepare() -> None:
        terminal.prepare(1, columns=plan.columns, rows=plan.rows)
        if plan.stdin != STDIN_TTY:
            _set_stdin(plan, ends)
        _exec_plan(plan)

    passed = (ends.child_stdin,) if ends.child_stdin >= 0 else ()
    failure = ""
    try:
        _PtyHandle.spawn([_PLACEHOLDER], preexec_fn=prepare, dimensions=(plan.rows, plan.columns), pass_fds=passed)
    except OSError as error:
        raise SpawnError(error.errno or errno.ENOSPC, STEP_TERMINAL) from None
    except Exception as error:  # noqa: BLE001 -- ptyprocess raises its bare kind with the child's words
        failure = str(error)
    pid, ends.out = _PtyHandle.born.pop()
    os.set_inheritable(ends.out, False)
    _check(pid, failure)
    return pid


def _check_terminals() -> None:
    """Find out now when there are none, or no descriptors: ptyprocess would lose the pipe that it has opened."""
    opened: list[int] = []
    try:
        opened += os.pipe()
        opened += os.openpty()
    except OSError as error:
        raise SpawnError(error.errno or errno.ENOSPC, STEP_TERMINAL) from None
    finally:
        for fd in opened:
            os.close(fd)


def _on_pipes(plan: SpawnPlan, ends: FileEnds) -> int:
    try:
        report_reader, report = os.pipe()
    except OSError as error:
        raise SpawnError(error.errno or errno.EMFILE, STEP_PIPE) from None
    try:
        pid = os.fork()
        if pid == 0:
            _child_on_pipes(plan, ends, report)
    except OSError as error:
        os.close(report_reader)
        raise SpawnError(error.errno or errno.EAGAIN, STEP_EXEC) from None
    finally:
        os.close(report)
    with open(report_reader, "rb", buffering=0) as file:
        _check(pid, file.read().decode("ascii", "replace"))
    return pid


def _child_on_pipes(plan: SpawnPlan, ends: FileEnds, report: int) -> None:
    try:
        os.setsid()
        _set_stdin(plan, ends)
        os.dup2(ends.child_out, 1)
        os.dup2(ends.child_err, 2)
        _exec_plan(plan)
    except BaseException as error:  # noqa: BLE001 -- the child must not return into the parent's code
        os.write(report, str(error).encode("ascii", "replace"))
    finally:
        os._exit(127)


def _check(pid: int, failure: str) -> None:
    """Reap a child that could not become the program, and say why."""
    if failure:
        os.waitpid(pid, 0)
        number, _, step = failure.partition(" ")
        raise SpawnError(int(number) if number.isdigit() else errno.EINVAL, step or STEP_EXEC)


def _set_stdin(plan: SpawnPlan, ends: FileEnds) -> None:
    source = ends.child_stdin if plan.stdin == STDIN_PIPE else os.open(os.devnull, os.O_RDONLY)
    os.dup2(source, 0)


def _exec_plan(plan: SpawnPlan) -> None:
    """In the child: take on the plan's world and be the program. Raises _ChildFailed."""
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
        raise _ChildFailed(f"{getattr(error, 'errno', None) or errno.EINVAL} {step}") from None


AUTO = "auto"
POSIX_SPAWN = "posix_spawn"
PTYPROCESS = "ptyprocess"

_NATIVE = POSIX_SPAWN if sys.platform.startswith("linux") else PTYPROCESS
_WAYS = {AUTO: _NATIVE, POSIX_SPAWN: POSIX_SPAWN, PTYPROCESS: PTYPROCESS}
_STARTERS = {POSIX_SPAWN: start_by_posix_spawn, PTYPROCESS: start_by_fork}


class SpawnedProcess:
    """The new process and our ends of its files, non-blocking and close-on-exec; -1 where there is none."""

    __slots__ = ("err", "out", "pid", "stdin")

    def __init__(self, pid: int, ends: FileEnds) -> None:
        self.pid = pid
        self.out = ends.out
        """The terminal's master, or the pipe of standard output."""
        self.err = ends.err
        self.stdin = ends.stdin


def spawn(plan: SpawnPlan, method: str = AUTO) -> SpawnedProcess:
    """Start the program by `method`, one of the names above.

    Raises:
        SpawnError: nothing runs, and nothing stays open.
        KeyError: there is no such method.
    """
    start = _STARTERS[_WAYS[method]]
    ends = FileEnds()
    try:
        ends.open_pipes(plan)
        pid = start(plan, ends)
    except BaseException:
        ends.close()
        raise
    ends.close_child()
    return SpawnedProcess(pid, ends)


def spawn_detached(argv: list[str], env: dict[str, str], *, log: str, nofile: tuple[int, int]) -> int:
    """Start a background program in a session of its own, its output appended to the file `log`; return its pid.

    Raises:
        SpawnError: it did not start.
        OSError: `log` can't be opened.
    """
    ends = FileEnds()
    try:
        ends.child_out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        ends.child_err = os.dup(ends.child_out)
        plan = SpawnPlan(
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
