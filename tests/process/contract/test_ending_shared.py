"""A server that one mission started and another uses, as codex has: it ends with the last of them."""

from __future__ import annotations

import shlex
import sys

import pytest

from tests.kit.processes import alive
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.linux, pytest.mark.shared_home]

AGENT = '''
"""Connects to the server of its folder, which it starts when there is none, in a session of its own; waits."""
import os, socket, sys, time

def serve(path):
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()
    if (child := os.fork()) == 0:
        os.setsid()
        if stays or os.fork() == 0:
            for number in range(3):
                os.close(number)
            kept = [os.getpid()]
            with open(path + ".pid~", "w") as file:
                file.write(str(os.getpid()))
            os.rename(path + ".pid~", path + ".pid")
            while True:
                kept.append(server.accept()[0])
        os._exit(0)
    if not stays:
        os.waitpid(child, 0)
    server.close()

path, stays = sys.argv[1], sys.argv[2:]
if not os.path.exists(path):
    serve(path)
client = socket.socket(socket.AF_UNIX)
client.connect(path)
print("connected", flush=True)
client.recv(1)
print("Reconnecting to server", flush=True)
time.sleep(600)
'''


@pytest.fixture(params=["orphan", "child"])
def agent(request, om, tmp_path):
    """Start a mission of it; return its id once it is connected. Its server has lost its parent, or is its child."""
    (tmp_path / "agent.py").write_text(AGENT)
    stays = ["stays"] if request.param == "child" else []

    def start(*options):
        program = shlex.join([sys.executable, str(tmp_path / "agent.py"), str(tmp_path / "s"), *stays])
        mission = om.mission(f"exec {program}", *options)
        eventually(lambda: "connected" in om.ok("logs", mission))
        return mission

    return start


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_server_that_another_mission_uses_outlives_the_one_that_started_it(om, agent, tmp_path, end):
    first, second = agent(), agent("--name", "second")
    pid = int((tmp_path / "s.pid").read_text())
    refused = om.refused(end, first, code="survivors")
    assert f"{pid} " in refused
    assert f", PID {om.pid(second)})" in refused
    assert "(a server that others use: " in refused
    assert [one.split()[0] for one in om.info(first)["survivors"]] == [str(pid)]
    assert alive(pid)
    assert "Reconnecting" not in om.ok("logs", second)
    om.ok(end, "second")
    eventually(lambda: not alive(pid))


def test_a_server_that_a_person_uses_is_spared_and_one_that_nobody_else_uses_ends(om, agent, tmp_path):
    mission = agent()
    pid = int((tmp_path / "s.pid").read_text())
    om.ok("kill", mission)
    assert not alive(pid)
