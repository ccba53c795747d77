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
    ("worktree", "keeper", "running", 1),
    ("setup", "keeper", "keeper_lost", 1),
    ("web", "keeper", "not_ready", 1),
    ("worktree", "both", "running", 1),
    ("setup", "both", "keeper_lost", 1),
    ("web", "both", "not_ready", 1),
]


@pytest.fixture
def shop(om):
    return Project(om)


@pytest.fixture
def gates(om, shop):
    gates = Gates(om)
    gates.hook(shop)
    return gates


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
def test_killed_while_it_is_prepared(om, shop, gates, gate, who, outcome, runs):
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
