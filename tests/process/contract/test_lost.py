"""What is offered to a person after a keeper's death: their own missions, not those that only the engine needs."""

from __future__ import annotations

import pytest

from tests.kit.blueprints import applied
from tests.kit.isolated import Project
from tests.kit.killing import kill_keeper
from tests.kit.queued_shop import Shop
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.own_home, pytest.mark.linux]
ONE = "1 mission was lost with its keeper. Start it again with: overmind restart --lost"
SERVICE = """
services:
  web:
    command: sleep 600
    port: 3000
isolation:
  port_range: 22100-22999
"""


def assert_offered(om, *missions):
    """Every face that counts lost missions, names them or says how to start them again means these, and no others."""
    status = om.json("status", "--json")
    assert status["missions"]["lost"] == len(missions)
    assert status["problems"] == ([ONE] if missions else [])
    note = f"{ONE}\n" if missions else ""
    assert [om(*words).stderr for words in (("ps",), ("inbox",))] == [note, note]
    (found,) = [row for row in om.json("doctor", "--json") if row["check"] == "missions"]
    assert found["mend"] == ("overmind restart --lost" if missions else None)
    assert {row["id"] for row in om.api("ps", all=True) if row["lost"]} == set(missions), (
        "what full-screen programs read"
    )
    offered = om.api("restart", lost=True, dry_run=True)["missions"]
    assert [one["id"] for one in offered] == list(missions)


def of_keeper(om):
    """Id → its number of runs, of each mission that was lost with its keeper."""
    lost = [row["id"] for row in om.api("ps", all=True) if row["reason"] == "keeper_lost"]
    return {one: len(om.info(one)["runs"]) for one in lost}


@pytest.mark.parametrize("gate", ["check", "verify"])
def test_what_the_queue_begins_again_by_itself_is_offered_to_nobody(om, gate):
    shop = Shop(om)
    own = om.mission("sleep 600")
    quest = shop.add("work", "echo 2 > b", into="main", retries=0, **{gate: shop.held(gate)})
    shop.await_at(gate)
    kill_keeper(om)
    shop.await_at(gate, 2)
    assert_offered(om, own)
    shop.go(gate)
    assert shop.ended(quest)["status"] == "completed"
    cut = of_keeper(om)
    assert [om.info(one)["name"] for one in cut if one != own] == [f"work/{gate}"]
    assert_offered(om, own)
    assert om.ok("restart", "--lost", "-y") == f"Restarted mission {own}\n"
    assert om.info(own)["status"] == "running"
    assert of_keeper(om) == {one: runs for one, runs in cut.items() if one != own}, "none of the engine's ran again"
    assert_offered(om)
    assert om.ok("restart", "--lost", "-y") == "Nothing was lost.\n"


def test_what_an_attempt_has_started_is_left_to_the_next_attempt(om):
    shop = Shop(om)
    quest = shop.add("work", shop.held("work"), retries=0)
    shop.await_at("work")
    child = om.mission("sleep 600", "--parent", quest)
    kill_keeper(om)
    shop.await_at("work", 2)
    assert om.wait_status(child, "crashed")["reason"] == "keeper_lost"
    assert_offered(om)


def test_agents_of_plans_and_checks_are_offered_to_nobody_but_a_run_of_a_ritual_is(om, tmp_path):
    plan = applied(om, tmp_path, '[agents.one]\ncommand = "sleep 600"\n')
    om.ok("quest", "run", "--name", "checked", "--check", "sleep 600", "true")
    work = {"command": "sleep 600", "cwd": om.home, "env": om.environment}
    om.api("ritual_create", name="nightly", schedule="0 0 29 2 *", zone="UTC", quest=work)
    om.api("ritual_run", id="nightly")

    def running():
        names = {row["name"]: row["id"] for row in om.ps() if row["status"] == "running"}
        return names if {"checked/check", "nightly/1"} <= names.keys() and len(om.info(plan)["children"]) == 1 else None

    names = eventually(running, what="all of them run")
    (agent,) = om.info(plan)["children"]
    kill_keeper(om)
    for mission in (agent, names["checked/check"], names["nightly/1"]):
        om.wait_status(mission, "crashed")
    om.wait_status(plan, "crashed")
    assert set(of_keeper(om)) >= {agent, names["checked/check"], names["nightly/1"]}
    assert_offered(om, names["nightly/1"])
    assert [om.info(one)["lost"] for one in (agent, names["nightly/1"])] == [False, True]


def test_a_service_is_started_with_the_mission_that_has_it(om):
    shop = Project(om, SERVICE)
    mission = shop.run()
    web = om.wait_status(mission, "running")["isolation"]["services"]["web"]
    kill_keeper(om)
    om.wait_status(mission, "crashed")
    om.wait_status(web, "crashed")
    assert_offered(om, mission)
    assert om.ok("restart", "--lost", "-y") == f"Restarted mission {mission}\n"
    again = om.wait_status(mission, "running")["isolation"]["services"]["web"]
    assert om.info(again)["status"] == "running"
    assert_offered(om)


@pytest.mark.parametrize("way", ["command", "request"])
def test_one_that_can_not_start_keeps_none_of_the_others_from_it(om, tmp_path, way):
    folder = tmp_path / "gone"
    folder.mkdir()
    first = om.mission("sleep 600", "--cwd", str(folder), "--name", "first")
    second = om.mission("sleep 600")
    folder.rmdir()
    kill_keeper(om)
    for one in (first, second):
        om.wait_status(one, "crashed")
    why = f"Mission {first} (first) could not start. See: overmind logs {first}"
    if way == "command":
        finished = om("restart", "--lost", "-y")
        assert (finished.returncode, finished.stdout) == (1, f"Restarted mission {second}\n")
        assert f"Error: cwd_not_found: {why}\n" in finished.stderr
    else:
        answer = om.api("restart", lost=True)
        assert [one["id"] for one in answer["missions"]] == [second]
        assert answer["problems"] == [why]
    assert om.info(second)["status"] == "running"
    assert str(folder) in om.logs(first), "the command of the sentence says why"
