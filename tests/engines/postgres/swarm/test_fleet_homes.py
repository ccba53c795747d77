"""Fleets on real homes: exactly so many run, whatever ends, is killed, leaves, or is changed."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.engines.postgres.conftest import empty_database
from tests.kit.overmind import PROGRAM
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually

REVIEW = """
[agents.review]
command = "echo $$ >> {folder}/lives; exec sleep 1000"
{keys}
[fleets.review]
replicas = {replicas}
{fleet}
"""


@pytest.fixture
def homes(make_home):
    """A swarm of this test."""
    with empty_database() as url:
        yield SwarmHomes(url, make_home)


class Blueprint:
    """A file with the fleet `review`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = str(folder / "team.toml")

    def write(self, replicas: int, *, keys: str = "", fleet: str = "") -> str:
        """Write it anew."""
        Path(self.path).write_text(REVIEW.format(folder=self.folder, replicas=replicas, keys=keys, fleet=fleet))
        return self.path


@pytest.fixture
def team(tmp_path) -> Blueprint:
    return Blueprint(tmp_path)


def fleet(homes: SwarmHomes, name: str = "review") -> dict[str, Any]:
    found: dict[str, Any] = homes.desk.json("fleet", "info", name, "--json")
    return found


def running(homes: SwarmHomes) -> list[tuple[str, str]]:
    """Hive and name of each place that runs there, as the hives themselves have it."""
    return sorted(
        (short, row["name"]) for short, home in homes.homes.items() for row in home.ps() if row["status"] == "running"
    )


def wait_running(homes: SwarmHomes, count: int, *, timeout: float = 60.0) -> list[tuple[str, str]]:
    """Return what runs as soon as that is so many places, and all places are claimed by hives."""

    def look() -> list[tuple[str, str]] | None:
        found, places = running(homes), fleet(homes)["places"]
        return found if len(found) == len(places) == count and all(one["status"] for one in places) else None

    eventually(lambda: look() is not None, timeout=timeout, what=f"{count} places run")
    return running(homes)


def end_all(homes: SwarmHomes) -> None:
    homes.desk.ok("fleet", "delete", "review", "-y")
    eventually(lambda: not running(homes), timeout=60, what="all places have ended")


def test_a_fleet_is_spread_over_hives_and_scaled_and_deleted(homes, team):
    for name in ("a", "b", "c"):
        homes.hive(name, "--slots", "4")
    desk = homes.desk
    assert desk.ok("apply", team.write(3)) == "Fleet review: 3 wanted\n"
    assert [name for _, name in wait_running(homes, 3)].count("review-1") == 1
    assert {hive for hive, _ in running(homes)} == {"a", "b", "c"}
    assert desk.ok("apply", team.path) == "unchanged: fleet review\n"
    lines = desk.ok("fleet", "list").splitlines()
    assert lines[0].split() == ["NAME", "WANT", "ALIVE", "LOST", "HIVES"]
    hives = ",".join(sorted(homes.name(one) for one in "abc"))
    assert lines[1].split() == ["review", "3", "3", "0", hives]
    assert desk.ok("fleet", "scale", "review", "5") == "Fleet review: 3 → 5\n"
    wait_running(homes, 5)
    assert desk.ok("fleet", "scale", "review", "2") == "Fleet review: 5 → 2\n"
    assert [name for _, name in wait_running(homes, 2)] in (["review-1", "review-2"], ["review-2", "review-1"])
    assert desk.ok("apply", team.path) == "Fleet review: 2 → 3\n", "the file's number counts again"
    wait_running(homes, 3)
    assert desk.ok("fleet", "delete", "review", "-y") == "Deleted fleet review\n"
    eventually(lambda: not running(homes), timeout=30, what="all places have ended")
    desk.refused("fleet", "info", "review", code="not_found")
    assert len((team.folder / "lives").read_text().split()) == 3 + 2 + 1


