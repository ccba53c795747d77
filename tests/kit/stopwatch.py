"""How long something took, whatever else the machine had to do meanwhile."""

from __future__ import annotations

import os
import time
from types import TracebackType
from typing import Self


class Stopwatch:
    """Measures the time of a `with` block, less what some processes stood in the queue for a processor meanwhile.

    Whoever is blocked, sleeps or computes is charged for it; for the tests that run beside it nobody is. Where the
    system doesn't tell of its queue, time is time.
    """

    def __init__(self, *pids: int) -> None:
        self._pids = (os.getpid(), *pids)
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._queued = self._in_queue()
        self._began = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = time.monotonic() - self._began - (self._in_queue() - self._queued)

    def _in_queue(self) -> float:
        return sum(map(in_queue, self._pids))


def in_queue(pid: int) -> float:
    """Seconds that the first thread of a process has waited for a processor although it could run.

    Source: Documentation/scheduler/sched-stats.rst, /proc/<pid>/schedstat.
    """
    try:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0
