"""Failover: starts a daemon, or ends every run, when the supervisor is gone without a goodbye.

A home that was removed has no supervisor and never gets one: nobody can list, stop or read what runs, and its output
fills a disk unseen. So every run is ended then, and the keeper with them. A home that was moved is no such case.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from overmind_core.keeper.loop import report
from overmind_core.system.spawn import spawn_detached

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.keeper.keeper import Keeper
    from overmind_core.keeper.loop import Timer

FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
"""Seconds; doubled in between."""
HOME_LOOK = 2.0
"""Seconds between two looks whether the home is still there."""
HOME_LOOKS = 5
"""Looks after which a supervisor that has not left a removed home is not waited for any longer."""
REMOVED_GRACE = 5.0
"""Seconds that the runs of a removed home get to end by themselves."""
KILL_PAUSE = 0.02
"""Seconds between two rounds of ending everything."""
KILL_LIMIT = 10.0
"""Seconds after which what can't be ended is left to the machine."""


class Failover:
    """What the newest supervisor asked to be done after its loss: its successor's command line, or how soon to kill."""

    __slots__ = (
        "_argv", "_deadline", "_delay", "_env", "_is_removed", "_is_transient", "_keeper", "_kill_after", "_log",
        "_looks", "_nofile", "_remove_home", "_started", "_timer",
    )  # fmt: skip

    def __init__(
        self,
        keeper: Keeper,
        *,
        log: str,
        nofile: tuple[int, int],
        is_removed: Callable[[], bool] = lambda: False,
        remove_home: Callable[[], bool] = lambda: True,
    ) -> None:
        """Do nothing yet.

        Args:
            keeper: What holds the runs.
            log: Where a daemon's output goes.
            nofile: Its RLIMIT_NOFILE.
            is_removed: Whether the home is gone.
            remove_home: Removes it; False while a supervisor still uses it.
        """
        self._keeper = keeper
        self._is_removed = is_removed
        self._remove_home = remove_home
        self._is_transient = False
        self._looks = 0
        self._log = log
        self._nofile = nofile
        self._argv: list[str] = []
        self._env: dict[str, str] = {}
        self._kill_after: float | None = None
        self._delay = FIRST_DELAY
        self._deadline = 0.0
        self._timer: Timer | None = None
        self._started: set[int] = set()
        """Daemons that we have started and that have not said hello."""
        keeper.loop.later(HOME_LOOK, self._look_at_home)

    def on_hello(
        self, pid: int, *, argv: list[str], env: dict[str, str], kill_after: float | None, is_transient: bool = False
    ) -> None:
        """The supervisor `pid` has said hello.

        Args:
            pid: Its process.
            argv: What is started after it; empty: nothing.
            env: The variables of that.
            kill_after: Seconds after its loss when everything is ended; None: it is not.
            is_transient: Whether the home goes then, too.
        """
        self._cancel()
        self._kill_late_daemons(pid)
        self._argv = argv
        self._env = env
        self._kill_after = kill_after
        self._keeper.ends_all = kill_after is not None
        self._is_transient = is_transient
        self._delay = FIRST_DELAY

    def on_supervisor_lost(self) -> None:
        """The supervisor is gone without a goodbye."""
        self._cancel()
        if self._kill_after is not None:
            self._timer = self._keeper.loop.later(self._kill_after, self._begin_killing)
        elif self._argv:
            self._timer = self._keeper.loop.later(self._delay, self._start_daemon)

    def _kill_late_daemons(self, pid: int) -> None:
        """End the daemons of ours that the supervisor `pid` was faster than.

        One that takes the lock when that supervisor has left on request would supervise what nobody wants supervised.
        """
        by_pid = self._keeper.runs.by_pid
        for late in self._started - {pid}:
            if late in by_pid and by_pid[late] is None:  # not reaped, so nobody else has this pid
                with suppress(OSError):
                    os.kill(late, signal.SIGKILL)
        self._started.clear()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start_daemon(self) -> None:
        """One exec, no policy; the lock settles who supervises. Again later, until one says hello."""
        if not self._keeper.is_needed or self._is_removed():
            return
        try:
            pid = spawn_detached(self._argv, self._env, log=self._log, nofile=self._nofile)
            self._keeper.runs.by_pid[pid] = None
            self._started.add(pid)
        except (OSError, ValueError):
            report()
        self._delay = min(2 * self._delay, LONGEST_DELAY)
        self._timer = self._keeper.loop.later(self._delay, self._start_daemon)

    def _look_at_home(self) -> None:
        """End what runs in a home that was removed, once its supervisor has left or has had the time to."""
        if self._kill_after is not None or not self._is_removed():
            self._keeper.loop.later(HOME_LOOK, self._look_at_home)
            return
        self._looks += 1
        if self._keeper.supervisor is not None and self._looks < HOME_LOOKS:
            self._keeper.loop.later(HOME_LOOK, self._look_at_home)
            return
        self._cancel()
        if not self._keeper.runs.any_alive:
            self._keeper.loop.stop()
            return
        for run in self._keeper.runs:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCONT) if run.lives else ():
                with suppress(OSError):
                    os.killpg(run.pid, number)
        self._deadline = self._keeper.loop.mono + REMOVED_GRACE
        self._await_end()

    def _await_end(self) -> None:
        """Kill what is left when every root has ended, or at the deadline."""
        if self._keeper.runs.any_alive and self._keeper.loop.mono < self._deadline:
            self._timer = self._keeper.loop.later(KILL_PAUSE, self._await_end)
        else:
            self._begin_killing()

    def _begin_killing(self) -> None:
        self._deadline = self._keeper.loop.mono + KILL_LIMIT
        self._kill_all()

    def _kill_all(self) -> None:
        """End every child, adopted ones too: who loses its parent comes to us, so an empty list is the end of all."""
        keeper = self._keeper
        roots = [run.pid for run in keeper.runs if run.lives]
        for pid in roots:
            with suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
        for pid in {*roots, *(keeper.orphans.adopted(keeper.runs.by_pid) or ())}:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        over = not keeper.runs.any_alive and not keeper.orphans.adopted(keeper.runs.by_pid)
        if over and self._is_transient:
            over = self._remove_home()
        if over or keeper.loop.mono > self._deadline:
            keeper.loop.stop()
        else:
            self._timer = keeper.loop.later(KILL_PAUSE, self._kill_all)
