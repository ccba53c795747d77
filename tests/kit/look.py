"""The speed of this machine at this hour, as a *look*: how long a fixed piece of Python takes.

Seconds lie by a factor of two between days and machines. What a test costs is told in looks (`cost.py`), which are of
processor time. How patient a test is grows with the same piece by the clock on the wall: on a machine that many share
each step waits for its turn, and that is what a patience has to outlast.
"""

from __future__ import annotations

import functools
import json
import statistics
import time
from typing import NamedTuple

NORMAL_LOOK = 0.0025
"""Seconds of a look on a normal day of the machine on which the limits were set."""
MOST_SLOWNESS = 6.0
"""How much more patience there is at most: a test that fails for good must not hold up the run for minutes."""
_ROWS = 2_000
_ROUNDS = 21


class Look(NamedTuple):
    """One look, in seconds."""

    processor: float
    wall: float


@functools.cache
def measured() -> Look:
    """The look of this process, measured once: the medians of some."""
    looks = [_look() for _ in range(_ROUNDS)]
    return Look(statistics.median(one.processor for one in looks), statistics.median(one.wall for one in looks))


def seconds() -> float:
    """Return the processor seconds of a look."""
    return measured().processor


def slowness() -> float:
    """Return how many times as long as on a normal day something takes here by the clock on the wall: 1 to 6."""
    return min(max(1.0, measured().wall / NORMAL_LOOK), MOST_SLOWNESS)


def _look() -> Look:
    """Make rows, write and read them as JSON, and sort them: what most of our tests' time is spent with."""
    began = Look(time.thread_time(), time.monotonic())
    rows = [[number * 7919 % _ROWS, f"row {number}", number] for number in range(_ROWS)]
    rows = json.loads(json.dumps(rows))
    rows.sort()
    return Look(time.thread_time() - began.processor, time.monotonic() - began.wall)
