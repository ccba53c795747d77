"""The life of an isolated mission: replaced daemons, policies, shutdowns, services that end."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.kit.isolated import GATES, PROJECT, Gates, Project
from tests.kit.overmind import FINAL
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home


@pytest.fixture
def gates(om):
    return Gates(om)


REPLACED = {"worktree": ("start", "--replace"), "setup": ("shutdown", "--keep"), "web": ("start", "--replace")}


@pytest.mark.own_home
def test_another_daemon_goes_on_with_a_preparation(om, gates):
    shop = Project(om)
    gates.hook(shop)
    for number, (gate, how) in enumerate(REPLACED.items()):
        gates.hold_at(gate)
        mission = shop.run(name=f"m{number}", grace=0.5)
        gates.await_at(gate)
        om.ok(*how)
        om.ok("start")
        gates.open(*GATES)
        info = om.wait_status(mission, "running", *FINAL)
        assert (info["reason"] or info["status"], gates.reached("setup")) == ("running", 1), gate
        assert om.info(info["isolation"]["services"]["web"])["status"] == "running"
        om.api("kill", id=mission)
        shop.assert_nothing_left()


def test_a_policy_keeps_everything_and_sets_up_once(om, gates):
    shop = Project(om)
    gates.hold_at("web")
    gates.open("web")
    mission = shop.run(
        "echo $PORT $WEB_PORT; [ -e ~/again ] && exec sleep 1000; touch ~/again; exit 3",
        restart="on-failure",
        backoff=10,
    )
    eventually(lambda: os.path.exists(shop.path("..", "again")), what="it has ended once")
    info = om.wait_status(mission, "running", *FINAL)
    eventually(lambda: om.info(mission)["restart_count"] == 1, what="it was started again")
    info = om.wait_status(mission, "running", *FINAL)
    own = info["isolation"]
    ports = f"{own['ports']['']} {own['ports']['web']}"
    eventually(lambda: om.logs(mission).splitlines().count(ports) == 2, what="both runs have the same ports")
    assert (gates.reached("setup"), gates.reached("web")) == (1, 1)
    assert own["worktree"] == shop.worktree_of(mission)


def test_a_service_that_ends_on_its_own_takes_nobody_along_and_is_back_with_the_next_start(om, gates):
    shop = Project(om)
    gates.open(*GATES)
    mission = shop.run("echo work > work.txt; exec sleep 1000")
    web = om.wait_status(mission, "running")["isolation"]["services"]["web"]
    os.kill(om.pid(web), signal.SIGKILL)
    assert om.wait_status(web, *FINAL)["status"] == "crashed"
    assert om.info(mission)["status"] == "running"
    om.api("restart", id=mission)
    again = om.wait_status(mission, "running", *FINAL)["isolation"]["services"]["web"]
    assert (again, om.info(again)["status"]) == (web, "running")
    assert gates.reached("setup") == 1

    om.api("stop", id=mission)
    assert om.info(web)["status"] == "stopped"
    ports = om.info(mission)["isolation"]["ports"]
    om.api("restart", id=mission)
    info = om.wait_status(mission, "running", *FINAL)
    assert info["isolation"]["ports"] == ports
    assert (info["isolation"]["services"], gates.reached("setup")) == ({"web": web}, 1)


def test_a_service_is_the_same_mission_also_when_the_worktree_went_in_between(om, gates):
    shop = Project(om)
    gates.open(*GATES)
    mission = shop.run()
    web = om.wait_status(mission, "running")["isolation"]["services"]["web"]
    om.api("stop", id=mission)
    assert om.info(mission)["isolation"]["worktree"] is None
    om.api("restart", id=mission)
    assert om.wait_status(mission, "running", *FINAL)["isolation"]["services"] == {"web": web}


@pytest.mark.own_home
@pytest.mark.parametrize("gate", ["worktree", "setup", None])
def test_a_shutdown_leaves_no_service_and_no_half_of_anything(om, gates, gate):
    shop = Project(om)
    gates.hook(shop)
    gates.hold_at(gate or GATES[-1])
    if gate is None:
        gates.open(*GATES)
    mission = shop.run(grace=0.5)
    if gate is None:
        om.wait_status(mission, "running")
    else:
        gates.await_at(gate)
    om.ok("shutdown", "-y")
    assert om.locked_by("supervisor.lock") is None
    om.ok("start")
    assert om.info(mission)["status"] == "stopped"
    shop.assert_nothing_left()


def test_services_count_for_no_limit_and_a_clean_worktree_goes_with_its_record(om, gates):
    shop = Project(om, PROJECT.replace("isolation:\n", "isolation:\n  teardown: keep\n"))
    gates.open(*GATES)
    mission = shop.run(max_children=0, max_depth=0)
    assert om.wait_status(mission, "running", *FINAL)["status"] == "running"
    om.api("stop", id=mission)
    assert os.path.isdir(shop.worktree_of(mission))
    om.ok("rm", mission)
    shop.assert_nothing_left()
    assert om.api("worktrees")["worktrees"] == []


def await_log(om, mission, text):
    eventually(lambda: text in om.logs(mission), what=text)


def test_ignored_files_that_a_mission_made_stay_or_go_as_the_project_says_and_are_told(om):
    set_up = "mkdir -p tmp.log; echo set > tmp.log/set"
    kept = f"isolation:\n  port_range: 22100-22999\n  copy: [.env]\n  setup: [{json.dumps(set_up)}]\n"
    shop = Project(om, kept)
    works = {"idle": "true", "made": "echo 1 > tmp.log/db.log", "edited": "echo 2 >> .env"}
    idle, made, edited = (shop.run(script, name) for name, script in works.items())
    for mission, file in ((made, "tmp.log/db.log"), (edited, ".env")):
        await_log(om, mission, f"the worktree is kept for 1 file that git ignores: {file}")
    shop.assert_nothing_left(but=[made, edited])
    assert "git ignores" not in om.logs(idle)
    assert [row["ignored"] for row in om.json("worktrees", "--json")] == [1, 1]
    assert om.ok("worktrees").count(" ignored ") == 2
    assert "1 ignored file (.env) that would be lost" in om.refused("discard", "edited", code="unmerged")
    assert om.ok("worktrees", "prune", "--all") == "Kept made: 1 ignored file\nKept edited: 1 ignored file\n"
    om.ok("rm", made)
    assert os.path.isfile(os.path.join(shop.worktree_of(made), "tmp.log", "db.log"))
    om.ok("worktrees", "prune", "--force", "--all", "-y")
    shop.assert_nothing_left()

    shop.commit("rules", {".overmind.yml": kept + '  keep: ["*", "!tmp.log"]\n'})
    shop.before = shop.facts()
    om.ok("trust", shop.folder)
    gone = shop.run("echo 1 > tmp.log/db.log")
    await_log(om, gone, "removed with the worktree: 1 file that git ignores: tmp.log/db.log")
    shop.assert_nothing_left()


@pytest.mark.parametrize("how", [(), ("--squash",)], ids=["merged", "squashed"])
def test_ignored_files_are_named_where_all_else_has_landed(om, how):
    shop = Project(om, "isolation:\n  port_range: 22100-22999\n  copy: [.env]\n")
    mission = shop.run("echo 2 >> .env; echo new > new", "landed")
    om.wait_status(mission, *FINAL)
    om.ok("commit", "landed", "-m", "New")
    om.ok("merge", "landed", *how)
    assert [row["ignored"] for row in om.json("worktrees", "--json")] == [1]
    assert om.ok("worktrees").count(" ignored ") == 1
    assert om.ok("worktrees", "prune", "--all") == "Kept landed: 1 ignored file\n"
    os.remove(os.path.join(shop.worktree_of(mission), ".env"))
    assert [row["ignored"] for row in om.json("worktrees", "--json")] == [0]


def test_a_program_may_be_what_the_set_up_makes(om):
    made = "printf '#!/bin/sh\\necho made\\n' > tool.log; chmod +x tool.log"
    shop = Project(om, f"isolation:\n  port_range: 22100-22999\n  setup: [{json.dumps(made)}]\n")
    mission = shop.run(["./tool.log"])
    assert om.wait_status(mission, *FINAL)["exit_code"] == 0, om.logs(mission)
    assert om.logs(mission).endswith("made\n")
    shop.assert_nothing_left()
