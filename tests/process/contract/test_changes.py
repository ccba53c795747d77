"""`restart`, `signal`, `freeze`, `thaw`, `update`, `rm`, `prune`: what is done to missions that are there."""

from __future__ import annotations

import json
import os
import re

import psutil
import pytest

from tests.kit.killing import without_waiting
from tests.kit.processes import alive
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home


def test_restart_is_the_same_mission_in_a_new_process(om):
    mission = om.mission("echo $$; sleep 100", "--name", "again", "--label", "a=b")
    before = om.info(mission)
    assert om.ok("restart", "again") == f"Restarted mission {mission}\n"
    info = om.wait_status(mission, "running")
    assert info["os_pid"] != before["os_pid"]
    assert not alive(before["os_pid"])
    same = ("id", "name", "command", "cwd", "labels", "argv")
    assert [info[key] for key in same] == [before[key] for key in same]
    assert [run["number"] for run in info["runs"]] == [1, 2]


def test_restart_starts_a_finished_mission_and_a_killed_one_is_listed_again(om):
    mission = om.mission("sleep 100")
    om.ok("kill", mission)
    assert om.ps() == []
    om.ok("restart", mission)
    assert [(row["id"], row["status"]) for row in om.ps()] == [(mission, "running")]


@pytest.mark.parametrize(("word", "status"), [("stop", "stopped"), ("kill", "killed")])
def test_a_mission_that_was_ended_after_its_restart_was_asked_for_is_not_started_again(om, word, status):
    mission = om.mission("trap : TERM; echo on; while :; do sleep .05; done", "--grace", "1")
    eventually(lambda: om.logs(mission) == "on\n", what="it ignores the signal")
    restarting = om.popen("restart", mission)
    om.wait_status(mission, "stopping")
    om.ok(word, mission)
    _, said = restarting.communicate(timeout=30)
    assert (restarting.returncode, om.info(mission)["status"]) == (1, status)
    assert "was ended meanwhile, and is not started again." in said
    assert len(om.info(mission)["runs"]) == 1
    restarting = om.popen("restart", mission)
    assert restarting.wait(30) == 0
    om.wait_status(mission, "running")


def test_a_restart_after_a_stop_that_is_under_way_starts_it_again(om):
    mission = om.mission("trap : TERM; echo on; while :; do sleep .05; done", "--grace", "1")
    eventually(lambda: om.logs(mission) == "on\n", what="it ignores the signal")
    stopping = om.popen("stop", mission)
    om.wait_status(mission, "stopping")
    om.ok("restart", mission)
    assert stopping.wait(30) == 0
    assert [run["number"] for run in om.info(mission)["runs"]] == [1, 2]


def test_restart_of_a_finished_mission_whose_name_is_taken_is_refused(om):
    old = om.finished("true", "--name", "same")["id"]
    om.mission("sleep 100", "--name", "same")
    assert "same" in om.refused("restart", old, code="name_taken")
    assert om.info(old)["status"] == "stopped"


@pytest.mark.own_home
def test_restart_starts_a_daemon_when_there_is_none(om):
    mission = om.finished("echo once")["id"]
    om.ok("shutdown")
    finished = om("restart", mission)
    assert finished.returncode == 0
    assert without_waiting(finished.stderr).startswith("Daemon started")
    om.wait_status(mission, "stopped")
    assert om.logs(mission).count("once") == 2


def test_restart_lost_with_nothing_lost_says_so(om):
    om.finished("false")
    assert om.ok("restart", "--lost") == "Nothing was lost.\n"
    assert om.ok("restart", "--lost", "--json") == "[]\n"


@pytest.mark.parametrize("name", ["USR1", "usr1", "SIGUSR1", "10"])
def test_a_signal_reaches_the_mission_by_name_or_number(om, name):
    mission = om.mission("trap 'echo got it' USR1; echo ready; while :; do sleep 0.05; done")
    eventually(lambda: om.logs(mission) == "ready\n")
    assert om.ok("signal", mission, name) == f"Sent USR1 to mission {mission}\n"
    eventually(lambda: "got it" in om.logs(mission))
    assert om.info(mission)["status"] == "running"


