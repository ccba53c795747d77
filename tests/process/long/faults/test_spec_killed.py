"""Specs while supervisors are killed and disks are full: each document is made once, each task becomes one quest."""

from __future__ import annotations

import contextlib
import time

import pytest

from tests.kit import torture
from tests.kit.killing import kill
from tests.kit.specs import SpecWorld, done
from tests.kit.waiting import eventually
from tests.process.faults.test_spec_killed import MERGES, ONCE

pytestmark = [pytest.mark.torture, pytest.mark.own_home]


@pytest.fixture
def world(om):
    return SpecWorld(om)


def test_nothing_of_a_spec_runs_twice_however_often_the_daemon_is_killed(om, world, moments):
    """Kill table: at random points of a whole spec."""
    world.write(tasks={"TSK-001": done("TSK-001")})
    world.new("Carts", "--gates", "none", "--allow", "Bash(true)")
    world.run()
    for _ in range(torture.portion(20)):
        time.sleep(moments.random() * 0.3)  # the moment itself is the experiment
        with contextlib.suppress(ProcessLookupError):
            if (pid := om.holder("supervisor.lock")) is not None:
                kill(pid)
        om.ok("start")
    world.until("done")
    assert world.attempts() == [*ONCE, "TSK-001 1", "TSK-002 1"]
    assert world.repository.git("log", "--format=%s", "--merges", "main").splitlines() == MERGES
    eventually(lambda: "\n" not in world.repository.git("worktree", "list"), what="no worktree is left")
    assert om.api("inbox") == []
