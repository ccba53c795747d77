"""The demonstration of specs: real quests of a script, beside a person's own work, and gone without a trace."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3

import pytest

from tests.kit.overmind import PROGRAM
from tests.kit.processes import of_home
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

pytestmark = pytest.mark.own_home

PATIENCE = 60.0
KEPT = {"events", "costs", "questions", "sqlite_sequence", "meta"}
"""Tables of what has happened, which is not forgotten with anybody."""


def attempts(om, name):
    """The classes of a quest's attempts that have ended."""
    found = [one for one in om.api("quests") if one["name"] == name]
    return [one["class"] for one in om.json("quest", "info", name)["attempt_list"] if one["ended_at"]] if found else []


def rows(om):
    """What a home has in its tables, but for what has happened there."""
    with sqlite3.connect(om.path("state.db")) as database:
        names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        found = {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names - KEPT}
    database.close()
    return found


def test_it_begins_beside_a_persons_own_work_and_stop_removes_it_and_nothing_else(om):
    shop = Repository(os.path.join(om.environment["HOME"], "shop"))
    shop.commit("first", {"prices.py": "1\n"})
    theirs = om.json("spec", "new", "Carts", "--json", "--", "true", cwd=shop.folder)
    mission = om.mission("exec sleep 1000", "--name", "mine")
    before = rows(om)
    begun = om.json("demo", "spec", "--json")
    assert (begun["slug"], begun["started"]) == ("carts-2", True)
    assert om.json("demo", "spec", "--json") == {**begun, "started": False}
    assert om.ok("demo", "spec") == f"Already running: spec {begun['id']} (carts-2)\n"
    eventually(lambda: attempts(om, "carts-2/requirements")[:1] == ["output_invalid"], timeout=PATIENCE)
    eventually(lambda: om.api("notes", all=True)["notes"], timeout=PATIENCE, what="the second one teaches something")
    inside = om.path("demo-spec")
    assert all(row["cwd"].startswith(inside) for row in om.ps("--all") if row["id"] != mission)
    assert om.json("learn", "--json") != []
    om.refused("demo", "stop", "stop", code="invalid", exit_code=2)
    stopped = om("demo", "stop")
    assert (stopped.returncode, stopped.stdout) == (0, "No demo missions here\n")
    assert "overmind demo spec stop" in stopped.stderr
    removed = om.json("demo", "spec", "stop", "--json")
    assert removed["specs"] == 1
    assert removed["quests"] >= 2, "requirements are done, and design may have begun"
    assert om.ok("demo", "spec", "stop") == "No demo spec here\n"
    assert not os.path.exists(inside)
    assert rows(om) == before
    assert om.api("notes", all=True)["notes"] == [], "what its quests have taught"
    assert [row["id"] for row in om.ps("--all")] == [mission]
    assert [row["id"] for row in om.json("spec", "list", "--all", "--json")] == [theirs["id"]]
    assert (om.info(mission)["status"], om.json("inbox", "--json")) == ("running", [])
    assert shop.git("status", "--porcelain") == "?? .overmind/"


def test_stop_works_after_a_crash_of_the_daemon_and_its_keeper(om):
    om.ok("demo", "spec")
    eventually(lambda: attempts(om, "carts/explore") == [None], timeout=PATIENCE)
    for pid in (om.keeper_pid(), om.supervisor_pid()):
        os.kill(pid, signal.SIGKILL)
    assert om.json("demo", "spec", "stop", "--json")["specs"] == 1
    assert (om.ps("--all"), om.json("quest", "list", "--json"), os.path.exists(om.path("demo-spec"))) == ([], [], False)
    daemons = {om.supervisor_pid(), om.keeper_pid()}
    eventually(lambda: all(str(process).split()[0].rstrip(":") in map(str, daemons) for process in of_home(om.home)))


def test_stop_in_a_home_without_anything_starts_no_daemon(om):
    assert om.ok("demo", "spec", "stop") == "No demo spec here\n"
    assert om.json("demo", "spec", "stop", "--json") == {"specs": 0, "quests": 0, "missions": 0}
    assert not of_home(om.home)


def test_without_git_it_says_so_and_leaves_nothing(om, tmp_path):
    (tmp_path / "sh").symlink_to(shutil.which("sh"))
    om.ok("start")
    om.environment["PATH"] = str(tmp_path)
    om.refused("demo", "spec", code="git_failed")
    assert (os.path.exists(om.path("demo-spec")), om.json("spec", "list", "--json")) == (False, [])


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_stands_in_its_place_is_left_as_it_is(om, tmp_path, kind):
    om.ok("start")
    if kind == "file":
        with open(om.path("demo-spec"), "w", encoding="utf-8"):
            pass
    else:
        os.symlink(tmp_path, om.path("demo-spec"))
    om.refused("demo", "spec", code="invalid")
    om.ok("demo", "spec", "stop")
    assert (os.path.lexists(om.path("demo-spec")), os.listdir(tmp_path)) == (True, [])
    assert om.json("spec", "list", "--json") == []


def test_a_mission_may_neither_start_nor_remove_it(om):
    def inside(*words):
        ended = om.finished([*PROGRAM, "demo", "spec", *words])
        return ended["exit_code"], "forbidden" in om.logs(ended["id"])

    assert inside() == (1, True)
    assert not os.path.exists(om.path("demo-spec"))
    om.ok("demo", "spec")
    assert inside("stop") == (1, True)
    assert [row["state"] for row in om.json("spec", "list", "--json")] == ["running"]
    assert os.path.exists(om.path("demo-spec"))


def test_a_spec_is_forgotten_once_it_is_archived_and_nothing_of_it_is_under_way(om):
    """What `demo spec stop` asks for."""
    spec = om.json("demo", "spec", "--json")["id"]
    om.ok("queue", "pause")

    def refused():
        with RawSocket.connect(om.home) as api:
            return api.request("spec_forget", id=spec)["error"]

    assert refused() == "not_finished"
    om.ok("spec", "archive", spec)
    (quest,) = eventually(lambda: om.json("quest", "list", "--json"), timeout=PATIENCE)
    assert (refused(), om.json("quest", "list", "--json") != []) == ("not_finished", True)
    om.ok("quest", "cancel", quest["id"])
    om("quest", "wait", quest["id"])
    assert om.api("spec_forget", id=spec) == {"id": spec, "slug": "carts", "quests": 1}
    assert (om.json("quest", "list", "--json"), om.json("spec", "list", "--all", "--json")) == ([], [])
    assert refused() == "not_found"
