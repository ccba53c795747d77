"""When a lease ends, and when another machine may take its work: no wall clock, and nobody else's clock. Pure.

A holder tells a store, again and again, that it lives (a beat). On its own boot clock it knows when it sent the last
beat that was accepted; whoever wants the work knows, on another clock, since when no newer beat was seen. A beat is
accepted after it was sent, and seen after it was accepted. So the holder counts from an earlier moment than anybody
who takes, and stops first although the two share no clock.
"""

from __future__ import annotations

MARGIN = 2.0
"""Seconds that a holder's keeper has to end the tree of processes."""
DRIFT = 0.01
"""The part of a second by which the clocks of two machines may differ each second."""
RETRY = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before a store that has failed to take a beat is tried again; the last one from then on."""


def deadline_of(sent: float, lease: float) -> float:
    """When the holder's run is ended, in seconds of its boot clock.

    Args:
        sent: When the last accepted beat was sent, on that clock.
        lease: Seconds.
    """
    return sent + lease


def may_take_after(lease: float) -> float:
    """Seconds without a new beat, as seen by somebody else on a clock of its own, after which it may take the work."""
    return lease + MARGIN + DRIFT * lease


def retry_pause(failures: int, left: float) -> float:
    """Seconds before a store is tried again: more each time, and less again as a lease comes to its end.

    A store that answers before that is beaten in time: nothing ends for a pause.

    Args:
        failures: Tries in a row that had failed before the last one did.
        left: Seconds until the first lease ends; infinity where nothing is leased. Once it has ended nothing hurries.
    """
    pause = RETRY[min(failures, len(RETRY) - 1)]
    return pause if left <= 0 else min(pause, max(RETRY[0], left / 2))
