"""`run`: what it prints, how it takes its command, and what becomes of that."""

from __future__ import annotations

import json
import os
import re
import signal
import time

import pytest

from tests.kit.overmind import PROGRAM
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

ENDS = [
    ("true", "stopped", 0),
    ("exit 42", "crashed", 42),
    ("exit 255", "crashed", 255),
    ("kill -TERM $$", "crashed", 128 + 15),
    ("kill -KILL $$", "crashed", 128 + 9),
    ("kill -HUP $$", "crashed", 128 + 1),
    ("kill -SEGV $$", "crashed", 128 + 11),
]


def test_run_says_which_mission_it_started_and_ps_and_logs_have_its_end_within_a_second(om):
    om.ok("start")
    printed = om.run("echo hello").stdout
    began = time.monotonic()
    said = re.fullmatch(r"Started mission ([0-9a-f]{8}) \(([a-z]+-[a-z]+)\)\n", printed)
    assert said, printed
    mission, name = said.groups()
    (row,) = eventually(lambda: om.ps("--status", "stopped"), timeout=1 + time.monotonic() - began)
    assert (row["id"], row["name"], row["exit_code"]) == (mission, name, 0)
    assert om.logs(mission) == "hello\n"


def test_run_as_json_prints_exactly_id_and_name(om):
    printed = om.run("true", "--json").stdout
    answer = json.loads(printed)
    assert sorted(answer) == ["id", "name"]
    assert printed == json.dumps(answer, separators=(",", ":")) + "\n"


@pytest.mark.parametrize(("command", "status", "code"), ENDS)
def test_the_end_of_the_process_is_the_end_of_the_mission(om, command, status, code):
    info = om.finished(command)
    assert (info["status"], info["exit_code"], info["reason"]) == (status, code, None)
    assert [run["exit_code"] for run in info["runs"]] == [code]


@pytest.mark.parametrize(("command", "status", "code"), ENDS)
def test_run_and_wait_exits_with_the_childs_code(om, command, status, code):
    ran = om.run(command, "--wait", "--name", "waited")
    assert ran.returncode == code
    said = ran.stderr.splitlines()[-1]
    assert said.endswith("Run it again with: overmind restart waited") is (code != 0)


def test_run_and_wait_shows_the_output_as_it_comes(om):
    os.mkfifo(om.path("gate"))  # first: where there is none, nobody ever reads it
    client = om.popen("run", "--wait", "echo one; read x < gate; echo two; exit 5")
    assert client.stdout.readline() == "one\n"
    with open(om.path("gate"), "w") as gate:
        gate.write("go\n")
    out, err = client.communicate(timeout=30)
    assert (client.returncode, out) == (5, "two\n")
    assert re.search(r"^Started mission [0-9a-f]{8} \(.*\)$", err, re.MULTILINE)


def test_run_and_wait_of_a_killed_mission_exits_with_137(om):
    client = om.popen("run", "--wait", "--name", "victim", "sleep 100")
    eventually(lambda: om("info", "victim").returncode == 0)
    om.ok("kill", "victim")
    client.communicate(timeout=30)
    assert client.returncode == 137


def test_ctrl_c_leaves_the_mission_alive_and_says_how_to_return(om):
    client = om.popen("run", "--wait", "--name", "worker", "echo ready; sleep 100")
    assert client.stdout.readline() == "ready\n"
    client.send_signal(signal.SIGINT)
    _, err = client.communicate(timeout=30)
    assert client.returncode == 130
    assert "overmind logs -f worker" in err
    assert om.info("worker")["status"] == "running"


def test_one_word_is_a_shell_string_and_several_are_an_argv_without_a_shell(om):
    shell = om.finished("echo $((1+1)) | tr 2 3")
    argv = om.finished(["echo", "$((1+1))", "a  b", "*", ""])
    assert om.logs(shell["id"]) == "3\n"
    assert om.logs(argv["id"]) == "$((1+1)) a  b * \n"
    assert shell["argv"] == ["/bin/sh", "-c", "echo $((1+1)) | tr 2 3"]
    assert argv["argv"] == ["echo", "$((1+1))", "a  b", "*", ""]


def test_options_end_where_the_command_begins(om):
    printed = om.ok("run", "--wait", "echo", "--name", "x", "--json", "--", "-y")
    assert printed == "--name x --json -- -y\n"
    assert om.ps()[0]["name"] != "x"


def test_two_dashes_end_the_options(om):
    assert om.ok("run", "--wait", "--name", "dashed", "--", "echo", "--wait") == "--wait\n"
    assert om.info("dashed")["exit_code"] == 0


def test_an_option_and_its_value_may_be_one_word(om):
    om.ok("run", "--name=joined", "--label=k=v=w", "true")
    assert om.info("joined")["labels"] == {"k": "v=w"}


def test_a_relative_program_is_found_in_the_callers_folder(om, tmp_path):
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\necho found $1\n")
    program.chmod(0o755)
    assert om.ok("run", "--wait", "./tool", "a", cwd=str(tmp_path)) == "found a\n"
    assert om.ok("run", "--wait", "./tool b", cwd=str(tmp_path)) == "found b\n"


