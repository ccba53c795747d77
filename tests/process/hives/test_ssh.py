"""Named hives over a real sshd: as `ssh HOST`, with the person's own keys and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit import sshd as servers
from tests.kit.killing import kill_supervisor, without_waiting

FIVE = ("eu1", "eu2", "eu3", "eu4", "eu5")


RELAY = """
import os, socket, threading, time
while not os.path.exists({go!r}):
    time.sleep(0.02)
way = socket.create_connection(("127.0.0.1", {port}))
def forth():
    while data := os.read(0, 65536):
        way.sendall(data)
threading.Thread(target=forth, daemon=True).start()
while data := way.recv(65536):
    os.write(1, data)
"""


def serve(far, sshd, *names, **how):
    """Have ssh find a home behind each of these names, and write them down."""
    with Path(far.om.home, "config.toml").open("a") as file:
        for name in names:
            sshd.serve_home(name, far.home(name), **how)
            file.write(f'[hives.{name}]\nssh = "{name}"\n')


def test_a_hive_is_added_by_its_host_and_used_at_once(far, sshd):
    sshd.serve_home("eu1.test", far.home("eu1"))
    assert far("hive", "add", "eu1", "eu1.test").startswith("Added hive eu1 (overmind ")
    mission = far.om.json("run", "--json", "-H", "eu1", "echo hello")["id"]
    far("wait", f"eu1/{mission}")
    assert far("logs", f"eu1/{mission}") == "hello\n"


def test_a_list_of_five_is_their_sum_and_a_frozen_one_costs_a_second_and_hides_nobody(far, sshd, tmp_path, marker):
    serve(far, sshd, *FIVE[:4])
    with servers.running(tmp_path / "other", marker) as other:
        other.serve_home("eu5", far.home("eu5"))
        with (sshd.folder / "ssh_config").open("a") as file:
            file.write((other.folder / "ssh_config").read_text())
        with Path(far.om.home, "config.toml").open("a") as file:
            file.write('[hives.eu5]\nssh = "eu5"\n')
        ids = {name: far.home(name).mission("sleep 100") for name in FIVE}
        rows = far.om.json("ps", "-H", "all", "--json")
        assert {row["hive"]: row["id"] for row in rows} == ids
        other.freeze()
        try:
            done = far.om("ps", "-H", "all", "--json")
        finally:
            other.freeze(thaw=True)
        assert {row["hive"]: row["id"] for row in json.loads(done.stdout)} == {name: ids[name] for name in FIVE[:4]}
        assert (done.returncode, done.stderr.count("eu5 has been silent for 1 s")) == (1, 1)


def test_a_cut_in_a_followed_log_loses_no_byte(far, sshd, tmp_path):
    serve(far, sshd, "eu1")
    gate = tmp_path / "go"
    there = far.home("eu1")
    mission = there.mission(f"seq 5000; while [ ! -e {gate} ]; do sleep .05; done; seq 5001 9000")
    follower = far.om.popen("logs", "-f", f"eu1/{mission}")
    first = [follower.stdout.readline() for _ in range(5000)]
    sshd.cut()
    gate.touch()
    rest, said = follower.communicate(timeout=60)
    assert [int(line) for line in [*first, *rest.split()]] == list(range(1, 9001)), said


def test_a_wait_finds_its_way_back(far, sshd, tmp_path):
    serve(far, sshd, "eu1")
    gate = tmp_path / "go"
    there = far.home("eu1")
    mission = there.mission(f"while [ ! -e {gate} ]; do sleep .05; done; exit 3")
    first = there.finished("true")["id"]
    waiter = far.om.popen("wait", f"eu1/{first}", f"eu1/{mission}")
    assert first in waiter.stdout.readline()
    sshd.cut()
    kill_supervisor(there)
    gate.touch()
    out, said = waiter.communicate(timeout=60)
    assert (waiter.returncode, mission in out) == (3, True), said


def test_a_host_that_cannot_be_asked_says_why_in_its_own_words(far, sshd):
    sshd.serve_home("eu1", far.home("eu1"))
    assert "Could not resolve" in far.om.refused("hive", "add", "a", "nowhere.invalid", code="hive_silent")
    with (sshd.folder / "ssh_config").open("a") as file:
        file.write(f"Host closed\n  HostName 127.0.0.1\n  Port 1\nHost stranger\n  HostName 127.0.0.1\n"
                   f"  Port {sshd.port}\n  UserKnownHostsFile /dev/null\n  GlobalKnownHostsFile /dev/null\n"
                   f"Host keyless\n  HostName 127.0.0.1\n  Port {sshd.port}\n  IdentityFile /dev/null\n"
                   f"  IdentitiesOnly yes\n  UserKnownHostsFile {sshd.folder}/known_hosts\n")  # fmt: skip
    assert "refused" in far.om.refused("hive", "add", "b", "closed", code="hive_silent")
    assert "host key" in far.om.refused("hive", "add", "c", "stranger", code="hive_silent")
    assert "Permission denied" in far.om.refused("hive", "add", "d", "keyless", code="hive_silent")


def test_a_host_without_overmind_says_so(far, sshd):
    sshd.serve("bare", "/bin/sh -c overmind-that-is-missing", {"PATH": "/usr/bin:/bin"})
    said = far.om.refused("hive", "add", "bare", "bare", code="hive_silent")
    assert "not found" in said
    assert "installed there" in said


def test_what_a_login_shell_prints_is_skipped(far, sshd):
    serve(far, sshd, "eu1", before="echo Welcome back; echo '{not json'; printf 'no newline '; echo")
    mission = far.home("eu1").mission("sleep 100")
    assert far("ps", "-q", "-H", "eu1").split() == [mission]


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_a_key_with_a_role_takes_no_more_than_that(far, sshd, role):
    there = far.home("eu1")
    mission = there.mission("sleep 100", "--name", "api")
    serve(far, sshd, "eu1", arguments=f"--as alice --role {role}")
    assert far("ps", "-q", "-H", "eu1").split() == [mission]
    assert far("logs", "eu1/api") == ""
    done = far.om("stop", "eu1/api")
    if role == "viewer":
        assert without_waiting(done.stderr).startswith("Error: forbidden: ")
        assert without_waiting(far.om("run", "-H", "eu1", "true").stderr).startswith("Error: forbidden: ")
        assert without_waiting(far.om("info", "--reveal", "eu1/api").stderr).startswith("Error: forbidden: ")
        assert there.info(mission)["status"] == "running"
    else:
        assert done.returncode == 0, done.stderr
        far("run", "-H", "eu1", "--name", "second", "sleep 100")
        assert {event["by"] for event in there.events("stopping") if "by" in event} <= {"gate:alice"}
    denied = far.om("prune", "-H", "eu1", "-y").stderr
    assert denied.startswith("Error: forbidden: ")


def test_a_restricted_key_gets_no_shell_and_no_forwarding(far, sshd):
    sshd.serve_home("eu1", far.home("eu1"), arguments="--as alice --role viewer")
    ssh = str(sshd.bin / "ssh")
    asked = subprocess.run([ssh, "eu1", "id"], input=b"", capture_output=True, timeout=30, check=False)
    assert asked.stdout.startswith(b'{"gate":1')
    assert b"uid=" not in asked.stdout
    forward = [ssh, "-o", "ExitOnForwardFailure=yes", "-N", "-R", "0:127.0.0.1:1", "eu1"]
    refused = subprocess.run(forward, capture_output=True, timeout=30, check=False)
    assert refused.returncode != 0


def test_one_to_which_ssh_still_connects_is_waited_for_and_named_and_one_that_is_connected_is_not(far, sshd, tmp_path):
    serve(far, sshd, "eu1", "eu2")
    go = tmp_path / "go"
    relay = tmp_path / "relay"  # the way to eu2: open once `go` is there
    relay.write_text(RELAY.format(go=str(go), port=sshd.port))
    config = sshd.folder / "ssh_config"
    config.write_text(config.read_text() + f"Host eu2\n  ProxyCommand {sys.executable} {relay}\n")
    ids = {name: far.home(name).mission("sleep 100") for name in ("eu1", "eu2")}
    far("ps", "-H", "eu1")  # is warm
    asking = far.om.popen("ps", "-H", "eu1,eu2", "--json")
    assert asking.stderr.readline() == "Waiting for eu2: ssh connects.\n"
    go.touch()
    out, said = asking.communicate(timeout=30)
    assert {row["hive"]: row["id"] for row in json.loads(out)} == ids
    assert (asking.returncode, said) == (0, "")
    assert "silent" not in far("hive", "list")  # its connection stays


def test_one_to_which_ssh_can_t_connect_in_time_hides_no_other(far, sshd, tmp_path):
    serve(far, sshd, "eu1", "eu2")
    config = sshd.folder / "ssh_config"
    config.write_text(config.read_text() + "Host eu2\n  ProxyCommand sleep 600\n")
    mission = far.home("eu1").mission("sleep 100")
    done = far.om("ps", "-H", "eu1,eu2", "--json")
    assert [row["id"] for row in json.loads(done.stdout)] == [mission]
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Waiting for eu2: ssh connects.",
        "Error: hive_silent: eu2 can't be asked: ssh has not connected within 5 s. See: overmind hive list",
    ]
