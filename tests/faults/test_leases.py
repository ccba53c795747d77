"""A lease with real daemons: the supervisor is killed, the keeper ends the run alone, the next supervisor knows why."""

from __future__ import annotations

import os
import signal
import uuid

from overmind_core.system.machine import boottime
from overmind_core.system.paths import Home
from tests.kit import processes
from tests.kit.keeper_client import KeeperClient
from tests.kit.killing import kill_supervisor
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
