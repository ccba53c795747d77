"""Homes of one user side by side, and daemons that were started from inside a mission: behaviour 6."""

from __future__ import annotations

import os
import shlex
import signal

import pytest

from tests.kit.inherited_lock import InheritedLock
from tests.kit.overmind import PROGRAM
from tests.kit.processes import alive
from tests.kit.waiting import eventually

pytestmark = pytest.mark.linux

OVERMIND = shlex.join(PROGRAM)
TREE = "(setsid sleep @ &); (env -i setsid sleep @ &); env -i sleep @ & sleep @"


@pytest.fixture
def pair(make_home, tmp_path):
    """Two homes, each with a lock for its missions."""
    made = [(make_home(), InheritedLock(str(tmp_path))) for _ in range(2)]
    yield made
    for _, lock in made:
        lock.free()


def _kill_keeper(om, mission):
    os.kill(om.keeper_pid(), signal.SIGKILL)
    om.wait_status(mission, "crashed")


ENDS = {
    "stop": lambda om, mission: om.ok("stop", mission),
    "kill": lambda om, mission: om.ok("kill", mission),
    "kill all": lambda om, _mission: om.ok("kill", "--all", "-y"),
    "shutdown": lambda om, _mission: om.ok("shutdown", "-y"),
    "death of the keeper": _kill_keeper,
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_end_in_one_home_touches_nobody_in_the_other(pair, end):
    (mine, lock), (other, others_lock) = pair
    mission = mine.mission(lock.wrap(TREE), "--name", "same", "--grace", "500ms")
    untouched = other.mission(others_lock.wrap(TREE), "--name", "same")
    lock.grown(4)
    before = others_lock.grown(4)
    end(mine, mission)
    assert not lock.held(), lock.holders()
    assert others_lock.living() == before
    assert other.info(untouched)["status"] == "running"
    assert other.keeper_pid()


def test_what_one_home_starts_in_another_belongs_to_the_other(pair):
    (mine, lock), (other, others_lock) = pair
    inner = others_lock.wrap("sleep @")
    mission = mine.mission(lock.wrap(f"OVERMIND_HOME={other.home} {OVERMIND} run {shlex.quote(inner)}; sleep @"))
    lock.grown(1)
    others_lock.grown(1)
    (row,) = other.ps()
    assert row["parent"] is None
    assert f"(a daemon of {other.home}, PID " in mine.refused("kill", mission, code="survivors")
    assert others_lock.held()
    assert other.info(row["id"])["status"] == "running"


def test_a_mission_is_no_person_in_another_home_that_a_person_made(pair):
    (mine, _), (other, _) = pair
    other.ok("start")
    asked = " ".join(f"OVERMIND_HOME={other.home} {OVERMIND} {words} 2>&1;" for words in ("run true", "shutdown -y"))
    assert mine.logs(mine.finished(asked)["id"]).count("Error: forbidden: ") == 2
    assert other.ps("--all") == []


WAYS = {"": "plainly", "setsid -f ": "in a session of its own", "env -u OVERMIND_MISSION_ID setsid -f ": "in disguise"}


@pytest.mark.parametrize("way", WAYS, ids=WAYS.values())
@pytest.mark.parametrize("end", ["kill", "stop", "natural end", "death of the keeper"])
def test_a_daemon_from_inside_a_mission_survives_it_with_its_missions(pair, end, way):
    (mine, lock), (other, others_lock) = pair
    inside = f"OVERMIND_HOME={other.home} {way}{OVERMIND} run {shlex.quote(others_lock.wrap(TREE))}"
    mission = mine.mission(
        lock.wrap(f"{inside}; (setsid sleep @ &); trap 'exit 0' USR1; while :; do sleep 0.05; done"), "--grace", "500ms"
    )
    lock.grown(1)
    before = others_lock.grown(4)
    daemon, keeper = other.supervisor_pid(), other.keeper_pid()
    if end == "natural end":
        os.kill(mine.pid(mission), signal.SIGUSR1)
    elif end == "death of the keeper":
        os.kill(mine.keeper_pid(), signal.SIGKILL)
    else:
        told = f"(a daemon of {other.home}, PID {daemon})" in mine(end, mission).stderr
        assert told == ("OVERMIND_MISSION_ID" not in way), "it is named unless it was disguised"
    mine.wait_status(mission, "stopped", "killed", "crashed")
    assert not lock.held(), lock.holders()
    assert (other.supervisor_pid(), other.keeper_pid()) == (daemon, keeper)
    assert others_lock.living() == before
    assert [row["status"] for row in other.ps()] == ["running"]


def test_the_daemon_of_the_home_itself_may_be_started_from_inside_a_mission(om, lock):
    mission = om.mission(lock.wrap(f"while [ ! -e go ]; do sleep 0.02; done; {OVERMIND} ps; sleep @"), "--cwd", om.home)
    keeper, left = om.keeper_pid(), om.supervisor_pid()
    om.ok("shutdown", "--keep")
    with open(om.path("go"), "w"):
        pass
    eventually(lambda: om.holder("supervisor.lock") not in {None, left}, what="another daemon")
    daemon = om.supervisor_pid()
    lock.grown(1)
    om.ok("kill", mission)
    assert not lock.held(), lock.holders()
    assert alive(daemon)
    assert (om.supervisor_pid(), om.keeper_pid()) == (daemon, keeper)
    assert om.info(mission)["status"] == "killed"
