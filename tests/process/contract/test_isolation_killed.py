"""Whoever prepares missions is killed at each of the steps: in the end there is all of it, or nothing."""

from __future__ import annotations

import os

import pytest

from tests.kit.isolated import GATES, Gates, Project
from tests.kit.killing import kill_both, kill_keeper, kill_supervisor
from tests.kit.overmind import FINAL

KILLS = {"supervisor": kill_supervisor, "keeper": kill_keeper, "both": kill_both}
POINTS = [
    # where, who is killed, what becomes of the mission, how often its set-up runs
    ("worktree", "supervisor", "running", 1),
    ("setup", "supervisor", "running", 1),
    ("web", "supervisor", "running", 1),
    ("setup", "keeper", "keeper_lost", 1),
    ("web", "keeper", "not_ready", 1),
    ("setup", "both", "keeper_lost", 1),
]


@pytest.fixture
def gates(om):
    return Gates(om)


def assert_whole(om, shop, mission):
    """It runs, and has all that it needs."""
    info = om.info(mission)
    own = info["isolation"]
    assert om.api("info", id=own["services"]["web"])["status"] == "running"
    assert f"up at {own['ports']['web']}" in om.logs(own["services"]["web"])
    worktree = shop.worktree_of(mission)
    assert all(os.path.exists(os.path.join(worktree, name)) for name in ("a.txt", ".env", "set.log"))
    assert sorted(row["name"] for row in om.ps() if row["status"] == "running") == ["api", "api/web"]


@pytest.mark.parametrize(("gate", "who", "outcome", "runs"), POINTS)
def test_killed_while_it_is_prepared(om, gates, gate, who, outcome, runs):
    shop = Project(om)
    gates.hook(shop)
    gates.hold_at(gate)
    mission = shop.run(grace=0.5)
    gates.await_at(gate)
    KILLS[who](om)
    om.ok("start")
    gates.open(*GATES)
    info = om.wait_status(mission, "running", *FINAL)
    assert (info["reason"] or info["status"], gates.reached("setup")) == (outcome, runs)
    if outcome != "running":
        shop.assert_nothing_left()
        om.api("restart", id=mission)
        om.wait_status(mission, "running")
    assert_whole(om, shop, mission)
    om.api("stop", id=mission)
    shop.assert_nothing_left()


def _fail(om, mission, gates):
    """Have its set-up fail, which is undone."""
    gates.open("fail", "setup")


def _stop(om, mission, gates):
    gates.open(*GATES)
    om.wait_status(mission, "running")
    om.popen("stop", mission)


def _discard(om, mission, gates):
    gates.open(*GATES)
    om.wait_status(mission, "running")
    worktree = om.info(mission)["isolation"]["worktree"]
    with open(os.path.join(worktree, "work.txt"), "w"):
        pass
    om.api("stop", id=mission)
    om.popen("discard", mission, "--force")


def _freshly(om, mission, gates):
    gates.open(*GATES)
    om.wait_status(mission, "running")
    om.popen("restart", mission, "--fresh", "--force")


REMOVALS = [(_fail, "crashed"), (_stop, "stopped"), (_discard, "stopped"), (_freshly, "stopped")]


@pytest.mark.parametrize(("remove", "status"), REMOVALS)
def test_killed_while_it_is_taken_away(om, gates, remove, status):
    gates.slow_removal(om)
    om.ok("start")
    shop = Project(om)
    gates.hold_at("setup")
    mission = shop.run(grace=0.5)
    gates.await_at("setup")
    remove(om, mission, gates)
    gates.await_at("rm")
    kill_supervisor(om)
    om.end_clients()
    gates.open("rm")
    shop.assert_nothing_left()
    assert om.info(mission)["status"] == status
    gates.open(*GATES)
    gates.shut("fail")
    om.api("restart", id=mission)
    om.wait_status(mission, "running")
    assert_whole(om, shop, mission)
