"""The leases of runs: the moment at which the keeper ends a run by itself, whether or not there is a supervisor.

A moment is in seconds of the boot clock: it doesn't move with the wall clock, and it comes while the machine sleeps.
"""

from __future__ import annotations

import math

from overmind_core.keeper.boot_timer import BootTimer
from overmind_core.system.machine import boottime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from overmind_core.keeper.lease_watchdog import LeaseWatchdog
    from overmind_core.keeper.loop import Loop
    from overmind_core.keeper.run import KeptRun


class RunLeases:
    """Which runs have a lease, and one timer for the earliest of them."""

    __slots__ = ("_clock", "_leased", "_on_end", "_timer", "_watchdog")

    def __init__(
        self,
        loop: Loop,
        on_end: Callable[[KeptRun], None],
        *,
        watchdog: LeaseWatchdog,
        clock: Callable[[], float] = boottime,
    ) -> None:
        """Lease nothing yet.

        Args:
            loop: The keeper's.
            on_end: Called once with each run whose lease has ended, which then has none.
            watchdog: Ends leased runs where the keeper can't.
            clock: Seconds of the boot clock.
        """
        self._clock = clock
        self._on_end = on_end
        self._watchdog = watchdog
        self._leased: dict[str, KeptRun] = {}
        self._timer = BootTimer(loop, self._end_due)

    def __iter__(self) -> Iterator[KeptRun]:
        return iter(tuple(self._leased.values()))

    @property
    def any(self) -> bool:
        """Whether a run has a lease."""
        return bool(self._leased)

    def has_ended(self, until: float | None) -> bool:
        """Whether a lease until that moment is over; None never is."""
        return until is not None and until <= self._clock()

    def set(self, leases: Mapping[KeptRun, float | None]) -> None:
        """Give these runs these leases in place of those that they have; None: none.

        A run that was fenced stays so, and one of which nothing lives has no lease. One that has ended acts at once.
        """
        for run, until in leases.items():
            if until is None or run.fenced or (run.exit is not None and not run.exit.left):
                run.lease = None
                self._leased.pop(run.id, None)
                if not run.fenced:  # else it is when its tree has ended
                    self.forget(run)
            else:
                run.lease = until
                self._leased[run.id] = run
                self._watchdog.tell(run.id, run.mission, run.mark, until)
        self._end_due()

    def expect(self, run: str, mission: str, mark: int, until: float | None) -> None:
        """A run is about to be spawned that the watchdog ends then, or with us; None: it was not spawned, or never."""
        self._watchdog.tell(run, mission, mark, until)

    def forget(self, run: KeptRun) -> None:
        """Nothing of a run lives any more that the watchdog would have to end."""
        self._watchdog.tell(run.id, run.mission, run.mark, None)

    def drop(self, run: KeptRun) -> None:
        """Nothing of the run lives any more."""
        if run.lease is not None:
            self.set({run: None})
        else:
            self.forget(run)

    def _end_due(self) -> None:
        due = [run for run in self._leased.values() if self.has_ended(run.lease)]
        for run in due:
            del self._leased[run.id]
            run.lease = None
        self._timer.set(min((run.lease for run in self._leased.values() if run.lease is not None), default=None))
        for run in due:
            self._on_end(run)


def lease_moment(value: object) -> float | None:
    """Read the end of a lease from a request.

    Raises:
        ValueError: it is neither a finite number nor None.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("a lease ends at a number of seconds of the boot clock")
    return float(value)