def test_an_unknown_signal_is_named(om):
    mission = om.mission("sleep 100")
    for name in ("NOSUCH", "99", ""):
        assert repr(name) in om.refused("signal", mission, name, code="invalid", exit_code=2)


def test_a_frozen_mission_is_paused_and_a_thawed_one_goes_on(om):
    mission = om.mission("n=0; while :; do n=$((n+1)); echo $n; sleep 0.02; done")
    pid = om.pid(mission)
    assert om.ok("freeze", mission) == f"Froze mission {mission}\n"
    info = om.info(mission)
    assert (info["status"], info["os_pid"]) == ("paused", pid)

    def states():
        return {one.status() for one in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]}

    # A process stops once the kernel runs it next, and a shell may be stopped between its fork and the child's exec: it
    # is in the kernel until that goes on.
    aside = {psutil.STATUS_ZOMBIE, psutil.STATUS_DISK_SLEEP}
    eventually(lambda: states() - aside == {psutil.STATUS_STOPPED}, what="all of it is stopped")
    silent = om.logs(mission)
    assert om.logs(mission) == silent
    om.refused("freeze", mission, code="paused")
    assert om.ok("thaw", mission) == f"Thawed mission {mission}\n"
    assert om.info(mission)["status"] == "running"
    eventually(lambda: len(om.logs(mission)) > len(silent) + 3)
    om.refused("thaw", mission, code="not_running")


def test_update_changes_what_is_given_and_leaves_the_process_alone(om):
    mission = om.mission("sleep 100", "--name", "before", "--label", "keep=1", "--label", "drop=1", "--grace", "7")
    pid = om.pid(mission)
    options = (
        "--name after --label new=2 --label drop- --restart always --max-restarts 9 --max-seconds 5m --backoff 2s"
        " --activity-timeout 1h --stop-signal INT --timeout 1h --leave-background"
    )
    assert om.ok("update", "before", *options.split()) == f"Updated mission {mission}\n"
    info = om.info("after")
    expected = {
        "id": mission,
        "os_pid": pid,
        "labels": {"keep": "1", "new": "2"},
        "restart_policy": "always",
        "max_restarts": 9,
        "max_seconds": 300.0,
        "backoff_ms": 2000.0,
        "activity_timeout_seconds": 3600.0,
        "stop_signal": 2,
        "timeout_ms": 3_600_000.0,
        "grace_seconds": 7.0,
        "leave_background": True,
        "restart_count": 0,
    }
    assert {key: info[key] for key in expected} == expected
    om.refused("info", "before", code="not_found")
    om.ok("update", "after", "--no-leave-background", "--restart", "never")
    assert (om.info("after")["leave_background"], om.info("after")["restart_policy"]) == (False, "never")


def test_an_updated_policy_is_the_one_that_counts(om):
    mission = om.mission("read x < gate; exit 1")
    os.mkfifo(om.path("gate"))
    om.ok("kill", mission)
    crashing = om.mission("sleep 0.5; exit 1")
    om.ok("update", crashing, "--restart", "on-failure", "--max-restarts", "1", "--backoff", "10ms")
    info = om.wait_status(crashing, "crashed")
    assert (info["restart_count"], info["reason"]) == (1, "restart_budget_spent")


@pytest.mark.parametrize(
    ("options", "code", "exit_code"),
    [
        (("--name", "taken"), "name_taken", 1),
        (("--name", "not a name"), "invalid", 2),
        (("--name", "0123abcd"), "invalid", 2),
        (("--stop-signal", "NOSUCH"), "invalid", 2),
        (("--max-seconds", "0"), "invalid", 1),
    ],
)
def test_a_wrong_update_changes_nothing(om, options, code, exit_code):
    om.mission("sleep 100", "--name", "taken")
    mission = om.mission("sleep 100", "--name", "mine")
    before = om.info(mission)
    om.refused("update", mission, *options, code=code, exit_code=exit_code)
    ticking = {"uptime_seconds", "last_activity_at"}
    after = om.info(mission)
    assert {key for key in after if after[key] != before[key]} <= ticking


