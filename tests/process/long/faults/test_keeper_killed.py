"""The keeper is killed, alone or with its supervisor, or the machine is restarted: cli.md, behaviour 3."""

from __future__ import annotations

import os
import signal

import pytest

from tests.kit.killing import without_waiting

pytestmark = pytest.mark.torture


@pytest.mark.long
def test_a_keeper_that_is_stopped_is_named_with_what_helps_and_does_all_that_was_asked_for_once_it_goes_on(om):
    first = om.mission("sleep 600")
    keeper = om.keeper_pid()
    os.kill(keeper, signal.SIGSTOP)
    clients = [om.popen("run", "--name", "later", "sleep 601"), om.popen("stop", first), om.popen("kill", first)]
    for words in (("info", first), ("logs", first), ("top",)):
        om.ok(*words)  # who only looks is shown what was known last
    said = f"Error: busy: The keeper (PID {keeper}) has not answered for 10 s: it is stopped. "
    for client in clients:
        assert client.wait(timeout=60) == 1
        error = without_waiting(client.stderr.read())
        assert error.startswith(said)
        assert error.endswith(f"Resume it with: kill -CONT {keeper}\n")
    (problem,) = om.json("status", "--json")["problems"]
    assert f"kill -CONT {keeper}" in problem
    os.kill(keeper, signal.SIGCONT)
    om.wait_status(first, "stopped", "killed")
    om.wait_status("later", "running")
    assert om.json("status", "--json")["problems"] == []
