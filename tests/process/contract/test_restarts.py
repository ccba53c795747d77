"""Missions that begin again: policies, back-off, budget, `restart`, `update`; behaviours 15, 17, 18 and 20."""

from __future__ import annotations

import os
import re
import signal
import time
from datetime import datetime

import pytest

from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

FAST = ("--backoff", "1ms")
FOREVER = ("--max-restarts", "0")


def happened(om, mission, kind):
    """The mission's events of this type, oldest first."""
    return om.events(kind, mission=mission)


def restarted(om, mission, count):
    """Wait until it runs again after so many restarts; return its `info`."""

    def look():
        info = om.info(mission)
        return info["status"] == "running" and info["restart_count"] >= count and info

    return eventually(look, what=f"restart #{count} of {mission}")


def seconds(moment):
    return datetime.fromisoformat(moment).timestamp()


# --- policies -----------------------------------------------------------------------------------------------------

POLICIES = [
    # policy, command, runs, status, reason, exit code
    ("never", "exit 3", 1, "crashed", None, 3),
    ("never", "exit 0", 1, "stopped", None, 0),
    ("on-failure", "exit 0", 1, "stopped", None, 0),
    ("on-failure", "exit 3", 3, "crashed", "restart_budget_spent", 3),
    ("on-failure", "kill -9 $$", 3, "crashed", "restart_budget_spent", 137),
    ("always", "exit 3", 3, "crashed", "restart_budget_spent", 3),
    ("always", "exit 0", 3, "stopped", "restart_budget_spent", 0),
]


@pytest.mark.parametrize(("policy", "command", "runs", "status", "reason", "code"), POLICIES)
def test_the_policy_decides_and_the_budget_ends_it(om, policy, command, runs, status, reason, code):
    info = om.finished(command, "--restart", policy, "--max-restarts", "2", *FAST)
    assert (info["status"], info["reason"], info["exit_code"]) == (status, reason, code)
    assert info["outcome"] == ("succeeded" if reason is None and code == 0 else "failed")
    assert om("wait", info["id"]).returncode == (code or (1 if reason else 0))
    assert info["restart_count"] == runs - 1
    assert [run["number"] for run in info["runs"]] == list(range(1, runs + 1))
    assert {run["exit_code"] for run in info["runs"]} == {code}
    assert info["next_restart_at"] is None


def test_a_run_that_succeeds_ends_the_restarts_on_failure(om, tmp_path):
    info = om.finished(
        f"echo x >>{tmp_path}/tries; [ $(wc -l <{tmp_path}/tries) = 3 ]", "--restart", "on-failure", *FAST
    )
    assert (info["status"], info["reason"], info["exit_code"], info["restart_count"]) == ("stopped", None, 0, 2)
    assert [run["exit_code"] for run in info["runs"]] == [1, 1, 0]


def test_each_delay_is_twice_the_one_before(om):
    mission = om.finished("exit 1", "--restart", "always", "--max-restarts", "5", "--backoff", "20")["id"]
    delays = [one["delay_seconds"] for one in happened(om, mission, "restarting")]
    assert delays == [0.02, 0.04, 0.08, 0.16, 0.32]
    # When a run has ended, its keeper says: on a busy machine the event about it may come some milliseconds later.
    ends = [seconds(run["ended_at"]) for run in om.info(mission)["runs"]][:-1]
    starts = [seconds(one["at"]) for one in happened(om, mission, "restart")]
    for end, start, delay in zip(ends, starts, delays, strict=True):
        assert round((start - end) * 1000) >= round(delay * 1000) - 2, "times are shown in milliseconds"


def test_the_delay_begins_anew_after_a_run_that_lasted_longer_than_the_window(om):
    options = ("--restart", "always", *FOREVER, "--backoff", "20", "--max-seconds", "200ms")
    mission = om.mission(
        "exec sleep $(cat delay 2>/dev/null || echo 0)",
        *options,
        "--cwd",
        om.environment["HOME"],
    )
    eventually(lambda: len(happened(om, mission, "restarting")) >= 3)
    with open(os.path.join(om.environment["HOME"], "delay"), "w") as file:
        file.write("0.4")
    eventually(lambda: happened(om, mission, "restarting")[-1]["delay_seconds"] == 0.02, timeout=20)


def test_the_budget_is_a_sliding_window(om):
    options = ("--restart", "always", "--max-restarts", "2", "--max-seconds", "600ms", "--backoff", "1ms")
    mission = om.mission("sleep 0.4", *options)
    info = restarted(om, mission, 5)
    assert info["status"] == "running", "never more than two within 0.6 s"


def test_budget_zero_is_without_limit(om):
    mission = om.mission("exit 1", "--restart", "always", *FOREVER, "--backoff", "0")
    eventually(lambda: om.info(mission)["restart_count"] >= 12)
    om.ok("kill", mission)


# --- what is seen of it -------------------------------------------------------------------------------------------


