"""`wait`: what it says, what it exits with, and that it costs nothing to wait."""

from __future__ import annotations

import json
import os
import signal
import time

import psutil
import pytest

from tests.kit.killing import without_waiting
from tests.kit.overmind import PROGRAM
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home


@pytest.mark.parametrize(
    ("command", "said", "code"),
    [
        ("true", "stopped (exit code 0): succeeded", 0),
        ("exit 42", "crashed (exit code 42): failed", 42),
        ("kill -TERM $$", "crashed (exit code 143): failed", 143),
    ],
)
def test_a_finished_mission_answers_at_once(om, command, said, code):
    mission = om.finished(command)["id"]
    finished = om("wait", mission, timeout=5)
    assert (finished.returncode, finished.stdout) == (code, f"Mission {mission} finished: {said}\n")


@pytest.mark.own_home  # in a shared one the web server of other tests is connected as well
def test_a_live_mission_is_waited_for(om):
    os.mkfifo(om.path("gate"))
    mission = om.mission("read x < gate; exit 3", "--name", "gated")
    _connected(om, 0)
    client = om.popen("wait", "gated")
    _connected(om, 1)
    with open(om.path("gate"), "w") as gate:
        gate.write("go\n")
    out, err = client.communicate(timeout=30)
    assert (client.returncode, without_waiting(err)) == (3, "")
    assert out == f"Mission {mission} finished: crashed (exit code 3): failed\n"


def test_a_killed_mission_exits_with_137_and_has_no_code(om):
    mission = om.mission("sleep 100")
    client = om.popen("wait", mission)
    om.ok("kill", mission)
    out, _ = client.communicate(timeout=30)
    assert (client.returncode, out) == (137, f"Mission {mission} finished: killed (no exit code)\n")
    assert om("wait", mission).returncode == 137


def test_a_stopped_mission_exits_with_what_its_process_exited_with(om):
    mission = om.mission("trap 'exit 0' TERM; while :; do sleep 0.05; done")
    om.ok("stop", mission)
    assert om("wait", mission).returncode == 0


def test_of_several_a_line_comes_as_each_ends_and_the_first_bad_code_in_argument_order_counts(om):
    slow = om.mission("sleep 2; exit 4")
    quick = om.mission("exit 3")
    good = om.mission("true")
    finished = om("wait", good, slow, quick)
    assert finished.returncode == 4
    said = [line.split()[1] for line in finished.stdout.splitlines()]
    assert sorted(said) == sorted([slow, quick, good])
    assert said[-1] == slow


def test_any_ends_with_the_first(om):
    om.mission("sleep 100", "--name", "slow")
    quick = om.mission("exit 5")
    finished = om("wait", "--any", "slow", quick)
    assert (finished.returncode, finished.stdout) == (5, f"Mission {quick} finished: crashed (exit code 5): failed\n")


def test_the_same_mission_twice_is_one_line(om):
    mission = om.finished("exit 2", "--name", "twice")["id"]
    finished = om("wait", mission, "twice")
    assert (finished.returncode, finished.stdout.count("\n")) == (2, 1)


def test_five_waiters_get_the_same_answer(om):
    mission = om.mission("sleep 0.5; exit 6")
    clients = [om.popen("wait", mission) for _ in range(5)]
    assert {client.communicate(timeout=30)[0] for client in clients} == {
        f"Mission {mission} finished: crashed (exit code 6): failed\n"
    }
    assert {client.returncode for client in clients} == {6}


@pytest.mark.own_home
def test_a_waiter_that_goes_away_costs_nothing(om):
    mission = om.mission("sleep 100")
    _connected(om, 0)
    clients = [om.popen("wait", mission) for _ in range(5)]
    _connected(om, 5)
    for client in clients:
        client.kill()
    _connected(om, 0)
    assert om.info(mission)["status"] == "running"
    om.ok("kill", mission)
    assert om("wait", mission).returncode == 137


