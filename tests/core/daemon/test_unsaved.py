"""What is said of changes that could not be saved: by a daemon that leaves, and of an end that was asked for."""

from __future__ import annotations

from typing import Any, cast

import pytest

from overmind_core.daemon.unsaved import Unsaved
from overmind_core.domain.missions.mission import Cause
from overmind_core.kernel.database import DiskFull, StoreUnavailable
from overmind_core.missions.end_marks import EndMarks
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


class FailingJournal:
    """A journal that can't save: what is urgent follows all the same."""

    failing = True

    def __init__(self, failure):
        self.failure = failure

    def save(self, _write, after=None, *, urgent=False):
        if urgent:
            after()


RESTARTED = "and the end is not stored: after a crash, the daemon may start the mission again."
LATER = "the end takes effect now, and is stored once"
ENDS = [
    (FULL, True, f"The disk is full: {LATER} there is space. Free space with: overmind prune"),
    (FULL, False, f"The disk is full, {RESTARTED} Free space first, for example with: overmind prune"),
    (LOCKED, True, f"The state can't be written (database is locked): {LATER} it can be. Make it writable."),
    (LOCKED, False, f"The state can't be written (database is locked), {RESTARTED} Make it writable first."),
]


@pytest.mark.parametrize(("failure", "marked", "note"), ENDS)
def test_of_an_end_that_is_not_stored_the_cause_is_said(tmp_path, failure, marked, note):
    folder = tmp_path if marked else tmp_path / "gone"
    marks = EndMarks(str(folder), cast("Any", FailingJournal(failure)))
    marks.ending(["a1b2c3d4"], Cause.STOP)
    assert marks.note(["a1b2c3d4"]) == note
