"""The reaper: waits for dead children, our runs with their true exit codes and the orphans they left."""

from __future__ import annotations

import os
import signal
from functools import partial

from overmind_core.keeper.loop import guarded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from overmind_core.keeper.keeper import Keeper
    from overmind_core.keeper.run import KeptRun

PEEKS = hasattr(os, "waitid")
"""Not on macOS before Python 3.13; there are no marks to read there either."""
PER_TURN = 32


class Reaper:
    """SIGCHLD wakes the loop through a pipe; the reaping itself is work in portions.

    All roots of a portion are reaped before any of them is told, so that one look at our children says of each what it
    has left: a look is as long as the list, and when thousands end at once there are thousands on it.
    """

    __slots__ = ("_childless", "_due", "_keeper", "_woken")

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._woken, wake = os.pipe()
        self._due = True
        self._childless = False
        """The last look has shown that we have no child at all, so no orphan either."""
        keeper.reap = self.failed
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
        ended: list[tuple[KeptRun, int]] = []
        self._due = all(self._reap(ended) for _ in range(PER_TURN))
        if ended:
            orphans = [] if self._childless else self._keeper.orphans.adopted(self._keeper.runs.by_pid)
            for run, code in ended:
                guarded(partial(self._keeper.on_exit, run, code, orphans))
        return 0.0 if self._due else None

    def _reap(self, ended: list[tuple[KeptRun, int]]) -> bool:
        """Reap one, and put it to those that have ended if it is a run's root; False when nobody is dead."""
        keeper = self._keeper
        self._childless = False
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
            self._childless = True
            return False
        if pid:
            run = registered.pop(pid, None)
            if run is not None:
                ended.append((run, os.waitstatus_to_exitcode(status)))
        return pid != 0


def _nothing(_number: int, _frame: object) -> None:
    """Only the byte in the pipe matters."""
