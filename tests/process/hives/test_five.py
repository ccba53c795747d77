"""Five hives over a real sshd: sums, races, cuts at any moment, and what one of them costs the others."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.kit.attached import Attached
from tests.kit.full_disk import full_disk
from tests.kit.overmind import PROGRAM
from tests.kit.processes import alive, kill_home, of_home
from tests.kit.waiting import eventually
from tests.process.hives.test_ssh import FIVE, serve


@pytest.fixture
def five(far, sshd):
    """Somebody who knows five hives."""
    serve(far, sshd, *FIVE)
    return far


def timed(om, *words):
    """A command's end, and its seconds."""
    began = time.monotonic()
    return om(*words), time.monotonic() - began


def test_ps_of_all_is_the_sum_and_one_that_is_frozen_costs_a_second_and_hides_no_other(five, sshd):
    ids = {name: five.home(name).mission("sleep 300") for name in FIVE[:4]}
    five.home("eu5").mission("sleep 300")
    for name in FIVE[:4]:  # each is connected: a hive that has to be is given no more time than another
        five("ps", "-H", name)
    before = set(sshd.processes())
    five("ps", "-H", "eu5")
    sessions = set(sshd.processes()) - before
    rows = five.om.json("ps", "-H", "all", "--json")
    assert [row["hive"] for row in rows] == list(FIVE)
    _, usual = timed(five.om, "ps", "-H", "all", "--json")
    for pid in sessions:
        os.kill(pid, signal.SIGSTOP)
    done, longer = timed(five.om, "ps", "-H", "all", "--json")
    assert {row["hive"]: row["id"] for row in json.loads(done.stdout)} == ids
    assert (done.returncode, done.stderr) == (
        1, "Error: hive_silent: eu5 has been silent for 1 s. See: overmind hive list\n"
    )  # fmt: skip
    assert longer < usual + 1.0 + usual + 1.0, "twice as long on a busy machine, and the second"


def test_racing_clients_never_overbook(far, sshd, make_home, tmp_path):
    serve(far, sshd, "eu1")
    there = far.home("eu1")
    there.ok("queue", "slots", "2")
    other = make_home()
    other.environment["PATH"] = far.om.environment["PATH"]
    Path(other.home, "config.toml").write_text('[hives.eu1]\nssh = "eu1"\n')
    (here := tmp_path / "running").mkdir()
    own = f"{here}/$OVERMIND_MISSION_ID"
    inside = f"mkdir {own}; ls {here} | wc -l; sleep .3; rmdir {own}"
    clients = [
        om.popen("quest", "add", f"Piece {number} of {who}", "-H", "eu1", "--wait", "--", "sh", "-c", inside)
        for number in range(6)
        for who, om in (("me", far.om), ("you", other))
    ]
    same = [om.popen("run", "-H", "eu1", "--name", "only", "sleep 300") for om in (far.om, other) for _ in range(3)]
    ends = [(client.communicate(timeout=120), client.returncode) for client in clients]
    for client in same:
        client.communicate(timeout=120)
    assert [code for _, code in ends] == [0] * 12, ends
    assert sorted(client.returncode for client in same) == [0, 1, 1, 1, 1, 1]
    rows = there.json("quest", "list", "--json")
    assert len(rows) == 12
    assert {int(there.ok("quest", "logs", row["id"]).split()[0]) for row in rows} <= {1, 2}