def test_while_it_waits_for_its_restart_ps_and_info_say_so(om):
    mission = om.mission("exit 5", "--restart", "on-failure", "--backoff", "30s")
    info = om.wait_status(mission, "restarting")
    assert (info["exit_code"], info["os_pid"], info["restart_count"]) == (5, None, 0)
    assert 20 < seconds(info["next_restart_at"]) - time.time() <= 30
    (row,) = om.ps()
    assert row["status"] == "restarting"


def test_the_log_tells_of_each_restart(om):
    mission = om.finished("echo tick; exit 1", "--restart", "always", "--max-restarts", "2", *FAST)["id"]
    lines = om.logs(mission).splitlines()
    marks = [
        lines.index(line) for line in lines if re.fullmatch(r"--- restart #\d at \d{4}-\d\d-\d\dT[\d:.]+Z ---", line)
    ]
    assert [lines[mark][:14] for mark in marks] == ["--- restart #1", "--- restart #2"]
    assert [line for line in lines if line == "tick"] == ["tick"] * 3
    assert lines[marks[0] - 1] == lines[marks[0] + 1] == "tick"
    assert "budget" in lines[-1]
    assert om.raw("logs", mission, "--raw") == b"tick\r\n" * 3, "annotations are never among the bytes"


@pytest.mark.parametrize("way", [(), ("--follow",)])
def test_the_log_tells_why_a_restart_was_not_possible(om, way):
    os.mkdir(folder := om.path("there"))
    command = f"echo begun; rmdir {folder}; exit 1"
    mission = om.finished(command, "--cwd", folder, "--restart", "always", "--max-restarts", "2", *FAST)["id"]
    lines = om.logs(mission, *way).splitlines()
    do = "Create it, or name another one with --cwd."
    reason = f"--- could not start: The working directory {folder} does not exist. {do} ---"
    assert (lines[0], lines.count(reason), lines[-1]) == (
        "begun",
        2,
        "--- not restarted: the restart budget is used up; the last run: its folder does not exist ---",
    )


@pytest.mark.parametrize(("policy", "more"), [("never", ""), ("on-failure", ", and is tried again")])
def test_a_restart_that_could_not_start_anything_says_so(om, policy, more):
    os.mkdir(folder := om.path("there"))
    how = ("--restart", policy, "--max-restarts", "2", "--backoff", "1h")
    mission = om.mission("exec sleep 600", "--name", "api", "--cwd", folder, *how)
    os.rmdir(folder)
    said = om.refused("restart", "api", code="cwd_not_found")
    assert f"Mission {mission} (api) could not start{more}. See: overmind logs {mission}" in said


def test_a_restarted_mission_keeps_id_name_and_log_and_has_another_process(om):
    mission = om.mission("echo run; exec sleep 60", "--name", "api", "--label", "a=b")
    before = om.info(mission)
    eventually(lambda: "run" in om.logs(mission))
    assert om.ok("restart", "api") == f"Restarted mission {mission}\n"
    after = om.info(mission)
    same = ("id", "name", "labels", "cwd", "argv", "parent", "started_at")
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    assert after["os_pid"] != before["os_pid"]
    assert [run["number"] for run in after["runs"]] == [1, 2]
    assert (after["status"], after["restart_count"]) == ("running", 1)
    eventually(lambda: om.logs(mission).splitlines().count("run") == 2)
    assert om.logs(mission, "--run", "2").splitlines()[-1] == "run"


# --- restart by hand ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "how"), [("exit 3", "crashed"), ("true", "stopped")])
def test_what_has_ended_can_be_started_again(om, command, how):
    mission = om.finished(command)["id"]
    om.ok("restart", mission)
    info = om.wait_status(mission, how)
    assert len(info["runs"]) == 2


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_the_hunt_for_the_last_run_does_not_reach_the_next(om, lock, end):
    mission = om.mission(lock.wrap("(setsid env -i sleep @ &); sleep @"))
    for number in range(1, 6):
        lock.grown(2)
        om.ok(end, mission)
        om.ok("restart", mission)
        assert om.info(mission)["restart_count"] == number
    om.finished("sleep 0.3")
    assert om.info(mission)["status"] == "running"
    assert len(lock.grown(2)) == 2


def test_a_restart_by_hand_begins_a_new_budget(om):
    mission = om.finished("exit 1", "--restart", "always", "--max-restarts", "2", *FAST)["id"]
    om.ok("restart", mission)
    info = om.wait_status(mission, "crashed")
    assert (info["reason"], len(info["runs"])) == ("restart_budget_spent", 6)


def test_a_restart_by_hand_need_not_wait_for_the_delay(om):
    mission = om.mission("exit 1", "--restart", "always", "--backoff", "1m")
    om.wait_status(mission, "restarting")
    om.ok("restart", mission)
    eventually(lambda: om.info(mission)["restart_count"] == 1)


