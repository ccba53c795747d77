"""What is said of changes that a daemon which leaves could not save."""

from __future__ import annotations

from overmind_core.daemon.unsaved import Unsaved
from overmind_core.kernel.database import DiskFull, StoreUnavailable
from tests.kit.cases import tabled

FULL = DiskFull("state.db", "disk I/O error")
LOCKED = StoreUnavailable("state.db", "database is locked")
HOLDS = "The keeper (PID 7) stays, and holds {} for the next daemon. Free some space, then run: overmind shutdown"
RUNS = "The keeper (PID 7) stays, with everything that runs. Free some space, then run: overmind start"
UNWRITABLE = "The state can't be written (database is locked): the last changes are not saved."
WRITABLE = "The keeper (PID 7) stays, with everything that runs. Make it writable, then run: overmind start"
NOTES = [
    (FULL, 7, 1, 0, f"The disk is full: the end of 1 run is not saved. {HOLDS.format('it')}"),
    (FULL, 7, 2, 0, f"The disk is full: the ends of 2 runs are not saved. {HOLDS.format('them')}"),
    (FULL, 7, 2, 1, f"The disk is full: the last changes are not saved. {RUNS}"),
    (FULL, 7, 0, 1, f"The disk is full: the last changes are not saved. {RUNS}"),
    (FULL, 7, 0, 0, "The disk is full: the last changes are not saved."),
    (FULL, None, 0, 1, "The disk is full: the last changes are not saved."),
    (LOCKED, 7, 0, 1, f"{UNWRITABLE} {WRITABLE}"),
]


@tabled(("failure", "keeper", "ends", "live", "note"), NOTES)
def test_it_is_said_why_and_what_stays_and_what_to_do(failure, keeper, ends, live, note):
    assert Unsaved(failure, keeper, ends).note(live=live) == note
