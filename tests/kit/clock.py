"""A clock that a test moves by hand."""

from __future__ import annotations


class FakeClock:
    """Stands where the product takes a clock: `wall()` and `mono()`, both in seconds."""

    def __init__(self, *, wall: float = 1_800_000_000.0, mono: float = 1_000.0) -> None:
        self._wall = wall
        self._mono = mono

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._wall

    def mono(self) -> float:
        """Seconds that passed while the machine was awake."""
        return self._mono

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._wall += seconds
        self._mono += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock, as a person or NTP does; a negative step goes back."""
        self._wall += seconds

    def sleep(self, seconds: float) -> None:
        """Let the machine sleep: the wall clock goes on, the monotonic one stands."""
        self._wall += seconds
