"""The supervisor is killed again and again, or replaced, while twenty missions write: nobody may notice."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.kit import torture
from tests.kit.fleet import Fleet
from tests.kit.killing import await_another
from tests.kit.standing_clients import StandingClients
from tests.kit.waiting import eventually

pytestmark = pytest.mark.torture
REPLACEMENTS = torture.portion(4)
WRITERS = 20 if torture.WHOLE else 8


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
