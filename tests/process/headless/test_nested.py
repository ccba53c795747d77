"""A headless run inside a mission: a part of it, with missions of its own that end with it."""

from __future__ import annotations

import shlex

import pytest

from tests.kit.overmind import PROGRAM
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

KILLED_WITHIN = 8.0
"""Seconds: two until the inner keeper strikes, the rest for a busy machine."""
AS_ROOT = "exec {}"
BELOW_A_SHELL = "true; {}; echo after"
IN_A_SESSION = "setsid -w {}; echo after"


@pytest.fixture
def nested(headless, lock):
    """Start a mission that runs a stubborn or patient thing headless; return its id once that runs."""

    def start(shape, script="echo on; sleep @"):
        inner = shlex.join([*PROGRAM, "--headless", "run", "--name", "inner", lock.wrap(script)])
        mission = headless.overmind.mission(shape.format(inner), "--env", f"TMPDIR={headless.folder}")
        eventually(lambda: "on" in headless.overmind.logs(mission).splitlines(), what="the inner mission runs")
        return mission

    return start


@pytest.mark.parametrize("shape", [AS_ROOT, BELOW_A_SHELL, IN_A_SESSION])
def test_a_stop_of_the_mission_ends_the_inner_run_gracefully(headless, lock, nested, shape):
    mission = nested(shape, "trap 'echo bye; exit' TERM; echo on; sleep @ & wait")
    headless.overmind.ok("stop", mission)
    assert not lock.held()
    headless.gone()
    assert "bye" in headless.overmind.logs(mission)


@pytest.mark.parametrize("shape", [AS_ROOT, BELOW_A_SHELL, IN_A_SESSION])
def test_a_kill_of_the_mission_ends_the_inner_run_within_seconds(headless, lock, nested, shape):
    mission = nested(shape, "setsid sleep @ & env -i sleep @ & echo on; sleep @")
    headless.overmind.ok("kill", mission)
    eventually(lambda: not lock.held() and not headless.living(), KILLED_WITHIN)


def test_the_inner_run_has_its_own_home_and_no_parent(headless):
    inner = shlex.join([*PROGRAM, "--headless", "run", "--name", "inner", "env; overmind ps --json"])
    outer = headless.overmind.finished(
        f"echo outer $OVERMIND_MISSION_ID; {inner}", "--env", f"TMPDIR={headless.folder}"
    )
    shown = headless.overmind.logs(outer["id"])
    assert outer["exit_code"] == 0
    assert f"outer {outer['id']}" in shown
    assert f"OVERMIND_HOME={headless.folder}/" in shown
    assert '"name":"inner"' in shown
    assert '"parent":null' in shown
    assert "OVERMIND_PARENT_ID" not in shown
    assert [row["id"] for row in headless.overmind.ps()] == [outer["id"]]


def test_the_inner_exit_code_is_the_missions(headless):
    inner = shlex.join([*PROGRAM, "--headless", "run", "exit 42"])
    assert headless.overmind.finished(inner, "--env", f"TMPDIR={headless.folder}")["exit_code"] == 42


def test_headless_in_headless_ends_with_the_outer_ones_kill_minus_nine(headless, lock):
    inner = shlex.join([*PROGRAM, "--headless", "run", lock.wrap("echo on; sleep @")])
    run = headless.popen("run", f"true; {inner}")
    assert run.stdout.readline() == "on\n"
    run.kill()
    eventually(lambda: not lock.held() and not headless.living(), KILLED_WITHIN)


@pytest.mark.own_home
def test_the_end_of_an_inner_run_leaves_the_outer_daemon_alone(headless):
    headless.overmind.ok("start")
    pid = headless.overmind.supervisor_pid()
    other = headless.overmind.mission("sleep 60")
    inner = shlex.join([*PROGRAM, "--headless", "run", "sleep 60 & echo on"])
    headless.overmind.finished(inner, "--env", f"TMPDIR={headless.folder}")
    assert headless.overmind.supervisor_pid() == pid
    assert headless.overmind.info(other)["status"] == "running"
