"""Fleets on real homes: exactly so many run, whatever ends, is killed, leaves, or is changed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.engines.postgres.conftest import empty_database
from tests.engines.postgres.swarm.test_fleet_homes import Blueprint, end_all, fleet, wait_running
from tests.kit.killing import kill_both, kill_supervisor
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually


@pytest.fixture
def homes(make_home):
    """A swarm of this test."""
    with empty_database() as url:
        yield SwarmHomes(url, make_home)


@pytest.fixture
def team(tmp_path) -> Blueprint:
    return Blueprint(tmp_path)


def test_hives_are_killed_while_a_fleet_is_scaled_and_changed_and_there_are_exactly_so_many(homes, team):
    """Killed while scaling 15, 29, 7, and with a changed definition: exactly N, one replaced at a time."""
    for name in ("a", "b", "c"):
        homes.hive(name, "--slots", "16")
    desk = homes.desk
    desk.ok("apply", team.write(15))
    wait_running(homes, 15)
    desk.ok("fleet", "scale", "review", "29")
    kill_both(homes.homes["a"])
    homes.homes["a"].ok("start")
    kill_supervisor(homes.homes["b"])
    wait_running(homes, 29)
    desk.ok("fleet", "scale", "review", "7")
    kill_both(homes.homes["c"])
    homes.homes["c"].ok("start")
    found = wait_running(homes, 7)
    assert sorted(name for _, name in found) == [f"review-{number}" for number in range(1, 8)]
    processes = [Path(f"/proc/{pid}") for pid in (team.folder / "lives").read_text().split()]
    assert sum(map(Path.exists, processes)) == 7
    end_all(homes)


def test_a_hive_that_dies_loses_its_places_with_move_and_there_are_exactly_so_many(homes, team):
    dying = homes.hive("a", "--slots", "2")
    homes.desk.ok("apply", team.write(2, fleet='on_lost = "move"\nlease = "10s"'))
    wait_running(homes, 2)
    homes.hive("b", "--slots", "2")
    pids = [int(one) for one in (team.folder / "lives").read_text().split()]
    status = dying.json("status", "--json")
    stopped = [status["keeper"]["pid"], status["pid"]]
    for one in stopped:
        os.kill(one, signal.SIGSTOP)
    try:

        def moved() -> bool:
            places = fleet(homes)["places"]
            return [(one["hive"], one["status"]) for one in places] == [(homes.name("b"), "running")] * 2

        eventually(moved, timeout=90, what="both have moved")
    finally:
        for one in stopped:
            os.kill(one, signal.SIGCONT)
    gone = [Path(f"/proc/{pid}") for pid in pids]
    eventually(lambda: not any(map(Path.exists, gone)), timeout=30, what="what ran there has ended")
    assert wait_running(homes, 2) == [("b", "review-1"), ("b", "review-2")]
    end_all(homes)
