"""What time it is: for people, and for measuring."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Two times that must not be mixed; a test brings its own."""

    def wall(self) -> float:
        """Return seconds since the epoch: for display; steps when somebody sets the clock."""

    def mono(self) -> float:
        """Return seconds of this boot without the machine's sleep: for intervals; never goes back."""


class SystemClock:
    """The machine's clocks. Source: clock_gettime(2), CLOCK_REALTIME and CLOCK_MONOTONIC."""

    def wall(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def mono(self) -> float:
        """Return seconds of this boot without sleep."""
        return time.monotonic()
