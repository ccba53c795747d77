"""What both ways of starting a program share: the plan, the ends of its files, and the failure."""

from __future__ import annotations

import os
import resource
import signal

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
