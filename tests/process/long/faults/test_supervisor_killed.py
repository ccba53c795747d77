"""The supervisor is killed again and again, or replaced, while twenty missions write: nobody may notice."""

from __future__ import annotations

import time

import psutil
import pytest

from overmind_core.keeper.failover import FIRST_DELAY
from tests.kit import torture
from tests.kit.fleet import Fleet
from tests.kit.killing import kill_supervisor
from tests.kit.standing_clients import StandingClients
from tests.process.faults.test_supervisor_killed import WRITERS

pytestmark = pytest.mark.torture
KILLS = torture.portion(10)
PROMISED = 2.0
"""Seconds within which another supervisor answers on a machine that has nothing else to do."""


def test_killed_ten_times_at_random_moments_nobody_notices(om, moments):
    om.ok("start")
    fleet = Fleet(om, count=WRITERS)
    standing = StandingClients(om, fleet)
    keeper = om.keeper_pid()
    worked = []
    for _ in range(KILLS):
        time.sleep(moments.random() / 2)  # the moment itself is the experiment
        kill_supervisor(om)
        worked.append(processor_seconds(om.supervisor_pid()))
        fleet.assert_runs_on()
    fleet.end()
    fleet.assert_unharmed()
    standing.assert_unnoticed()
    assert om.keeper_pid() == keeper
    assert FIRST_DELAY + min(worked) <= PROMISED, worked


def processor_seconds(pid):
    """How long a process has worked so far: on a machine that does nothing else, how long it took."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system