def test_a_timeout_exits_with_124_and_leaves_the_mission_alone(om):
    mission = om.mission("sleep 100")
    began = time.monotonic()
    finished = om("wait", mission, "--timeout", "0.3s")
    assert finished.returncode == 124
    assert without_waiting(finished.stderr).startswith("Error: timeout: ")
    assert mission in finished.stderr
    assert 0.3 <= time.monotonic() - began < 10
    assert om.info(mission)["status"] == "running"


def test_a_bare_timeout_of_who_waits_is_seconds(om):
    mission = om.mission("sleep 100")
    began = time.monotonic()
    finished = om("wait", mission, "--timeout", "0.3")
    assert finished.returncode == 124
    assert without_waiting(finished.stderr).startswith("Error: timeout: Not ended within 0.3")
    assert time.monotonic() - began >= 0.3


@pytest.mark.own_home
def test_ctrl_c_leaves_the_mission_alone(om):
    mission = om.mission("sleep 100")
    _connected(om, 0)
    client = om.popen("wait", mission)
    _connected(om, 1)
    client.send_signal(signal.SIGINT)
    client.communicate(timeout=30)
    assert client.returncode == 130
    assert om.info(mission)["status"] == "running"


def test_wait_goes_through_restarts(om):
    mission = om.mission("exit 9", "--restart", "on-failure", "--max-restarts", "2", "--backoff", "20ms")
    finished = om("wait", mission, timeout=30)
    assert finished.returncode == 9
    info = om.info(mission)
    assert (info["restart_count"], info["reason"], len(info["runs"])) == (2, "restart_budget_spent", 3)


@pytest.mark.own_home
@pytest.mark.parametrize("words", [("start", "--replace"), ("shutdown", "--keep")], ids=" ".join)
def test_a_replaced_supervisor_is_not_noticed(om, words):
    os.mkfifo(om.path("gate"))
    mission = om.mission("read x < gate; exit 8")
    _connected(om, 0)
    client = om.popen("wait", mission)
    _connected(om, 1)
    om.ok(*words)
    om.ok("start")
    with open(om.path("gate"), "w") as gate:
        gate.write("go\n")
    out, err = client.communicate(timeout=30)
    assert (client.returncode, without_waiting(err)) == (8, "")
    assert out == f"Mission {mission} finished: crashed (exit code 8): failed\n"


def test_as_json_each_end_is_a_line(om):
    mission = om.finished("exit 2", "--name", "data")["id"]
    (end,) = map(json.loads, om("wait", mission, "--json").stdout.splitlines())
    assert {key: end[key] for key in ("id", "name", "status", "exit_code", "reason")} == {
        "id": mission,
        "name": "data",
        "status": "crashed",
        "exit_code": 2,
        "reason": None,
    }


def test_a_mission_may_wait_for_another(om):
    other = om.mission("sleep 0.3; exit 4")
    info = om.finished([*PROGRAM, "wait", other])
    assert info["exit_code"] == 4


def test_a_mission_that_crashed_although_its_process_exited_with_0_is_a_failure(om):
    """A run over its time that ends well on TERM."""
    command = "trap 'exit 0' TERM; while :; do sleep 0.05; done"
    mission = om.mission(command, "--timeout", "300ms")
    om.wait_status(mission, "crashed")
    assert om("wait", mission).returncode == 124


def test_wait_for_nobody_is_an_error_before_anything_is_waited_for(om):
    mission = om.mission("sleep 100")
    assert "nobody" in om.refused("wait", mission, "nobody", code="not_found")


def _connected(om, count):
    """Wait until so many clients are connected to the daemon."""
    daemon = psutil.Process(om.supervisor_pid())
    path = om.path("overmind.sock")

    def clients():
        return sum(str(one.laddr).rstrip("~") == path for one in daemon.net_connections("unix")) - 1  # but who listens

    eventually(lambda: clients() == count, what=f"{count} clients")