def test_a_place_whose_run_ends_is_filled_again(homes, team):
    home = homes.hive("a")
    homes.desk.ok("apply", team.write(1))
    wait_running(homes, 1)
    home.ok("kill", "review-1")
    lives = team.folder / "lives"
    eventually(lambda: len(lives.read_text().split()) == 2, timeout=60, what="it runs again")
    wait_running(homes, 1)
    end_all(homes)


def test_restarts_within_a_run_are_the_hives_own(homes, team):
    home = homes.hive("a")
    keys = 'restart = "always"\nbackoff = "50ms"'
    homes.desk.ok("apply", team.write(1, keys=keys))
    wait_running(homes, 1)
    lives = team.folder / "lives"
    os.kill(int(lives.read_text().split()[0]), signal.SIGKILL)
    eventually(lambda: len(lives.read_text().split()) == 2, timeout=30, what="its hive has restarted it")
    (row,) = home.ps("--all")
    assert row["restart_count"] == 1
    end_all(homes)


def test_the_places_of_a_hive_that_leaves_are_filled_elsewhere(homes, team):
    first = homes.hive("a")
    homes.desk.ok("apply", team.write(2))
    wait_running(homes, 2)
    homes.hive("b")
    first.ok("swarm", "leave", "--release")
    assert wait_running(homes, 2) == [("b", "review-1"), ("b", "review-2")]
    end_all(homes)


def test_a_changed_definition_replaces_one_place_at_a_time(homes, team):
    homes.hive("a", "--slots", "4")
    probe = f'ready = {{ exec = "test -e {team.folder}/ready" }}'
    homes.desk.ok("apply", team.write(2, keys=probe))
    wait_running(homes, 2)
    (team.folder / "ready").touch()
    eventually(lambda: all(one["ready"] for one in fleet(homes)["places"]), timeout=30, what="both are ready")
    (team.folder / "ready").unlink()
    changed = team.write(2, keys=f'{probe}\nenv = {{ VERSION = "2" }}')
    assert homes.desk.ok("apply", changed) == "Fleet review: replaced one at a time\n"

    def stand() -> list[tuple[bool, bool]]:
        return [(one["current"], one["ready"]) for one in fleet(homes)["places"]]

    eventually(lambda: stand() == [(True, False), (False, True)], timeout=60, what="the first is replaced")
    wait_running(homes, 2)
    assert stand() == [(True, False), (False, True)], "the second waits until the first is ready"
    (team.folder / "ready").touch()
    eventually(lambda: stand() == [(True, True)] * 2, timeout=60, what="both are replaced")
    assert len((team.folder / "lives").read_text().split()) == 4
    end_all(homes)


def test_a_place_without_a_probe_is_ready_when_it_has_run_for_10_s(homes, team):
    homes.hive("a")
    homes.desk.ok("apply", team.write(1))
    wait_running(homes, 1)
    assert not fleet(homes)["places"][0]["ready"]
    eventually(lambda: fleet(homes)["places"][0]["ready"], timeout=30, what="it is ready")
    end_all(homes)


def test_a_place_that_does_not_become_ready_ends_and_is_filled_again(homes, team):
    home = homes.hive("a")
    homes.desk.ok("apply", team.write(1, keys='ready = { exec = "false", timeout = "1s" }'))
    lives = team.folder / "lives"
    eventually(lambda: lives.exists() and len(lives.read_text().split()) > 1, timeout=60, what="it runs again")
    assert "not_ready" in {row["reason"] for row in home.ps("--all")}
    end_all(homes)


