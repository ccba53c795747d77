"""Orphans of a run end with it, and those of others are spared; who is waited for, and for how long."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess

import pytest

from overmind_core.keeper.orphans import Orphans
from overmind_core.system import process_table_linux
from overmind_core.system.run_mark import OWN_MARK
from tests.kit.adopter import Adopter
from tests.kit.waiting import eventually

pytestmark = pytest.mark.linux

WORDS = itertools.count(7_000_000 + os.getpid() * 100)
MINE, OTHER, UNMARKED = 400_001, 400_002, 819_200


@pytest.fixture
def adopter():
    process = Adopter()
    yield process
    held = process_table_linux.children(process.pid)
    for pid in held:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: not any(map(lives, held)), what="an empty adopter")
    process.close()


def leave_behind(adopter, mark, *, word=None):
    """Start a root that ends and leaves one orphan; return the orphan's pid."""
    before = set(adopter.orphans())
    word = word or f"sleep {next(WORDS)}"
    root = adopter.spawn(["sh", "-c", f"(setsid {word} &)"], env={"PATH": os.environ["PATH"]}, mark=mark)
    eventually(lambda: not os.path.exists(f"/proc/{root}"), what="the root's end")
    (orphan,) = eventually(lambda: set(adopter.orphans()) - before, what="an orphan")
    eventually(lambda: process_table_linux.command(orphan)[:1] == ["sleep"], what="its program")
    return orphan


def lives(pid):
    process = process_table_linux.read(pid)
    return process is not None and not process.dead


def test_with_no_orphan_at_all_nothing_is_left(adopter):
    assert adopter.left(MINE) is False


@pytest.mark.parametrize(("worn", "left"), [(MINE, True), (OTHER, False), (UNMARKED, True)])
def test_an_orphan_tells_by_its_mark_whose_it_may_be(adopter, worn, left):
    leave_behind(adopter, worn)
    assert adopter.left(MINE) is left


def test_without_marks_any_orphan_may_be_of_the_run(adopter):
    leave_behind(adopter, OTHER)
    assert adopter.left(0) is True


def test_a_purge_ends_the_orphans_of_its_run_alone(adopter):
    mine, other = leave_behind(adopter, MINE), leave_behind(adopter, OTHER)
    root = adopter.spawn(["sleep", str(next(WORDS))], env=dict(os.environ), mark=MINE)
    assert adopter.purge("m.1", MINE) == {"killed": 1, "survivors": []}
    assert not lives(mine)
    assert lives(other)
    assert lives(root)
    assert adopter.left(MINE) is False


def test_a_purge_spares_whom_it_is_told_to(adopter):
    agent, mine = leave_behind(adopter, MINE), leave_behind(adopter, MINE)
    assert adopter.purge("m.1", MINE, spare=[agent]) == {"killed": 1, "survivors": []}
    assert lives(agent)
    assert not lives(mine)


def test_a_purge_without_a_mark_kills_nobody(adopter):
    orphan = leave_behind(adopter, UNMARKED)
    assert adopter.purge("m.1", 0) == {"killed": 0, "survivors": []}
    assert lives(orphan)


def test_a_purge_waits_for_a_root_that_may_hide_others(adopter):
    root = adopter.spawn(["sleep", "0.3"], env=dict(os.environ), mark=MINE)
    assert adopter.purge("m.1", MINE, root=root)["survivors"] == []
    assert not os.path.exists(f"/proc/{root}")


# --- step by step, with tables for marks ----------------------------------------------------------------------


class Ticking:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Told(Orphans):
    """Orphans of whom a table says that they exist."""

    def __init__(self, marks, **kwargs):
        super().__init__(mark=lambda pid: marks.get(pid, -1), top=UNMARKED, **kwargs)
        self.marks = marks

    def adopted(self, registered):
        return [pid for pid in self.marks if pid not in registered]


NOBODY = 2**22 + 5


def test_who_would_not_die_is_named_after_the_limit():
    clock = Ticking()
    orphans = Told({NOBODY: MINE}, clock=clock)
    orphans.begin("m.1", MINE, limit=5.0)
    for _ in range(49):
        assert orphans.step(()) == []
        clock.now += 0.1
    clock.now += 0.2
    (purge,) = orphans.step(())
    assert (purge.run, purge.survivors) == ("m.1", [NOBODY])
    assert not orphans.purging


def test_an_orphan_that_tells_nothing_makes_a_purge_wait_until_it_was_quiet():
    clock = Ticking()
    orphans = Told({NOBODY: UNMARKED}, clock=clock)
    purge = orphans.begin("m.1", MINE, quiet=0.1)
    assert orphans.step(()) == []
    clock.now += 0.06
    orphans.marks[NOBODY + 1] = MINE
    orphans.on_reap(NOBODY + 1)
    del orphans.marks[NOBODY + 1]
    clock.now += 0.06
    assert orphans.step(()) == []
    clock.now += 0.06
    assert orphans.step(()) == [purge]
    assert (purge.killed, purge.survivors) == (1, [])


def test_orphans_of_other_runs_make_nobody_wait():
    orphans = Told({NOBODY: OTHER}, clock=Ticking())
    purge = orphans.begin("m.1", MINE)
    assert orphans.step(()) == [purge]


def test_two_purges_of_the_same_run_both_get_their_answer():
    orphans = Told({}, clock=Ticking())
    both = [orphans.begin("m.1", MINE), orphans.begin("m.1", MINE)]
    assert orphans.step(()) == both


def test_the_loop_sleeps_for_ever_only_when_nothing_is_purged():
    orphans = Told({NOBODY: UNMARKED}, clock=Ticking())
    assert orphans.timeout() is None
    orphans.begin("m.1", MINE)
    assert orphans.timeout() is not None


def test_where_the_system_does_not_tell_something_may_be_left():
    orphans = Orphans()
    os.close(orphans._list)
    orphans._list = -1
    assert orphans.adopted(()) is None
    assert orphans.any_left(MINE, ()) is True
    purge = orphans.begin("m.1", MINE)
    assert orphans.step(()) == [purge]


def test_a_daemon_of_another_home_is_seen_though_it_is_no_runs():
    orphans = Told({7: OWN_MARK, 8: MINE})
    assert orphans.has_daemons(())
    assert not Told({7: OWN_MARK}).any_left(MINE, ()), "it wears the mark of no run"
    assert not Told({8: MINE}).has_daemons(())


def test_the_dead_alone_are_not_left():
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    orphans = Told({child.pid: MINE})
    assert orphans.any_left(MINE, ()) is False
    child.wait()


def test_a_thousand_dead_are_buried_in_short_slices():
    pids = {os.posix_spawnp("true", ["true"], {"PATH": os.environ["PATH"]}): MINE for _ in range(1000)}
    for pid in pids:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    clock = itertools.count(step=0.001)  # to look at it takes a millisecond
    real = Orphans(clock=lambda: next(clock), mark=lambda pid: pids.get(pid, OTHER))
    purge = real.begin("m.1", MINE)
    slices = 0
    while real.purging and slices < 1000:
        real.step(())
        slices += 1
    assert purge.killed == 1000
    assert slices > 1
    os.close(real._list)


def test_a_child_of_its_own_is_seen_until_it_is_registered():
    child = subprocess.Popen(["sleep", str(next(WORDS))])
    orphans = Orphans()
    try:
        seen = set(orphans.adopted(()) or ())
        assert child.pid in seen
        others = seen - {child.pid}  # what other tests of this process keep
        assert set(orphans.adopted({child.pid: None}) or ()) == others
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        os.close(orphans._list)
