"""Supervisor and keeper are killed in any order, alone and together: nothing runs twice, and nothing is forgotten."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest

from tests.kit import processes, torture
from tests.kit.killing import PATIENCE, kill_both
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.torture, pytest.mark.linux]
ACTIONS = torture.portion(10)
ALONE = 'flock -n {lock} sh -c "echo begun; while :; do sleep 600; done" || echo twice >>{twice}'
"""A mission that holds a lock for as long as any process of it lives, and tells when somebody else has it."""
POLICY = ("--restart", "always", "--max-restarts", "0", "--backoff", "10ms", "--grace", "100ms")


def test_nothing_runs_twice_and_nothing_is_forgotten(om, moments):
    twice = om.path("twice")
    guarded = [om.mission(ALONE.format(lock=om.path(f"lock{number}"), twice=twice), *POLICY) for number in range(5)]
    plain = [om.mission("sleep 600") for _ in range(3)]
    finished = {om.finished(f"exit {code}")["id"]: code for code in (0, 5)}
    keepers, first = 0, om.keeper_pid()
    for _ in range(ACTIONS):
        time.sleep(moments.random() / 3)
        action = moments.choice([kill_supervisor_now, kill_keeper_now, kill_both_and_start, replace])
        keepers += action in {kill_keeper_now, kill_both_and_start}
        action(om)
    om.ok("start")  # the last two kills may have left nobody who could
    for mission in guarded:
        assert running(om, mission)["restart_count"] <= keepers
    eventually(lambda: [len(processes.with_word(om.path(f"lock{number}"))) for number in range(5)] == [2] * 5)
    eventually(lambda: om.api("status")["keeper"], what="the keeper is held by the supervisor")
    lost = om.keeper_pid() != first  # a kill that comes between two keepers hits none
    assert keepers or not lost, "no keeper dies by itself"
    assert not os.path.exists(twice), "a mission had two processes at once"
    for mission in plain:
        info = om.wait_status(mission, "crashed" if lost else "running")
        assert (info["status"], info["reason"]) in ([("running", None)] if not lost else [("crashed", "keeper_lost")])
        assert len(info["runs"]) == 1
    for mission, code in finished.items():
        assert om.info(mission)["exit_code"] == code
    assert len(om.ps("--all")) == len(guarded) + len(plain) + len(finished)


def running(om, mission):
    """What is known of the mission once it has a process that lives; a dead keeper takes a moment to be noticed."""

    def info():
        found = om.info(mission)
        return found if found["os_pid"] and processes.alive(found["os_pid"]) else None

    return eventually(info, timeout=PATIENCE, what="it runs")


def kill_supervisor_now(om):
    """And go on at once: the next action may hit the next one while it starts."""
    with contextlib.suppress(ProcessLookupError, AssertionError):
        os.kill(om.supervisor_pid(), signal.SIGKILL)


def kill_keeper_now(om):
    with contextlib.suppress(ProcessLookupError, AssertionError):
        os.kill(om.keeper_pid(), signal.SIGKILL)


def kill_both_and_start(om):
    with contextlib.suppress(ProcessLookupError, AssertionError):
        kill_both(om)
    om.ok("start")


def replace(om):
    om.ok("start", "--replace")
