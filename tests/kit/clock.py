"""A clock that a test moves by hand."""

from __future__ import annotations


class FakeClock:
    """Stands where the product takes a clock: `wall()`, `mono()` and `boot()`, all in seconds."""

    def __init__(self, *, wall: float = 1_800_000_000.0, mono: float = 1_000.0) -> None:
        self._wall = wall
        self._mono = mono
        self._slept = 0.0

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._wall

    def mono(self) -> float:
        """Seconds that passed while the machine was awake."""
        return self._mono

    def boot(self) -> float:
        """Seconds since the machine was started."""
        return self._mono + self._slept

    def advance(self, seconds: float) -> None:
        """Let time pass on all clocks."""
        self._wall += seconds
        self._mono += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock, as a person or NTP does; a negative step goes back."""
        self._wall += seconds

    def sleep(self, seconds: float) -> None:
        """Let the machine sleep: the monotonic clock stands, the others go on."""
        self._wall += seconds
        self._slept += seconds