def test_rm_removes_record_and_log(om):
    mission = om.finished("echo gone", "--name", "old")["id"]
    assert os.path.isdir(om.path("logs", mission))
    assert om.ok("rm", "old") == f"Removed mission {mission}\n"
    assert om.ps("--all") == []
    assert not os.path.exists(om.path("logs", mission))
    for words in (("info", mission), ("logs", mission), ("wait", mission), ("rm", mission)):
        om.refused(*words, code="not_found")


def test_prune_removes_what_has_ended_and_spares_what_lives(om):
    done = [om.finished("echo x")["id"] for _ in range(3)]
    om.ok("kill", om.mission("sleep 100"))
    live = om.mission("sleep 100")
    assert re.fullmatch(r"Would remove 4 missions \(.*\)\n", om.ok("prune", "--dry-run"))
    assert len(om.ps("--all")) == 5
    assert om.ok("prune", "--older", "1h").startswith("Removed 0 missions")
    assert re.fullmatch(r"Removed 4 missions \(.*\)\n", om.ok("prune", "--older", "0s", "-y"))
    assert [row["id"] for row in om.ps("--all")] == [live]
    assert [one for one in done if os.path.exists(om.path("logs", one))] == []


def test_prune_as_json_names_the_missions_and_the_bytes(om):
    mission = om.finished("echo some output", "--name", "named")["id"]
    refused = om.refused("prune", code="invalid")
    assert "repeat it with -y" in refused
    answer = om.json("prune", "-y", "--json")
    assert answer["missions"] == [{"id": mission, "name": "named"}]
    assert answer["bytes"] >= len("some output")
    assert om.json("prune", "--json") | {"as_of": 0} == {"missions": [], "bytes": 0, "as_of": 0}


@pytest.mark.parametrize("words", [("stop",), ("kill",), ("restart",), ("freeze",), ("rm", "-y")], ids=" ".join)
def test_several_as_json_are_one_array(om, words):
    missions = [om.mission("sleep 100") for _ in range(2)]
    if words[0] == "rm":
        om.ok("kill", *missions)
    printed = om.ok(*words, *missions, "--json")
    assert printed.count("\n") == 1
    answers = json.loads(printed)
    if words[0] == "kill":
        answers = [one for answer in answers for one in answer.get("killed", [answer])]
    assert [answer["id"] for answer in answers] == missions


def test_kill_all_ends_every_live_mission(om):
    missions = [om.mission("sleep 100") for _ in range(3)]
    pids = [om.pid(one) for one in missions]
    finished = om("kill", "--all")
    assert finished.returncode == 0
    assert sorted(finished.stdout.splitlines()) == sorted(f"Killed mission {one}" for one in missions)
    assert not any(map(alive, pids))
    assert om.ps() == []
    assert om("kill", "--all").returncode == 0


def test_kill_with_cascade_says_so(om):
    parent = om.mission("sleep 100")
    child = om.mission("sleep 100", "--parent", parent)
    assert om.ok("kill", parent, "--cascade") == f"Killed mission {parent} and all children\n"
    assert {row["status"] for row in om.ps("--all")} == {"killed"}
    assert om.info(child)["os_pid"] is None


def test_options_may_stand_before_or_after_the_ids(om):
    first, second, third = (om.mission("sleep 100") for _ in range(3))
    om.ok("stop", "--grace", "5", first, second)
    om.ok("stop", third, "--grace", "5")
    om.ok("update", first, "--label", "a=1")
    om.ok("update", "--label", "b=2", first)
    assert om.info(first)["labels"] == {"a": "1", "b": "2"}
    assert {row["status"] for row in om.ps()} == {"stopped"}
    assert om.ok("rm", "-y", first, "--json", second).count(first) == 1
