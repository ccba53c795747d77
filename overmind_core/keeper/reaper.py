"""The reaper: waits for dead children, our runs with their true exit codes and the orphans they left."""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from overmind_core.keeper.keeper import Keeper

PEEKS = hasattr(os, "waitid")
"""Not on macOS before Python 3.13; there are no marks to read there either."""
PER_TURN = 32


class Reaper:
    """SIGCHLD wakes the loop through a pipe; the reaping itself is work in portions."""

    __slots__ = ("_due", "_keeper", "_woken")

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._woken, wake = os.pipe()
        self._due = True
        for fd in (self._woken, wake):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _nothing)
        keeper.loop.watch(self._woken, 1, self)

    def ready(self, _events: int) -> None:
        """A child may have died."""
        os.read(self._woken, 65536)
        self._due = True

    def failed(self) -> None:
        """Reap anyway."""
        self._due = True

    def work(self) -> float | None:
        """Reap some."""
        if not self._due:
            return None
        for _ in range(PER_TURN):
            if not self._reap():
                self._due = False
                return None
        return 0.0

    def _reap(self) -> bool:
        """Reap one; False when nobody is dead."""
        keeper = self._keeper
        registered = keeper.runs.by_pid
        try:
            if keeper.orphans.purging and PEEKS:
                # A dead orphan still shows its mark: the purge must see it before it is gone.
                seen = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if seen is not None and seen.si_pid not in registered:
                    keeper.orphans.on_reap(seen.si_pid)
                pid, status = os.waitpid(seen.si_pid, os.WNOHANG) if seen is not None else (0, 0)
            else:
                pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid:
            run = registered.pop(pid, None)
            if run is not None:
                keeper.on_exit(run, os.waitstatus_to_exitcode(status))
        return pid != 0


def _nothing(_number: int, _frame: object) -> None:
    """Only the byte in the pipe matters."""