def test_a_sentinel_is_on_each_fitting_hive_and_on_a_new_one(homes, team):
    Path(team.path).write_text(
        '[agents.watch]\ncommand = "exec sleep 1000"\n[sentinels.disk]\nagent = "watch"\non = { os = "linux" }\n'
    )
    for name, system in (("a", "linux"), ("b", "linux"), ("mac", "macos")):
        homes.hive(name, "--label", f"os={system}")
    assert homes.desk.ok("apply", team.path) == "Fleet disk: one on every fitting hive\n"

    def names(*shorts: str) -> list[tuple[str, str]]:
        return [(one, f"disk-{homes.name(one)}") for one in shorts]

    eventually(lambda: running(homes) == names("a", "b"), timeout=30, what="each has one")
    homes.hive("c", "--label", "os=linux")
    eventually(lambda: running(homes) == names("a", "b", "c"), timeout=30, what="the new one has one, too")
    assert homes.desk.ok("fleet", "list").splitlines()[1].split()[:3] == ["disk", "each", "3"]
    homes.desk.refused("fleet", "scale", "disk", "3", code="invalid")
    Path(team.path).write_text('[agents.build]\ncommand = "true"\n')
    assert homes.desk.ok("apply", team.path).splitlines()[0] == "Fleet disk: deleted"
    eventually(lambda: not running(homes), timeout=30, what="all places have ended")


def test_the_places_of_a_fleet_get_its_secrets(homes, team):
    home = homes.hive("a")
    fleet_keys = 'secrets = ["TOKEN"]'
    homes.desk.refused("apply", team.write(1, fleet=fleet_keys), code="no_secret")
    home.ok("vault", "set", "TOKEN", stdin="planted-for-places")
    Path(team.path).write_text(
        f'[agents.review]\ncommand = "printenv TOKEN > {team.folder}/got; exec sleep 1000"\n'
        f"[fleets.review]\n{fleet_keys}\n"
    )
    homes.desk.ok("apply", team.path)
    wait_running(homes, 1)
    eventually(lambda: (team.folder / "got").read_text() == "planted-for-places\n", what="it has the secret")
    assert "planted" not in homes.desk.ok("fleet", "info", "review")
    end_all(homes)


def test_a_plan_and_a_fleet_of_one_file_are_applied_together_or_not_at_all(homes, team):
    homes.hive("a")
    homes.desk.ok("run", "--name", "team", "sleep 1000")
    path = team.write(1)
    with Path(path).open("a") as file:
        file.write('[agents.build]\ncommand = "true"\n')
    homes.desk.refused("apply", path, code="name_taken")
    assert homes.desk.ok("fleet", "list") == ""
    homes.desk.ok("kill", "team")
    assert homes.desk.ok("diff", path).splitlines() == ["Fleet review: 1 wanted", "+ build"]
    assert homes.desk.ok("apply", "--dry-run", path).splitlines() == ["Fleet review: 1 wanted", "+ build"]
    assert homes.desk.ok("fleet", "list") == ""
    said = homes.desk.ok("apply", path).splitlines()
    assert said[0] == "Fleet review: 1 wanted"
    assert said[1].startswith("Started plan ")
    wait_running(homes, 1)
    end_all(homes)


def test_a_fleet_of_another_file_is_never_touched(homes, team, tmp_path):
    homes.hive("a", "--slots", "0")
    homes.desk.ok("apply", team.write(1))
    other = tmp_path / "other.toml"
    other.write_text(Path(team.path).read_text())
    assert "overmind fleet delete review" in homes.desk.refused("apply", str(other), code="name_taken")
    assert homes.desk.ok("fleet", "scale", "review", "0") == "Fleet review: 1 → 0\n"
    assert homes.desk.ok("fleet", "delete", "review") == "Deleted fleet review\n"


def test_fleets_without_a_swarm_say_how_to_join_one(om, team):
    om.ok("start")
    assert "overmind swarm join" in om.refused("apply", team.write(1), code="no_swarm")
    for words in (["list"], ["info", "x"], ["scale", "x", "1"], ["delete", "x", "-y"]):
        om.refused("fleet", *words, code="no_swarm")


def test_a_mission_that_applies_a_plan_without_fleets_is_told_nothing_of_fleets(homes, tmp_path):
    """It may not ask the swarm to change anything, and no fleet of that file is its own."""
    plan = tmp_path / "plan.toml"
    plan.write_text("[agents.build]\ncommand = 'true'\n")
    homes.hive("a")
    mission = homes.desk.finished([*PROGRAM, "apply", str(plan)])
    said = homes.desk.logs(mission["id"])
    assert (mission["status"], mission["exit_code"]) == ("stopped", 0), said
    assert "fleet" not in said
