"""The supervisor is killed again and again, or replaced, while twenty missions write: nobody may notice."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from overmind_core.keeper.failover import FIRST_DELAY
from tests.kit import torture
from tests.kit.fleet import Fleet
from tests.kit.killing import await_another, kill_supervisor
from tests.kit.standing_clients import StandingClients
from tests.kit.waiting import eventually

pytestmark = pytest.mark.torture
KILLS = torture.portion(10)
REPLACEMENTS = torture.portion(4)
WRITERS = 20 if torture.WHOLE else 8
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


def test_killed_while_it_starts_the_next_one_comes_all_the_same(om, moments):
    om.ok("start")
    fleet = Fleet(om, count=8)
    standing = StandingClients(om, fleet)
    for _ in range(2):
        old = om.supervisor_pid()
        os.kill(old, signal.SIGKILL)
        half_started = _next_supervisor(om, old)
        time.sleep(moments.random() / 3)
        os.kill(half_started, signal.SIGKILL)
        await_another(om, half_started)
        fleet.assert_runs_on()
    fleet.end()
    fleet.assert_unharmed()
    standing.assert_unnoticed()


@pytest.mark.parametrize("how", [("shutdown", "--keep"), ("start", "--replace")])
def test_replaced_nobody_notices(om, moments, how):
    om.ok("start")
    fleet = Fleet(om, count=WRITERS)
    standing = StandingClients(om, fleet)
    keeper = om.keeper_pid()
    for _ in range(REPLACEMENTS):
        time.sleep(moments.random() / 4)
        old = om.supervisor_pid()
        om.ok(*how)
        om.ok("start")
        assert om.supervisor_pid() != old
        fleet.assert_runs_on()
    fleet.end()
    fleet.assert_unharmed()
    standing.assert_unnoticed()
    assert om.keeper_pid() == keeper


def _next_supervisor(om, old):
    """The pid of the one that has taken the lock after `old`, whether it listens already or not."""

    def another():
        pid = om.holder("supervisor.lock")
        return pid if pid != old else None

    return eventually(another, timeout=20, what="the next one begins")