def test_info_shows_what_was_asked_for(om):
    options = (
        "--name all --cwd / --size 100x40 --label a=1 --label b= --type task --restart on-failure --max-restarts 7"
        " --max-seconds 2m --backoff 250 --activity-timeout 1h --grace 3 --stop-signal INT --timeout 1d --interactive"
        " --leave-background"
    )
    mission = om.mission("sleep 100", *options.split())
    info = om.info(mission)
    expected = {
        "id": mission,
        "name": "all",
        "cwd": "/",
        "columns": 100,
        "rows": 40,
        "labels": {"a": "1", "b": ""},
        "type": "task",
        "restart_policy": "on_failure",
        "max_restarts": 7,
        "max_seconds": 120.0,
        "backoff_ms": 250.0,
        "activity_timeout_seconds": 3600.0,
        "grace_seconds": 3.0,
        "stop_signal": signal.SIGINT,
        "timeout_ms": 86_400_000.0,
        "interactive": True,
        "leave_background": True,
        "tty": True,
        "parent": None,
        "children": [],
        "provider": "raw",
        "status": "running",
    }
    assert {name: info[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("given", "seconds"), [("1", 1.0), ("250ms", 0.25), ("2s", 2.0), ("3m", 180.0), ("1.5h", 5400.0)]
)
def test_a_bare_number_is_seconds_and_suffixes_are_understood(om, given, seconds):
    assert om.info(om.mission("sleep 100", "--grace", given))["grace_seconds"] == seconds


@pytest.mark.parametrize(
    ("given", "milliseconds"), [("5000", 5000.0), ("250ms", 250.0), ("2s", 2000.0), ("3m", 180_000.0)]
)
def test_a_bare_number_of_backoff_is_milliseconds(om, given, milliseconds):
    assert om.info(om.mission("sleep 100", "--backoff", given))["backoff_ms"] == milliseconds


def test_a_run_over_its_timeout_is_crashed_with_code_124(om):
    finished = om.run("echo begun; sleep 100", "--wait", "--timeout", "1s")
    assert (finished.returncode, finished.stdout.splitlines()[0]) == (124, "begun")
    (row,) = om.ps()
    assert (row["status"], row["reason"], row["exit_code"]) == ("crashed", "timeout", 124)


def test_a_timeout_without_a_unit_is_seconds(om):
    assert om.info(om.mission("true", "--timeout", "30"))["timeout_ms"] == 30_000
    assert om.info(om.mission("true", "--timeout", "5m"))["timeout_ms"] == 300_000


def test_a_session_has_its_terminal_as_input(om):
    mission = om.mission("[ -t 0 ] && echo input; sleep 100", "--type", "session")
    eventually(lambda: om.logs(mission) == "input\n")
    info = om.info(mission)
    assert (info["type"], info["status"]) == ("session", "running")


def test_a_child_knows_its_parent_and_the_parent_its_children(om):
    parent = om.mission("sleep 100", "--name", "above")
    child = om.mission("sleep 100", "--parent", "above")
    assert om.info(child)["parent"] == parent
    assert om.info(parent)["children"] == [child]
    assert [row["id"] for row in om.ps("--children", "above")] == [child]


def test_a_run_from_inside_a_mission_is_its_child(om):
    parent = om.mission([*PROGRAM, "run", "--json", "true"])
    child = json.loads(om.logs(om.wait_status(parent, "stopped")["id"]))["id"]
    assert om.info(child)["parent"] == parent


def test_two_hundred_times_true_is_two_hundred_times_stopped(om):
    with _connected(om) as socket:
        for number in range(200):
            socket.send_line({"id": number, "cmd": "run", "args": {"command": ["true"], "cwd": "/"}})
        ids = [socket.read_line()["ok"]["id"] for _ in range(200)]
    om.ok("wait", *ids, timeout=60)
    rows = om.ps()
    assert len(rows) == 200
    assert {(row["status"], row["exit_code"], row["reason"], row["restart_count"]) for row in rows} == {
        ("stopped", 0, None, 0)
    }


def test_fifty_times_run_on_the_command_line_loses_no_race(om):
    ids = [om.mission("true") for _ in range(50)]
    om.ok("wait", *ids)
    assert sorted(row["id"] for row in om.ps("--status", "stopped")) == sorted(ids)


def test_five_hundred_at_once_have_as_many_names(om):
    """All live until the last has its name: that of one that has ended may be given again."""
    gate = om.path("gate")
    os.mkfifo(gate)
    shut = os.open(gate, os.O_RDWR)
    try:
        with _connected(om) as socket:
            for number in range(500):
                run = {"command": ["cat", gate], "cwd": "/", "tty": False}
                socket.send_line({"id": number, "cmd": "run", "args": run})
            answers = [socket.read_line()["ok"] for _ in range(500)]
        assert len({answer["name"] for answer in answers}) == 500
    finally:
        with open(om.path("open"), "w"):
            pass
        os.replace(om.path("open"), gate)  # for those that have not come to it yet
        os.close(shut)
    om.ok("wait", *(answer["id"] for answer in answers), timeout=90)
    assert {row["status"] for row in om.ps()} == {"stopped"}


def _connected(om):
    om.ok("start")
    return RawSocket.connect(om.home, timeout=60.0)
