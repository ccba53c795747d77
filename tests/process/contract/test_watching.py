"""`top`, `events`, `subscribe`, `monitor`, `ps --watch`: looking on while things happen."""

from __future__ import annotations

import json
import os
import re
import signal
import sys

import pytest

from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

TOP = ["ID", "NAME", "STATUS", "CPU%", "MEM", "OUTPUT/S", "PROCESSES", "COST", "TOKENS"]
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_top_counts_the_whole_tree(om):
    spin = f"{sys.executable} -c 'while True: pass'"
    busy = om.mission(f"{spin} & {spin} & wait", "--name", "busy")
    om.mission("sleep 100", "--name", "idle")
    om.finished("true", "--name", "over")

    def rows():
        found = {row["name"]: row for row in om.json("top", "--once", "--json")}
        return found if found["busy"]["cpu_percent"] and found["busy"]["cpu_percent"] > 20 else None

    found = eventually(rows, timeout=30)
    assert set(found) == {"busy", "idle"}
    assert found["busy"]["id"] == busy
    assert found["busy"]["processes"] == 3
    assert found["busy"]["memory_bytes"] > found["idle"]["memory_bytes"] > 0
    assert found["idle"]["cpu_percent"] < 20
    assert om.ok("top", "--once").split("\n")[0].split() == TOP


def test_top_shows_a_recent_rate_of_output(om):
    om.mission("while :; do echo 0123456789; sleep 0.01; done", "--name", "talker")

    def rate():
        (row,) = om.json("top", "--once", "--json")
        return row["output_bytes_per_second"]

    assert eventually(lambda: rate() > 100, timeout=20)


def test_top_with_nothing_live_is_empty(om):
    om.ok("start")
    assert om.ok("top", "--once", "--json") == "[]\n"
    assert len(om.ok("top", "--once").splitlines()) == 1


def test_top_watched_as_json_is_a_line_each_second(om):
    om.mission("sleep 100")
    client = om.popen("top", "--json")
    assert [len(json.loads(client.stdout.readline())) for _ in range(2)] == [1, 1]
    client.send_signal(signal.SIGINT)
    client.communicate(timeout=30)
    assert client.returncode == 130


def test_the_event_log_tells_a_missions_life_in_order(om):
    before = om.ndjson("events")
    mission = om.finished("exit 3", "--name", "told")["id"]
    om.ok("restart", mission)
    om.wait_status(mission, "crashed")
    om.ok("rm", mission)
    events = om.ndjson("events")[len(before) :]
    assert [event["seq"] for event in events] == sorted({event["seq"] for event in events})
    assert all(re.fullmatch(TIME, event["at"]) for event in events)
    assert {(event["mission"], event["name"]) for event in events} == {(mission, "told")}
    types = [event["type"] for event in events]
    assert types[:4] == ["created", "started", "exited", "crashed"]
    assert types[-1] == "removed"
    assert [event["exit_code"] for event in events if event["type"] == "exited"] == [3, 3]


