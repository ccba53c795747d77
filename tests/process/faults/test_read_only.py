"""Folders that can't be written any more, and a runtime folder that somebody else has taken."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile

import pytest

from overmind_core.system.run_mark import mark_of, unmarked_limit
from tests.kit import processes
from tests.kit.killing import without_waiting
from tests.kit.overmind import PROGRAM
from tests.kit.waiting import eventually

pytestmark = [
    pytest.mark.linux,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts, and modes don't hold root back"),
]
RUNTIME = f"/tmp/overmind-{os.geteuid()}"


@contextlib.contextmanager
def read_only(path):
    """A bind mount over `path` that can't be written; it can be made writable inside of the block by what it yields."""
    finished = subprocess.run(["mount", "--bind", path, path], capture_output=True, text=True)
    if finished.returncode:
        pytest.skip(f"can't mount: {finished.stderr.strip()}")
    try:
        _remount(path, "ro")
        yield
    finally:
        _remount(path, "rw")
        subprocess.run(["umount", "-l", path], check=True)


def _remount(path, mode):
    subprocess.run(["mount", "-o", f"remount,bind,{mode}", path], check=True, capture_output=True)


def test_logs_that_can_not_be_written_hold_their_mission_back_until_they_can(om):
    om.finished("true")
    os.makedirs(om.path("logs"), exist_ok=True)
    with read_only(om.path("logs")):
        mission = om.mission("seq 1 100000; exit 3")
        ended = om.mission("seq 1 100000; sleep 600")
        for one in (mission, ended):
            await_reason(om, one, "log_error")
        om.ok("kill", ended)
        assert om.info(mission)["status"] == "running"
        _remount(om.path("logs"), "rw")
        assert om.wait_status(mission, "crashed")["exit_code"] == 3
    assert om.logs(mission) == "".join(f"{number}\n" for number in range(1, 100_001))


def test_a_home_that_becomes_read_only_ends_in_errors_and_kill_works_still(om):
    mission, other = om.mission("sleep 600"), om.mission("sleep 600")
    pid = om.pid(other)
    with read_only(om.home):
        finished = om.run("true")
        if finished.returncode:  # SQLite's files are open already: only what is opened anew is refused for certain
            assert without_waiting(finished.stderr).startswith("Error: ")
        assert om.ok("kill", mission) == f"Killed mission {mission}\n"
        assert not processes.with_variable("OVERMIND_MISSION_ID", mission)
        assert om.info(other)["os_pid"] == pid
    assert om.finished("exit 4")["exit_code"] == 4
    assert om.info(mission)["status"] == "killed"


def test_a_runtime_folder_that_somebody_else_has_taken_costs_no_mission(om):
    """In /tmp anybody may make a folder of that name first; marks are leased in the account's own folder then."""
    if not os.path.isdir(RUNTIME):
        pytest.skip("this user's runtime folder is elsewhere")
    foreign, account = tempfile.mkdtemp(), os.path.expanduser("~root/.overmind-run")
    before = os.path.isdir(account)
    os.chown(foreign, 65534, 65534)
    taken = ["unshare", "--mount", "sh", "-c", f'mount --bind {foreign} {RUNTIME} && exec "$@"', "sh"]
    try:
        started = subprocess.run(
            [*taken, *PROGRAM, "start"], env=om.environment, cwd="/", capture_output=True, text=True, timeout=60
        )
        assert started.returncode == 0, started
        mission = om.mission("setsid sleep 600 & exec sleep 601")
        assert om.info(mission)["status"] == "running"
        assert mark_of(om.pid(mission)) < unmarked_limit()
        told = subprocess.run([*taken, *PROGRAM, "doctor"], env=om.environment, cwd="/", capture_output=True, text=True)
        assert f"{RUNTIME} belongs to user 65534" in told.stdout
        om.ok("kill", mission)
        assert not processes.with_variable("OVERMIND_MISSION_ID", mission)
    finally:
        shutil.rmtree(foreign)
        if not before:
            om.ok("shutdown", "-y")
            shutil.rmtree(account)


def await_reason(om, mission, reason):
    eventually(lambda: om.info(mission)["reason"] == reason, what=f"its reason is {reason}")
