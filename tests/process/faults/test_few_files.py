"""The limit of open files is reached, in the keeper by runs and in the supervisor by clients."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess

import pytest

from overmind_core.kernel.api_server import LEAST_FILES
from tests.kit.killing import without_waiting
from tests.kit.overmind import PROGRAM
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

FEW = 96


def start_with(om, files):
    """Start a daemon that may open so many files, and can't get more."""
    command = ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh", *PROGRAM, "start"]
    return subprocess.run(command, env=om.environment, cwd="/", capture_output=True, text=True, timeout=60)


def test_a_daemon_that_could_answer_nobody_says_so_and_does_not_begin(om):
    for files in (20, 64, LEAST_FILES - 1):
        finished = start_with(om, files)
        assert (finished.returncode, finished.stdout) == (1, "")
        assert without_waiting(finished.stderr).startswith(
            f"Error: forbidden: The limit of open files is {files}, and a daemon needs"
        )
        assert "ulimit -n 1024" in finished.stderr
    assert start_with(om, LEAST_FILES).returncode == 0
    assert om.ok("ps", "-q") == ""


@pytest.fixture
def poor(om):
    """A home whose daemon and keeper may open few files, and can't get more."""
    assert start_with(om, FEW).returncode == 0
    for pid in (om.supervisor_pid(), om.keeper_pid()):
        assert resource.prlimit(pid, resource.RLIMIT_NOFILE) == (FEW, FEW)
    return om


def test_missions_beyond_the_limit_are_refused_and_the_others_run_on(poor):
    missions = []
    while True:
        finished = poor.run("echo here; exec sleep 600")
        if finished.returncode:
            break
        missions.append(finished.stdout.split()[2])
        assert len(missions) < FEW
    assert without_waiting(finished.stderr).startswith("Error: busy: ")
    assert "open files" in finished.stderr
    assert len(missions) >= 5
    assert sorted(row["id"] for row in poor.ps("--all")) == sorted(missions), "the refused one was recorded"
    for mission in missions:
        await_log(poor, mission, "here\n")
        assert poor.info(mission)["status"] == "running"
    poor.ok("kill", missions[0])
    assert poor.finished("echo room again; exit 4")["exit_code"] == 4


def test_more_clients_than_files_hurt_nobody_for_long(poor):
    mission = poor.mission("echo here; exec sleep 600")
    with RawSocket.connect(poor.home) as early, contextlib.ExitStack() as crowd:
        early.ok("hello")
        for _ in range(2 * FEW):
            crowd.enter_context(RawSocket.connect(poor.home))
        assert early.ok("info", id=mission)["status"] == "running"
        early.send("kill", id=mission)
        killed = early.read_line(timeout=30)
        assert killed == {"ok": {"killed": [{"id": mission, "name": killed["ok"]["killed"][0]["name"]}], "hidden": []}}
    eventually(lambda: poor("ps").returncode == 0, timeout=20, what="everybody is answered again")
    assert poor.finished("exit 4")["exit_code"] == 4
    assert os.path.exists(poor.path("overmind.sock"))


def await_log(om, mission, text):
    eventually(lambda: om.logs(mission) == text, what="its output is in the log")