def test_events_since_a_number(om):
    om.finished("true")
    events = om.ndjson("events")
    middle = events[len(events) // 2]["seq"]
    assert om.ndjson("events", "--since", str(middle)) == [event for event in events if event["seq"] > middle]
    assert om.ok("events", "--since", str(events[-1]["seq"])) == ""


@pytest.mark.own_home
def test_events_followed_come_as_they_happen_and_go_on_with_the_next_daemon(om):
    om.ok("start")
    client = om.popen("events", "-f")
    first = om.mission("true", "--name", "first")
    seen = [json.loads(client.stdout.readline()) for _ in range(4)]
    assert [event["type"] for event in seen] == ["created", "started", "exited", "stopped"]
    om.ok("start", "--replace")
    second = om.mission("true", "--name", "second")
    seen += [json.loads(client.stdout.readline()) for _ in range(4)]
    assert [event["mission"] for event in seen] == [first] * 4 + [second] * 4
    assert [event["seq"] for event in seen] == sorted({event["seq"] for event in seen})
    client.send_signal(signal.SIGINT)
    client.communicate(timeout=30)
    assert client.returncode == 130


def test_subscribe_prints_lines_as_objects_and_then_the_exit(om):
    os.mkfifo(om.path("gate"))
    om.mission("read x < gate; echo one; printf 'two \\033[31mred\\033[0m\\n'; exit 4", "--name", "spoken")
    client = om.popen("subscribe", "spoken", "--from-start")
    with open(om.path("gate"), "w") as gate:
        gate.write("go\n")
    out, err = client.communicate(timeout=30)
    assert (client.returncode, err) == (0, "")
    items = [json.loads(line) for line in out.splitlines()]
    shown = [{key: item[key] for key in item if key in {"type", "text", "status", "exit_code"}} for item in items]
    assert shown == [
        {"type": "plain", "text": "one"},
        {"type": "plain", "text": "two red"},
        {"type": "exit", "status": "crashed", "exit_code": 4},
    ]


def test_subscribe_to_a_finished_mission_answers_at_once(om):
    om.finished("echo kept", "--name", "over")
    items = om.ndjson("subscribe", "over", timeout=10)
    assert [item["type"] for item in items] == ["plain", "exit"]
    assert (items[0]["text"], items[1]["status"], items[1]["exit_code"]) == ("kept", "stopped", 0)


def test_subscribe_without_from_start_begins_now(om):
    os.mkfifo(om.path("gate"))
    mission = om.mission("echo before; read x < gate; echo after", "--name", "mid")
    eventually(lambda: om.logs(mission) == "before\n")
    with RawSocket.connect(om.home) as socket:
        socket.ok("subscribe", ids=["mid"])
        with open(om.path("gate"), "w") as gate:
            gate.write("go\n")
        assert socket.read_line()["item"]["text"] == "after"
        assert socket.read_line()["item"]["type"] == "exit"
        assert socket.read_line() == {"end": {}}


def test_subscribe_tells_of_restarts_and_of_a_kill(om):
    mission = om.mission("echo run; sleep 100", "--name", "again")
    client = om.popen("subscribe", "--from-start", "again")
    assert json.loads(client.stdout.readline())["text"] == "run"
    om.ok("restart", "again")
    assert json.loads(client.stdout.readline())["type"] == "restart"
    assert json.loads(client.stdout.readline())["text"] == "run"
    om.ok("kill", mission)
    last = json.loads(client.stdout.readline())
    assert (last["type"], last["status"], last["exit_code"]) == ("exit", "killed", None)
    assert client.wait(timeout=30) == 0


@pytest.mark.own_home
def test_subscribe_loses_nothing_and_repeats_nothing_over_a_replacement(om):
    om.mission("for n in $(seq 200); do echo $n; sleep 0.01; done", "--name", "long")
    client = om.popen("subscribe", "--from-start", "long")
    items = [json.loads(client.stdout.readline()) for _ in range(20)]
    om.ok("start", "--replace")
    items += map(json.loads, client.stdout)
    assert (client.wait(timeout=60), client.stderr.read()) == (0, "")
    assert [item["text"] for item in items[:-1]] == [str(n) for n in range(1, 201)]
    assert items[-1]["type"] == "exit"


def test_ps_watched_in_a_pipe_prints_again_and_again(om):
    mission = om.mission("sleep 100")
    client = om.popen("ps", "--watch", "--json")
    for _ in range(2):
        assert [row["id"] for row in json.loads(client.stdout.readline())] == [mission]
    client.send_signal(signal.SIGINT)
    client.communicate(timeout=30)
    assert client.returncode == 130


def test_monitor_shows_status_and_ps(om):
    mission = om.mission("sleep 100")
    client = om.popen("monitor", "--json")
    seen = json.loads(client.stdout.readline())
    assert seen["status"]["pid"] == om.supervisor_pid()
    assert [row["id"] for row in seen["missions"]] == [mission]
    client.send_signal(signal.SIGINT)
    client.communicate(timeout=30)
    assert client.returncode == 130


@pytest.mark.own_home
@pytest.mark.parametrize("words", [("ps", "--watch"), ("top",), ("monitor",)], ids=" ".join)
def test_a_watch_survives_a_replaced_daemon(om, words):
    om.mission("sleep 100", "--name", "watched")
    client = om.popen(*words, "--json")
    client.stdout.readline()
    om.ok("start", "--replace")
    for _ in range(3):
        assert "watched" in client.stdout.readline()


def test_the_socket_has_the_same_commands_with_underscores_and_numbers_in_the_same_units(om):
    om.ok("start")
    with RawSocket.connect(om.home) as socket:
        answer = socket.ok(
            "run",
            command="sleep 3",
            cwd="/tmp",
            env={"PATH": os.environ["PATH"]},
            max_restarts=2,
            backoff=250,
            grace=3,
            activity_timeout="2m",
            timeout=60_000,
        )
        assert sorted(answer) == ["id", "name"]
        info = socket.ok("info", id=answer["id"])
    assert (info["argv"], info["cwd"]) == (["/bin/sh", "-c", "sleep 3"], "/tmp")
    numbers = ("max_restarts", "backoff_ms", "grace_seconds", "activity_timeout_seconds", "timeout_ms")
    assert [info[name] for name in numbers] == [2, 250.0, 3.0, 120.0, 60_000.0]


def test_a_repeated_run_with_the_same_key_is_the_same_mission(om):
    om.ok("start")
    with RawSocket.connect(om.home) as socket:
        key = "0123456789abcdef" * 2
        first = socket.ok("run", command="true", cwd="/", request=key)
        assert socket.ok("run", command="true", cwd="/", request=key) == first
        assert len(socket.ok("ps")) == 1
        assert socket.ok("run", command="true", cwd="/", request=key[::-1]) != first
