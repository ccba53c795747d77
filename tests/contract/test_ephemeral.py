"""`start --foreground --ephemeral`: nothing that it has started outlives the daemon, nor the daemon its parent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import uuid

import pytest

from overmind_core.kernel.keeper_client import CurrentKeeper
from tests.kit import processes
from tests.kit.killing import answers
from tests.kit.overmind import PROGRAM, REPOSITORY
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
    assert om.holder("supervisor.lock") is None


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


def test_people_see_to_what_an_ephemeral_daemon_runs():
    """A headless run denies what it can't ask; this one asks."""
    line = CurrentKeeper(headless=False, ends_all=True)
    assert (line.headless, line.ends_all) == (False, True)
    assert CurrentKeeper(headless=True).ends_all is True
    assert CurrentKeeper(headless=False).ends_all is False


WATCH = """
import asyncio, os, sys
from overmind_core.daemon.parent import ParentWatch
if sys.argv[1] == "look" and hasattr(os, "pidfd_open"):
    del os.pidfd_open
async def watch():
    over = asyncio.get_running_loop().create_future()
    ParentWatch(asyncio.get_running_loop(), int(sys.argv[2]) or os.getppid(), lambda: over.set_result(None)).start()
    print("watches", flush=True)
    await asyncio.wait_for(over, 20)
    print("ended", flush=True)
asyncio.run(watch())
"""


@pytest.mark.parametrize("way", ["system", "look"])
def test_the_end_of_a_parent_is_seen_with_and_without_the_system(way):
    shell = ["sh", "-c", '"$@" & read x', "sh", sys.executable, "-c", WATCH, way, "0"]
    parent = subprocess.Popen(shell, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "watches\n"
    parent.kill()
    parent.wait()
    assert parent.stdout.readline() == "ended\n"
    assert parent.stdin is not None
    parent.stdin.close()
    parent.stdout.close()


def test_a_process_that_is_not_the_parent_any_more_is_a_dead_parent():
    found = subprocess.run(
        [sys.executable, "-c", WATCH, "system", "1"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert found.stdout == "watches\nended\n"
