"""A program that runs beside this one, in a session of its own.

As `subprocess`, whose import takes a third as long as Python's own start: each command for another hive would pay that.
"""

from __future__ import annotations

import _thread
import os
import signal
import time

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FIRST_PAUSE, _LONGEST_PAUSE = 0.0005, 0.05
"""Seconds between two looks at whether it has ended."""
_DEFAULT = (signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that Python ignores, which a program is not to inherit."""


class ChildProcess:
    """A running program; whoever has it sees it to its end.

    Args:
        argv: Its words; the first is looked for on PATH.
        environment: Its variables.
        files: The descriptors, above 2, that become its standard input, output and error output.

    Attributes:
        pid: Of the program, its session and its process group.
        returncode: How it ended, negative for a signal; None: nobody has seen it end.

    Raises:
        OSError: it can't be started.
    """

    def __init__(self, argv: Sequence[str], *, environment: Mapping[str, str], files: tuple[int, int, int]) -> None:
        actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(files)]
        self.returncode: int | None = None
        self.pid = os.posix_spawnp(
            argv[0], list(argv), environment, file_actions=actions, setsid=True, setsigdef=_DEFAULT
        )
        self._guard = _thread.allocate_lock()

    def poll(self) -> int | None:
        """Return how it ended; None: it still runs."""
        with self._guard:  # of two threads that look, one alone gets to know it
            if self.returncode is None:
                self._look(os.WNOHANG)
            return self.returncode

    def wait(self, limit: float) -> int | None:
        """Return how it ended; None: it still runs after `limit` seconds."""
        deadline, pause = time.monotonic() + limit, _FIRST_PAUSE
        while (code := self.poll()) is None and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            pause = min(pause * 2, _LONGEST_PAUSE)
        return code

    def kill(self) -> None:
        """End it at once, with what it has started in its session's own group."""
        with self._guard:
            if self.returncode is not None:
                return
            try:  # noqa: SIM105  (start-up: contextlib costs each command)
                os.killpg(self.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
            self._look(0)

    def _look(self, flags: int) -> None:
        try:
            pid, status = os.waitpid(self.pid, flags)
        except ChildProcessError:  # somebody else has seen it end
            self.returncode = 0
            return
        if pid:
            self.returncode = os.waitstatus_to_exitcode(status)
