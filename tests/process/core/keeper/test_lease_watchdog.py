"""The watchdog of leases: leased runs end with a keeper that is killed or stands still; nothing else does."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time

import pytest

from overmind_core.system.machine import boottime
from tests.kit.keeper_client import KeeperProcess
from tests.kit.processes import MARKER, alive, programs_with_word, with_word
from tests.kit.waiting import eventually
from tests.process.core.keeper.test_leases import FAR, LATE, OTHER, RUN, SHED, SOON, TREE

pytestmark = pytest.mark.linux

STUBBORN = "trap '' HUP TERM INT; echo ready; while :; do sleep 1000; done"


@pytest.fixture
def word():
    """Digits that nothing else has in its command line."""
    return str(int.from_bytes(os.urandom(5), "big"))


@pytest.fixture
def env(keeper, word):
    """The environment that a supervisor gives to a run."""

    def of(run, **more):
        fixed = {"PATH": os.environ["PATH"], "HOME": "/tmp", "LC_ALL": "C", "OVERMIND_HOME": keeper.home.root}
        return {**fixed, "OVERMIND_MISSION_ID": run.partition(".")[0], "WORD": word, **more}

    return of


@pytest.fixture
def tree(tmp_path, word, env):
    """Spawn a run with a whole tree, and wait until all of it is there."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)

    def spawn(client, run=RUN, **fields):
        client.spawn(run, TREE, env=env(run, GATE=str(gate)), **fields)
        eventually(lambda: len(with_word(f"00.{word}")) >= 4, what="the whole tree")
        gate.write_text("go\n", encoding="ascii")
        client.grown(run, lambda log: b"ready" in log)

    return spawn


def stubborn(client, run, **fields):
    """Spawn a run that outlives its terminal; return its pid."""
    pid = client.spawn(run, STUBBORN, **fields)["pid"]
    client.grown(run, lambda log: b"ready" in log)
    return pid


def gone(word):
    return not with_word(f"00.{word}")


def watchdogs(keeper):
    """The pids of the keeper's children that are copies of it."""
    with open(f"/proc/{keeper.process.pid}/task/{keeper.process.pid}/children", encoding="ascii") as file:
        children = map(int, file.read().split())
    return [pid for pid in children if command(pid) == command(keeper.process.pid)]


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def state(pid):
    """The letter of a process' state; Z for one that is gone, too."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2][:1].decode()
    except OSError:
        return "Z"


def end(*pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_a_killed_keeper_takes_what_it_has_leased_with_it_and_nothing_else(keeper, client, tree, word, env):
    waits = stubborn(client, OTHER, env=env(OTHER))
    tree(client, lease=boottime() + FAR)
    (watchdog,) = watchdogs(keeper)
    keeper.process.send_signal(signal.SIGKILL)
    eventually(lambda: gone(word), what="nothing of the tree is left")
    eventually(lambda: not alive(watchdog), what="the watchdog has left")
    assert alive(waits)
    end(waits)


def test_runs_end_at_their_deadline_while_the_keeper_stands_still_and_it_finds_them_fenced(keeper, client, tree, word):
    until = boottime() + 4 * SOON
    tree(client, lease=until)
    far = client.spawn(OTHER, "sleep 1000", lease=boottime() + FAR)["pid"]
    keeper.process.send_signal(signal.SIGSTOP)
    assert boottime() < until, "the machine was too slow for this test"
    eventually(lambda: all(state(pid) == "Z" for pid in with_word(f"00.{word}")), what="nothing of the tree lives")
    assert until <= boottime() < until + LATE
    assert alive(far)
    keeper.process.send_signal(signal.SIGCONT)
    assert client.notice("exit", RUN)["fenced"] is True
    eventually(lambda: gone(word), what="the keeper has reaped them")
    assert client.row(OTHER)["exit"] is None


def test_a_keeper_that_stood_still_for_less_than_the_lease_has_lost_nothing(keeper, client):
    until = boottime() + FAR
    client.spawn(RUN, "read x; echo heard $x", lease=until, stdin="tty")
    keeper.process.send_signal(signal.SIGSTOP)
    time.sleep(SOON)
    keeper.process.send_signal(signal.SIGCONT)
    client.ask("write", run=RUN, seq=1, data="eW91Cg==")
    assert client.notice("exit", RUN)["code"] == 0


def test_a_watchdog_that_was_killed_is_replaced_and_knows_all_leases(keeper, client, tree, word):
    tree(client, lease=boottime() + FAR)
    (first,) = watchdogs(keeper)
    end(first)
    eventually(lambda: set(watchdogs(keeper)) - {first}, what="another one")
    keeper.process.send_signal(signal.SIGKILL)
    eventually(lambda: gone(word), what="nothing of the tree is left")


DIES = """
import os, signal, sys
from overmind_core.keeper.lease_watchdog import LeaseWatchdog
from overmind_core.keeper.loop import Loop
from overmind_core.system.paths import Home

fork = os.fork
def dies():
    return fork() and os.kill(os.getpid(), signal.SIGKILL)
