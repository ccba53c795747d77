"""`start --foreground --ephemeral`: nothing that it has started outlives the daemon, nor the daemon its parent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import uuid

import pytest

from tests.kit import processes
from tests.kit.killing import answers
from tests.kit.overmind import PROGRAM
from tests.kit.waiting import eventually

WITHIN = 2.0
"""Seconds in which everything ends."""
EPHEMERAL = ("start", "--foreground", "--ephemeral")
TREE = "trap '' HUP TERM; setsid sleep 601.{0} & (setsid sleep 602.{0} &); sleep 603.{0}"


RUN_HERE = ("--headless", "--home", "{home}", "run", "true")


@pytest.fixture
def begun(om):
    """Start a tree of processes in the home; the pids of its programs."""

    def start():
        eventually(lambda: answers(om), what="it answers")
        unique = uuid.uuid4().int % 10**9
        om.mission(TREE.format(unique))
        return eventually(lambda: _complete(processes.programs_with_word(f".{unique}")), what="the whole tree")

    return start


def _complete(pids):
    return pids if len(pids) >= 4 else None


def all_gone(om, pids, within=WITHIN):
    """Wait until neither the tree nor a daemon or keeper is left."""
    eventually(lambda: not any(map(processes.alive, pids)), timeout=within, what="nothing of the tree is left")
    eventually(lambda: om.holder("keeper.lock") is None, what="the keeper has left")
    assert om.locked_by("supervisor.lock") is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_all_ends_with_an_ephemeral_daemon_however_that_ends(om, begun, number):
    daemon = om.popen(*EPHEMERAL)
    pids = begun()
    daemon.send_signal(number)
    daemon.wait(10)
    all_gone(om, pids)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_ephemeral_daemon_ends_with_its_parent(om, begun, number):
    shell = ["sh", "-c", '"$@" & wait', "sh", *PROGRAM, *EPHEMERAL]
    parent = subprocess.Popen(shell, env=om.environment, cwd=om.home, start_new_session=True)
    try:
        pids = [*begun(), om.supervisor_pid()]
        parent.send_signal(number)
        parent.wait(10)
        all_gone(om, pids)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)
        parent.wait()


def test_a_shutdown_of_an_ephemeral_daemon_stops_everything_first(om, begun):
    daemon = om.popen(*EPHEMERAL)
    pids = begun()
    assert om.refused("shutdown", "--keep", code="forbidden") == (
        "This daemon is ephemeral: nothing outlives it. Stop everything with: overmind shutdown\n"
    )
    om("kill", "--all", "--yes")
    om.ok("shutdown", "--yes")
    assert daemon.wait(10) == 0
    all_gone(om, pids)


def test_ephemeral_is_no_word_for_a_daemon_in_the_background(om):
    assert "--ephemeral needs --foreground" in om.refused("start", "--ephemeral", code="invalid", exit_code=2)


@pytest.mark.parametrize("command", [EPHEMERAL, RUN_HERE], ids=["ephemeral", "headless"])
def test_nothing_that_ends_all_begins_where_others_run_missions(om, command):
    words = [word.format(home=om.home) for word in command]
    om.mission("sleep 600")
    assert "is in use by a " in om.refused(*words, code="busy")
    om.ok("shutdown", "--keep")
    assert "is in use by a keeper" in om.refused(*words, code="busy")
    assert om.ps()[0]["status"] == "running"