def test_a_restart_ends_the_whole_tree_first(om, lock):
    mission = om.mission(
        lock.wrap("(setsid sleep @ &); [ -e again ] && exec sleep 60; touch again; sleep @"),
        "--cwd",
        om.environment["HOME"],
    )
    before = lock.grown(2)
    om.ok("restart", mission)
    assert not before & lock.living()


def test_a_restart_by_policy_ends_what_the_last_run_left_first(om, lock):
    mission = om.mission(lock.wrap("(setsid sleep @ &); sleep @"), "--restart", "on-failure", *FAST)
    before = lock.grown(2)
    os.kill(om.pid(mission), signal.SIGKILL)
    restarted(om, mission, 1)
    assert not before & lock.living()


def test_a_frozen_mission_can_be_restarted(om):
    mission = om.mission("exec sleep 60")
    before = om.pid(mission)
    om.ok("freeze", mission)
    om.ok("restart", mission, timeout=30)
    info = om.info(mission)
    assert info["status"] == "running"
    assert info["os_pid"] != before


def test_two_restarts_at_once_leave_one_process(om, lock):
    mission = om.mission(lock.wrap("sleep @"))
    lock.grown(1)
    clients = [om.popen("restart", mission) for _ in range(4)]
    for client in clients:
        client.communicate(timeout=30)
        assert client.returncode == 0
    assert om.info(mission)["status"] == "running"
    assert len(lock.grown(1)) == 1


@pytest.mark.own_home
@pytest.mark.linux
def test_what_was_lost_with_the_keeper_is_started_again_when_asked(om):
    lost, ended = om.mission("sleep 60"), om.finished("exit 3")["id"]
    healed = om.mission("sleep 60", "--restart", "on-failure", *FAST)
    os.kill(om.keeper_pid(), signal.SIGKILL)
    assert om.wait_status(lost, "crashed")["reason"] == "keeper_lost"
    restarted(om, healed, 1)
    assert om.info(lost)["status"] == "crashed", "nothing without a policy is started unasked"
    finished = om("restart", "--lost", "-y")
    assert finished.returncode == 0
    assert finished.stdout == f"Restarted mission {lost}\n"
    assert om.info(lost)["status"] == "running"
    assert om.info(ended)["status"] == "crashed"
    assert om.ok("restart", "--lost", "-y") == "Nothing was lost.\n"


# --- no later process ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "status"), [("stop", "stopped"), ("kill", "killed")])
def test_a_pending_restart_that_was_cancelled_never_comes(om, tmp_path, command, status):
    policy = ("--restart", "always", "--backoff", "2s")
    mission = om.mission(f"echo x >>{tmp_path}/runs; exit 1", *policy)
    om.wait_status(mission, "restarting")
    om.api(command, id=mission)  # by the command line itself it would take longer than the delay on a busy machine
    info = om.info(mission)
    assert (info["status"], info["next_restart_at"]) == (status, None)
    later = om.mission("exit 1", *policy, "--max-restarts", "1")
    om.wait_status(later, "crashed")  # its restart was due after the one that was cancelled
    assert om.info(later)["restart_count"] == 1
    assert (tmp_path / "runs").read_text() == "x\n"
    assert om.info(mission)["status"] == status


@pytest.mark.parametrize("command", ["stop", "kill"])
def test_what_a_person_ended_is_not_restarted(om, command):
    mission = om.mission("sleep 60", "--restart", "always", *FAST, *FOREVER)
    om.ok(command, mission)
    om.finished("sleep 0.2")
    info = om.info(mission)
    assert (info["status"], info["restart_count"]) == ({"stop": "stopped", "kill": "killed"}[command], 0)


@pytest.mark.own_home
def test_a_pending_restart_comes_though_the_supervisor_was_killed(om):
    mission = om.mission("echo run; exit 1", "--restart", "always", "--backoff", "600ms", "--max-restarts", "1")
    om.wait_status(mission, "restarting")
    os.kill(om.supervisor_pid(), signal.SIGKILL)
    om.ok("start")
    info = om.wait_status(mission, "crashed")
    assert (info["restart_count"], len(info["runs"])) == (1, 2)


def test_a_wait_lasts_through_restarts(om):
    mission = om.mission("sleep 0.1; exit 4", "--restart", "on-failure", "--max-restarts", "2", *FAST)
    finished = om("wait", mission)
    why = "failed: restarted 2 times in a minute, gave up"
    assert finished.stdout == f"Mission {mission} finished: crashed (exit code 4): {why}\n"
    assert finished.returncode == 4
    assert len(om.info(mission)["runs"]) == 3


# --- update -------------------------------------------------------------------------------------------------------


def test_an_update_of_the_name_moves_the_name(om):
    mission = om.mission("sleep 60", "--name", "old")
    om.ok("update", "old", "--name", "new", "--label", "team=web")
    assert om.info("new")["id"] == mission
    assert om.info("new")["labels"] == {"team": "web"}
    om.refused("info", "old", code="not_found")
    om.mission("sleep 60", "--name", "old")
    om.refused("update", "old", "--name", "new", code="name_taken")
