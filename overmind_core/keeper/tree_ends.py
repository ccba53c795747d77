"""The end of whole trees: kills everything that a run has started, and goes on until nothing of it is left.

The way of `kill_after`, for one run among others. A process that loses its parent becomes our child (an orphan), so
killing from the root downwards brings each generation here. An orphan is the run's when it wears its mark, when its
environment names the run's mission, or when its parent was the run's: nothing can take the last off, and a process is
stopped before its children are listed, so that it makes no more of them.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from functools import partial

from overmind_core.system.run_mark import mark_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from overmind_core.keeper.loop import Loop
    from overmind_core.keeper.orphans import Orphans
    from overmind_core.keeper.run import KeptRun, KeptRuns

PAUSE = 0.02
"""Seconds between two rounds."""
LONG_PAUSE = 1.0
"""The same for a tree of which something won't die, such as a process that waits for a disk."""
PATIENCE = 10.0
"""Seconds after which the pauses are long."""
QUIET_ROUNDS = 2
"""Rounds in a row that must find nobody: the children of a killed process come to us a moment later."""


class TreeEnd:
    """The end of one tree."""

    __slots__ = ("began", "children", "name", "quiet", "run")

    def __init__(self, run: KeptRun, began: float) -> None:
        """`began`: in seconds of the loop's clock."""
        self.run = run
        self.began = began
        self.name = f"OVERMIND_MISSION_ID={run.mission}".encode()
        """How the environment of its processes names its mission."""
        self.children: set[int] = set()
        """Pids of those whose parent was the run's."""
        self.quiet = 0
        """Rounds in a row that found nobody."""


class TreeEnds:
    """The ends that are under way."""

    __slots__ = ("_ends", "_loop", "_on_gone", "_orphans", "_runs")

    def __init__(self, loop: Loop, runs: KeptRuns, orphans: Orphans, *, on_gone: Callable[[KeptRun], None]) -> None:
        """`on_gone`: called with each run of whose tree nothing is left any more."""
        self._loop = loop
        self._on_gone = on_gone
        self._runs = runs
        self._orphans = orphans
        self._ends: dict[str, TreeEnd] = {}

    @property
    def any(self) -> bool:
        """Whether one is under way."""
        return bool(self._ends)

    def begin(self, run: KeptRun) -> None:
        """End everything that the run has started, beginning now."""
        if run.id not in self._ends:
            end = self._ends[run.id] = TreeEnd(run, self._loop.mono)
            # Beside the rounds: a chain of processes that fork and exit faster than these is caught as it comes.
            self._orphans.begin(run.id, run.mark, root=run.pid)
            self._round(end)

    def _round(self, end: TreeEnd) -> None:
        adopted = self._orphans.adopted(self._runs.by_pid) or ()
        others = {run.mark for run in self._runs if run is not end.run}
        found = [pid for pid in adopted if _is_of(pid, end, others)]
        if end.run.lives:
            found.insert(0, end.run.pid)
        for pid in found:
            _kill(pid, end)
        end.quiet = 0 if found else end.quiet + 1
        if end.quiet >= QUIET_ROUNDS:
            del self._ends[end.run.id]
            self._on_gone(end.run)
            return
        pause = PAUSE if self._loop.mono - end.began < PATIENCE else LONG_PAUSE
        self._loop.later(pause, partial(self._round, end))


def _is_of(pid: int, end: TreeEnd, others: Collection[int]) -> bool:
    """Whether an orphan is the run's; `others`: the marks of the other runs."""
    mark = mark_of(pid)
    if pid in end.children or (end.run.mark and mark == end.run.mark):
        return True
    return mark not in others and end.name in environment_of(pid)


def _kill(pid: int, end: TreeEnd) -> None:
    """SIGKILL our child `pid` with the group that it leads; remember its children, which are to come to us."""
    with suppress(OSError):
        os.kill(pid, signal.SIGSTOP)
    end.children.update(children_of(pid))
    with suppress(OSError):
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)


def children_of(pid: int) -> list[int]:
    """The children of `pid`, those of its threads too; none where the system doesn't say.

    Certain only of a process that is stopped. Source: proc_tidchildren_of(5).
    """
    found: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError), open(f"/proc/{pid}/task/{thread}/children", "rb", buffering=0) as file:
                found += map(int, file.read().split())
    return found


def environment_of(pid: int) -> list[bytes]:
    """The variables that `pid` was started with, `NAME=value`; none where we may not read them."""
    try:
        with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:
            return file.read().split(b"\0")
    except OSError:
        return []