def test_a_viewers_key_cannot_run_get_a_shell_forward_or_be_somebody_else(far, sshd):
    there = far.home("eu1")
    mission = there.mission("sleep 300", "--name", "api")
    serve(far, sshd, "eu1", arguments="--as alice --role viewer")
    ssh = str(sshd.bin / "ssh")
    for words in (["run", "-H", "eu1", "true"], ["attach", "--read-only", "eu1/api"], ["kill", "eu1/api"]):
        with Attached(far.om, *words, program=PROGRAM) as person:
            assert person.end() == 1, person.text()
            assert "forbidden" in person.text()
    asked = ["overmind", "gate", "--as", "bob", "--role", "owner"]
    wishes = [
        {"channel": "requests", "as": "bob", "role": "owner", "by": "bob"},
        {"channel": "terminal", "role": "owner"},
        {"channel": "git", "service": "receive-pack", "repository": "shop-1", "role": "owner"},
    ]
    for wish in wishes:
        request = {"cmd": "run", "args": {"command": "true", "cwd": "/"}, "id": 1, "by": "bob", "as": "bob"}
        said = f"{json.dumps(wish)}\n{json.dumps(request)}\n".encode()
        done = subprocess.run([ssh, "eu1", *asked], input=said, capture_output=True, timeout=30, check=False)
        assert b'"error":"forbidden"' in done.stdout, (wish, done)
    assert [row["id"] for row in there.ps("--all")] == [mission]
    pseudo = subprocess.run([ssh, "-tt", "eu1"], input=b"id\n", capture_output=True, timeout=30, check=False)
    assert b"uid=" not in pseudo.stdout
    with socket.create_server(("127.0.0.1", 0)) as target:
        port = target.getsockname()[1]
        through = subprocess.run(
            [ssh, "-W", f"127.0.0.1:{port}", "eu1"], input=b"", capture_output=True, timeout=30, check=False
        )
        assert through.returncode != 0
        assert b"prohibited" in through.stderr
    serve(far, sshd, "eu2", arguments="--as alice --role operator")
    other = far.home("eu2")
    other.ok("start")
    request = {"cmd": "run", "args": {"command": "true", "cwd": "/", "name": "x"}, "id": 1, "as": "bob"}
    said = f'{{"channel": "requests", "as": "bob"}}\n{json.dumps(request)}\n'.encode()
    with subprocess.Popen([ssh, "eu2", *asked], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as operator:
        assert operator.stdin is not None
        operator.stdin.write(said)
        operator.stdin.flush()
        eventually(lambda: other.events("created"), what="it has begun")
    assert {event["by"] for event in other.events("created")} == {"gate:alice"}


def test_more_channels_than_a_server_allows_on_one_connection_are_all_served(far, sshd):
    serve(far, sshd, "eu1")
    there = far.home("eu1")
    mission = there.mission("echo begun; sleep 300", "--name", "api")
    there.ok("logs", mission)
    followers = [far.om.popen("logs", "-f", "eu1/api") for _ in range(13)]
    for follower in followers:
        assert follower.stdout.readline() == "begun\n"
    assert far("ps", "-q", "-H", "eu1").split() == [mission]
    there.ok("stop", "api")
    for follower in followers:
        out, said = follower.communicate(timeout=60)
        assert (follower.returncode, out) == (0, ""), said


def test_a_full_disk_is_an_error_of_that_hive_alone(five):
    ids = {name: five.home(name).mission("sleep 300", "--name", "api") for name in FIVE}
    full = five.home("eu3")
    with full_disk(full.supervisor_pid()):
        assert "eu3: " in five.om.refused("run", "-H", "eu3", "true", code="disk_full")
        rows = five.om.json("ps", "-H", "all", "--json")
        assert {row["hive"]: row["id"] for row in rows} == ids
        five("run", "-H", "eu2", "--name", "other", "true")
    five("run", "-H", "eu3", "--name", "later", "true")


def test_noise_another_version_and_a_missing_program_are_errors_of_that_hive_alone(five, sshd, tmp_path):
    mission = five.home("eu1").mission("sleep 300")
    bad = {
        "bare": "overmind-that-is-missing",
        "mute": "exec sleep 300",
        "newer": """echo '{"gate":99,"version":"9.9.9","home":"/x"}'; exec cat""",
        "noisy": "yes noise | head -c 70000; exec cat",
    }
    with Path(five.om.home, "config.toml").open("a") as file:
        for name, command in bad.items():
            script = tmp_path / name
            script.write_text(command)
            sshd.serve(name, f"/bin/sh {script}", {"PATH": "/usr/bin:/bin"})
            file.write(f'[hives.{name}]\nssh = "{name}"\n')
    done = five.om("ps", "-H", "eu1,noisy,newer,bare,mute", "--json")
    assert [row["id"] for row in json.loads(done.stdout)] == [mission]
    assert done.returncode == 1
    said = dict(zip(sorted(bad), sorted(done.stderr.splitlines(), key=lambda one: one.split()[2]), strict=True))
    assert "not found" in said["bare"]
    assert "silent for 1 s" in said["mute"]
    assert "another version (9.9.9 there)" in said["newer"]
    assert "more than 64 KiB" in said["noisy"]
    assert all(line.startswith(f"Error: hive_silent: {name} ") for name, line in said.items())


def test_the_missions_of_a_hive_outlive_all_others(five, sshd, tmp_path):
    go = tmp_path / "go"
    there = five.home("eu1")
    mission = five.om.json(
        "run", "-H", "eu1", "--json", "--", "sh", "-c", f"echo begun; until [ -e {go} ]; do sleep .05; done; echo done"
    )["id"]
    for name in FIVE[1:]:
        five.home(name).mission("sleep 300")
    five.om.mission("sleep 300")
    follower = five.om.popen("logs", "-f", f"eu1/{mission}")
    assert follower.stdout.readline() == "begun\n"
    for om in (five.om, *(five.home(name) for name in FIVE[1:])):
        kill_home(om.home)
    follower.kill()
    follower.communicate()
    sshd.end()
    eventually(lambda: not any(of_home(five.home(name).home) for name in FIVE[1:]))
    assert there.info(mission)["status"] == "running"
    go.touch()
    assert there.wait_status(mission, "stopped")["exit_code"] == 0
    assert there.ok("logs", mission) == "begun\ndone\n"
    assert alive(there.supervisor_pid())
