"""Keys of changes: what was sent again after a loss is done once; what nobody could answer is settled by its key."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.kit.killing import await_another
from tests.process.hives.test_keys import restarts


@pytest.fixture
def reached(far, sshd):
    """A home that knows `eu1` over the server."""
    sshd.serve_home("eu1", far.home("eu1"))
    Path(far.om.home, "config.toml").write_text('[hives.eu1]\nssh = "eu1"\n')
    return far


def test_a_restart_is_done_once_wherever_link_and_supervisor_are_lost(reached, sshd):
    there = reached.home("eu1")
    mission = there.mission("exec sleep 300")
    done = 0
    for number in range(8):
        asking = reached.om.popen("restart", f"eu1/{mission}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            asking.wait(0.05 + 0.04 * number)
        if number % 2:
            old = there.supervisor_pid()
            os.kill(old, signal.SIGKILL)
            await_another(there, old)
        else:
            sshd.cut()
        out, said = asking.communicate(timeout=60)
        there.wait_status(mission, "running")
        now = restarts(there, mission)
        assert now - done == 1 if asking.returncode == 0 else now - done <= 1, (out, said)
        done = now


def test_a_message_is_delivered_once_wherever_link_and_supervisor_are_lost(reached, sshd):
    there = reached.home("eu1")
    session = there.mission("exec cat", "--type", "session", "--name", "reader")
    succeeded = 0
    for number in range(6):
        asking = reached.om.popen("send", f"eu1/{session}", f"message-{number}-")
        with contextlib.suppress(subprocess.TimeoutExpired):
            asking.wait(0.05 + 0.05 * number)
        if number % 2:
            old = there.supervisor_pid()
            os.kill(old, signal.SIGKILL)
            await_another(there, old)
        else:
            sshd.cut()
        out, said = asking.communicate(timeout=60)
        sent = [one for one in there.api("messages", id=session) if f"message-{number}-" in str(one)]
        assert len(sent) == 1 if asking.returncode == 0 else len(sent) <= 1, (out, said)
        succeeded += asking.returncode == 0
    assert succeeded, "it was lost each time before anything was sent"
