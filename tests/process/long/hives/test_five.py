"""Five hives over a real sshd: sums, races, cuts at any moment, and what one of them costs the others."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from typing import Any

import psutil
import pytest

from tests.kit.attached import Attached
from tests.kit.cut_line import Line
from tests.kit.killing import answers
from tests.kit.torture import some
from tests.kit.waiting import eventually
from tests.process.hives.test_ssh import serve

CUT = 5.0
"""Seconds for which nothing passes; those who follow look for a way back for ten."""


@pytest.fixture
def line(sshd):
    """A line to the server, which ssh takes from now on: it can be cut."""
    with Line() as line:
        line.server = sshd.port
        config = sshd.folder / "ssh_config"
        config.write_text(config.read_text().replace(f"Port {sshd.port}", f"Port {line.port}"))
        known = sshd.folder / "known_hosts"
        known.write_text(known.read_text() + known.read_text().replace(f":{sshd.port} ", f":{line.port} "))
        yield line
        line.hang_up()


def cut_for(line, seconds):
    """Nothing passes for a while, in either direction, and nobody is told."""
    line.cut()
    time.sleep(seconds)  # the length of the cut is what is tried here
    line.mend()


def callers(home):
    """How many have a connection to a home's daemon."""
    sockets = psutil.Process(home.supervisor_pid()).net_connections("unix")
    return sum(bool(one.laddr) for one in sockets) - 1  # it listens on one itself


@pytest.mark.parametrize("lost", ["link", "supervisor", "both"])
def test_a_repeated_run_starts_once_whatever_is_lost_at_any_moment(far, sshd, lost):
    serve(far, sshd, "eu1")
    there = far.home("eu1")
    there.ok("start")
    outcomes = []
    for number in some(range(16), part=2):
        words = ["run", "-H", "eu1", "--name", f"once-{number}", "sleep 300"]
        starter = far.om.popen(*words)
        with contextlib.suppress(subprocess.TimeoutExpired):
            starter.wait(0.02 * number)
        if lost != "link" and answers(there):
            os.kill(there.supervisor_pid(), signal.SIGKILL)
        if lost != "supervisor":
            sshd.cut()
        out, said = starter.communicate(timeout=60)
        outcomes.append(starter.returncode)
        if key := re.search(r"--request (\w+)", said):
            out = far(*words, "--request", key[1])
        eventually(lambda: answers(there), timeout=20, what="the hive is back")
        started = [row["id"] for row in there.ps() if row["name"] == f"once-{number}"]
        assert len(started) <= 1, (out, said)
        if "Started" in out:
            assert started == [out.split()[2]]
    assert 0 in outcomes


def test_logs_and_wait_lose_and_double_no_byte_over_a_cut_of_five_seconds(far, sshd, line, tmp_path):
    serve(far, sshd, "eu1")
    config = sshd.folder / "ssh_config"
    config.write_text(config.read_text().replace(f"Port {sshd.port}", f"Port {line.port}"))
    there = far.home("eu1")
    count = "i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo $i; sleep .03; done; exit 3"
    mission = there.mission(count)
    eventually(lambda: callers(there) == 0, what="whoever has started it has hung up")
    waiter = far.om.popen("wait", f"eu1/{mission}")
    eventually(lambda: callers(there) == 1, what="it waits there")
    events = far.om.popen("events", "-f", "-H", "eu1")
    seen: list[dict[str, Any]] = [json.loads(events.stdout.readline())]
    follower = far.om.popen("logs", "-f", f"eu1/{mission}")
    assert follower.stdout.readline() == "1\n"
    cut_for(line, CUT)
    assert [int(one) for one in follower.stdout.read().split()] == list(range(2, 501))
    assert follower.wait(60) == 0
    out, said = waiter.communicate(timeout=60)
    assert (waiter.returncode, mission in out) == (3, True), said
    while seen[-1]["type"] != "crashed":
        seen.append(json.loads(events.stdout.readline()))
    events.kill()
    events.communicate()
    numbers = [event["seq"] for event in seen]
    assert numbers == sorted(set(numbers)), "each event once, in order"


def test_a_terminal_types_on_after_a_cut_of_five_seconds(far, sshd, line, tmp_path):
    serve(far, sshd, "eu1")
    config = sshd.folder / "ssh_config"
    config.write_text(config.read_text().replace(f"Port {sshd.port}", f"Port {line.port}"))
    go = tmp_path / "go"
    there = far.home("eu1")
    shell = there.mission(["sh", "-c", "echo ready; PS1= exec sh"], "--type", "session", "--name", "shell")
    with Attached(far.om, "eu1/shell") as person:
        person.joined()
        person.shows("ready")
        person.type(f"until [ -e {go} ]; do sleep .05; done; seq 1 9; echo e''nd\r".encode())
        person.shows("done; seq 1 9")
        line.cut()
        go.touch()
        time.sleep(CUT)  # the length of the cut is what is tried here
        line.mend()
        person.shows("\nend")
        assert "\n".join(map(str, range(1, 10))) + "\nend" in person.text()
        person.type(b"echo ag''ain\r")
        person.shows("\nagain")
        assert person.text().count("\nagain") == 1
    assert there.info(shell)["restart_count"] == 0