os.fork = dies
LeaseWatchdog(Loop(), Home(sys.argv[1]), registered={}).tell("aaaaaaaa.1", "aaaaaaaa", 0, float("inf"))
"""


def test_a_keeper_that_is_killed_as_it_forks_its_watchdog_takes_what_it_has_leased_with_it(tmp_path, marker):
    environ = {**os.environ, MARKER: marker}
    ours = {**environ, "OVERMIND_HOME": os.path.realpath(tmp_path), "OVERMIND_MISSION_ID": "aaaaaaaa"}
    with subprocess.Popen(["sleep", "1000"], env=ours) as leased:
        try:
            died = subprocess.run([sys.executable, "-c", DIES, str(tmp_path)], env=environ, check=False)
            assert died.returncode == -signal.SIGKILL
            assert leased.wait(10) == -signal.SIGKILL
        finally:
            leased.kill()


def test_a_watchdog_that_stood_still_learns_first_what_was_told_meanwhile(keeper, client):
    pid = client.spawn(RUN, "sleep 1000", lease=boottime() + SOON)["pid"]
    (watchdog,) = watchdogs(keeper)
    os.kill(watchdog, signal.SIGSTOP)
    client.ask("lease", runs={RUN: boottime() + FAR})
    client.run(OTHER, f"sleep {4 * SOON}")
    os.kill(watchdog, signal.SIGCONT)
    client.run("cccccccc.1", f"sleep {4 * SOON}")
    assert alive(pid)


def test_a_lease_that_was_taken_off_is_none_to_the_watchdog(keeper, client, env):
    pid = stubborn(client, RUN, env=env(RUN), lease=boottime() + FAR)
    (watchdog,) = watchdogs(keeper)
    client.ask("lease", runs={RUN: None})
    keeper.process.send_signal(signal.SIGKILL)
    eventually(lambda: not alive(watchdog), what="the watchdog has left")
    assert alive(pid)
    end(pid)


def test_a_run_of_the_same_mission_under_the_next_keeper_goes_on(keeper, client, tree, word, env, marker):
    tree(client, lease=boottime() + FAR)
    (watchdog,) = watchdogs(keeper)
    os.kill(watchdog, signal.SIGSTOP)
    keeper.process.send_signal(signal.SIGKILL)
    keeper.process.wait()
    following = KeeperProcess(keeper.home.root, marker=marker)
    try:
        next_run = RUN.replace(".1", ".2")
        pid = following.client().spawn(next_run, "sleep 1000", env=env(next_run))["pid"]
        os.kill(watchdog, signal.SIGCONT)
        eventually(lambda: gone(word), what="nothing of the tree is left")
        eventually(lambda: not alive(watchdog), what="the watchdog has left")
        assert alive(pid)
    finally:
        following.end()


def test_runs_of_a_mission_with_the_same_id_in_another_home_go_on(start_keeper, keeper, client, tree, word, env):
    tree(client, lease=boottime() + FAR)
    neighbour = start_keeper()
    pid = neighbour.client().spawn(RUN, "sleep 1000", env=env(RUN, OVERMIND_HOME=neighbour.home.root))["pid"]
    keeper.process.send_signal(signal.SIGKILL)
    eventually(lambda: gone(word), what="nothing of the tree is left")
    assert alive(pid)


@pytest.mark.parametrize("kin", ["orphan", "child"])
@pytest.mark.parametrize("mark", [0, 5000])
def test_a_process_that_has_taken_off_its_mark_ends_too(keeper, client, word, env, kin, mark):
    """An orphan by what its environment says, a child whatever that says."""
    program = f"{shlex.quote(sys.executable)} -c {shlex.quote(SHED % (mark, kin, kin))}"
    client.spawn(RUN, f"{program} & read x", env=env(RUN), stdin="tty")
    client.spawn(OTHER, "setsid sleep 1000.0$WORD & read x", env=env(OTHER), stdin="tty")
    (shed,) = eventually(lambda: programs_with_word(f"sleep 1000.{word}"), what="it is there")
    (spared,) = eventually(lambda: programs_with_word(f"sleep 1000.0{word}"), what="the neighbour's")
    client.ask("lease", runs={RUN: boottime() + SOON})
    keeper.process.send_signal(signal.SIGSTOP)
    eventually(lambda: state(shed) == "Z", what="it is dead")
    assert state(spared) != "Z"
    keeper.process.send_signal(signal.SIGCONT)


def test_where_all_ends_with_the_supervisor_it_ends_with_a_killed_keeper_too(keeper, tree, word):
    """As in headless mode."""
    tree(keeper.client(kill_after=1.0))
    keeper.process.send_signal(signal.SIGKILL)
    eventually(lambda: gone(word), what="nothing of the tree is left")


def test_a_keeper_without_leases_has_no_watchdog_and_one_that_leaves_takes_it_along(start_keeper):
    keeper = start_keeper(linger=0.1)
    client = keeper.client()
    client.run(OTHER, "true")
    assert watchdogs(keeper) == []
    client.run(RUN, "true", lease=boottime() + FAR)
    (watchdog,) = watchdogs(keeper)
    client.ask("ack", runs=[RUN, OTHER])
    client.close()
    assert keeper.wait() == 0
    eventually(lambda: not alive(watchdog), what="the watchdog has left")
