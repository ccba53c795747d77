"""The processor time of tests, each with all that it leaves behind: measured by each worker, told at the end of a run.

In the end it is told in looks (`look.py`), for seconds lie from day to day. What still lives, such as a home that many
tests share, counts for the test during which it ends.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.kit import fork_server, look, tiers
from tests.kit.stopwatch import in_queue

TARGET = "OVERMIND_TEST_TARGET"
"""The variable that names the target of the Makefile that runs the tests."""
LIMITS = {"test": 125_000, "test-process": 330_000}
"""Looks that all tests of a target may cost: what they did cost, and a fifth more. It is only printed so far."""
NIGHT = "OVERMIND_TEST_NIGHT"
"""The variable with which a night, when little else runs, looks for waits that are too long: they fail the run."""
LONGEST_WAIT = 3.0
"""Seconds that a test of `tests/process/` may wait by itself; who waits longer stands in `tests/process/long/`."""
DEAREST = 10
"""Tests that are named at the end."""


def used() -> float:
    """Return the processor seconds so far of this process and all that it has started and that has ended."""
    found = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in found) + fork_server.used_by_running()


@dataclass
class Bill:
    """The cost of some tests, of one worker or of all."""

    seconds: float = 0.0
    """Processor time, with what it took to collect the tests."""
    looks: float = 0.0
    tests: dict[str, float] = field(default_factory=dict)
    """The dearest tests: processor seconds by node id."""
    is_of_workers: bool = False
    """Others have run the tests."""
    waits: dict[str, float] = field(default_factory=dict)
    """Tests that waited too long for where they stand: seconds in which neither they nor what they started computed."""

    @contextlib.contextmanager
    def test(self, name: str) -> Iterator[None]:
        """Note what a test costs, which runs in the block."""
        pid = os.getpid()
        used_before, began, queued = used(), time.monotonic(), in_queue(pid)
        yield
        self.tests[name] = used() - used_before
        waited = time.monotonic() - began - (in_queue(pid) - queued) - self.tests[name]
        if waited > LONGEST_WAIT and tiers.is_impatient(name) and os.environ.get(NIGHT) == "1":
            self.waits[name] = waited

    def close(self) -> None:
        """Sum up what this worker has used."""
        self.seconds = used()
        self.looks = self.seconds / look.seconds()
        self._keep_dearest()

    def merge(self, seconds: float, looks: float, tests: dict[str, float], waits: dict[str, float]) -> None:
        """Add a worker's."""
        self.is_of_workers = True
        self.waits |= waits
        self.seconds += seconds
        self.looks += looks
        self.tests |= tests
        self._keep_dearest()

    def lines(self) -> list[str]:
        """Return the bill in words, the sum last."""
        limit = LIMITS.get(os.environ.get(TARGET, ""))
        of_limit = f" of {limit:,}" if limit else ""
        dearest = sorted(self.tests.items(), key=lambda one: -one[1])
        return [
            *(f"{seconds:6.2f} s {test}" for test, seconds in dearest),
            *(f"waited {seconds:.1f} s, {LONGEST_WAIT:g} at most: {test}" for test, seconds in self.waits.items()),
            f"cost: {self.seconds:,.0f} s of processor time, {self.looks:,.0f} looks{of_limit}",
        ]

    def _keep_dearest(self) -> None:
        self.tests = dict(heapq.nlargest(DEAREST, self.tests.items(), key=lambda one: one[1]))
