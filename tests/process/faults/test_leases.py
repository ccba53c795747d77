"""A lease with real daemons: the supervisor is killed, the keeper ends the run alone, the next supervisor knows why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid

import pytest

from overmind_core.system.machine import boottime
from overmind_core.system.paths import Home
from tests.kit import processes
from tests.kit.keeper_client import KeeperClient
from tests.kit.killing import kill_supervisor
from tests.kit.overmind import REPOSITORY
from tests.kit.processes import alive
from tests.kit.waiting import eventually

SOON = 0.5
"""Seconds that a lease goes on."""
MARGIN = 2.0
"""Seconds behind its end at which another machine may begin."""
TREE = """
trap '' HUP TERM
setsid sleep 601.{unique} &
(setsid sh -c 'trap "" HUP TERM; sleep 602.{unique}; :' &)
env -i setsid sleep 603.{unique} &
echo begun
sleep 604.{unique}
"""


def of_tree(unique):
    """Pids of the programs of a tree, without those that are only named like them."""
    found = processes.programs_with_word(f".{unique}")
    return {pid for pid in found if _words(pid).startswith("sleep 60")}


def _words(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
            return file.read().replace("\0", " ")
    except OSError:
        return ""


def begun(om, *options):
    """A mission whose processes try to survive its end, once all of them are there."""
    unique = uuid.uuid4().int % 10**9
    mission = om.mission(TREE.format(unique=unique), *options)
    eventually(lambda: len(of_tree(unique)) == 4, what="the whole tree is there")
    return mission, unique


HOLDER = """
import asyncio, sys
from overmind_core.daemon.host import Host
from overmind_core.system.machine import boottime
from overmind_core.system.paths import Home

host = Host(Home(sys.argv[1]), daemon=None, kill_after=2.0, attended=True)
assert host.take()

def act():
    word, mission, seconds = sys.stdin.readline().split()
    leases, until = host._app.leases, boottime() + float(seconds)
    if word == "hold":
        leases.hold(mission, until)
    elif word == "renew":
        leases.renew({mission: until})
    else:
        leases.release([mission])
    print(until, flush=True)

async def serve():
    asyncio.get_running_loop().add_reader(0, act)
    await host.serve(lambda: print("ready", flush=True))

asyncio.run(serve())
"""


class Holder:
    """A supervisor in a process of its own, which gives leases when it is told to."""

    def __init__(self, om):
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", HOLDER, om.home],
            env=om.environment,
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def lease(self, word, mission, seconds=0.0):
        """Give, move or take off a lease that ends in so many seconds; return that moment."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word} {mission} {seconds}\n")
        self.process.stdin.flush()
        return float(self._answer())

    def _answer(self):
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self):
        """Kill it; its keeper ends what runs."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def holder(om):
    """The supervisor of the home."""
    started = Holder(om)
    yield started
    started.end()
    eventually(lambda: om.holder("keeper.lock") is None, what="its keeper has left")


def lease_without_supervisor(om, missions):
    """Kill the supervisor, give the missions a lease in its place, and leave without a word; return its end."""
    os.kill(om.supervisor_pid(), signal.SIGKILL)
    client = KeeperClient(Home(om.home), pid=os.getpid())
    until = boottime() + SOON
    client.ask("lease", runs={f"{mission}.1": until for mission in missions})
    client.close()
    return until


def test_the_keeper_ends_a_leased_tree_alone_and_the_next_supervisor_starts_nothing_of_it(om):
    mission, unique = begun(om, "--restart", "always")
    neighbour = om.mission("trap '' HUP; while :; do sleep 0.05; echo tick; done")
    pid = om.pid(neighbour)
    until = lease_without_supervisor(om, [mission])
    eventually(lambda: not of_tree(unique), what="no process of the tree is left")
    assert until <= boottime() < until + MARGIN
    om.ok("ps")  # the next supervisor
    info = om.wait_status(mission, "killed")
    assert (info["reason"], info["exit_code"], info["restart_count"], len(info["runs"])) == ("fenced", None, 0, 1)
    assert [event["cause"] for event in om.events("stopping", mission=mission)] == ["fenced"]
    beside = om.info(neighbour)
    assert (beside["status"], beside["os_pid"], beside["restart_count"]) == ("running", pid, 0)
    assert alive(pid)
    kill_supervisor(om)
    assert (om.info(mission)["status"], om.info(mission)["reason"]) == ("killed", "fenced")
    assert not of_tree(unique)


def test_a_supervisor_that_comes_back_in_time_keeps_the_lease_until_it_ends(om):
    mission, unique = begun(om)
    os.kill(om.supervisor_pid(), signal.SIGKILL)
    client = KeeperClient(Home(om.home), pid=os.getpid())
    until = boottime() + 8 * SOON
    client.ask("lease", runs={f"{mission}.1": until})
    client.close()
    assert om.info(mission)["status"] == "running"
    assert boottime() < until
    info = om.wait_status(mission, "killed")
    assert info["reason"] == "fenced"
    assert not of_tree(unique)
    assert until <= boottime()


def test_a_lease_that_is_renewed_ends_only_when_nobody_renews_it(om, holder):
    mission, unique = begun(om)
    first = holder.lease("hold", mission, 2 * SOON)
    last = first
    while boottime() < first + SOON:
        last = holder.lease("renew", mission, 2 * SOON)
        assert om.info(mission)["status"] == "running"
    info = om.wait_status(mission, "killed")
    assert info["reason"] == "fenced"
    assert last <= boottime() < last + MARGIN
    assert not of_tree(unique)


def test_a_lease_that_is_taken_off_ends_nothing(om, holder):
    leased, unique = begun(om)
    freed, others = begun(om)
    holder.lease("hold", freed, 2 * SOON)
    holder.lease("hold", leased, 2 * SOON)
    holder.lease("release", freed)
    om.wait_status(leased, "killed")
    assert om.info(freed)["status"] == "running"
    assert (len(of_tree(unique)), len(of_tree(others))) == (0, 4)


def test_the_supervisor_ends_what_a_keeper_that_stands_still_does_not(om, holder):
    mission, unique = begun(om)
    neighbour = om.mission("sleep 600")
    keeper = om.keeper_pid()
    until = holder.lease("hold", mission, 2 * SOON)
    om.info(mission)  # the keeper was told before the supervisor answers this
    os.kill(keeper, signal.SIGSTOP)
    try:
        eventually(lambda: not of_tree(unique), what="no process of the tree is left")
        assert until <= boottime() < until + MARGIN
    finally:
        os.kill(keeper, signal.SIGCONT)
    info = om.wait_status(mission, "killed")
    assert (info["reason"], info["exit_code"]) == ("fenced", None)
    assert om.info(neighbour)["status"] == "running"
