"""Leases: at its deadline a run ends with everything that it has started, by the keeper alone; nothing else does."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys

import pytest

from overmind_core.system.machine import boottime
from overmind_core.system.paths import Home
from tests.kit.keeper_client import KeeperClient, Refusal, read_log
from tests.kit.overmind import REPOSITORY
from tests.kit.processes import alive, programs_with_word, with_word
from tests.kit.waiting import eventually

RUN = "a1b2c3d4.1"
OTHER = "bbbbbbbb.1"
SOON = 0.5
"""Seconds that a lease goes on."""
FAR = 1000.0
LATE = 1.5
"""Seconds behind its deadline within which a tree must be gone: another hive waits for two."""
TREE = """
trap '' HUP TERM INT
sleep 1000.$WORD & echo plain $!
setsid sleep 2000.$WORD & echo setsid $!
(setsid sh -c 'trap "" HUP TERM; sleep 3000.$WORD & echo forked $!; wait' &)
(env -u OVERMIND_MISSION_ID setsid sleep 4000.$WORD &)
until [ "$ready" ]; do read ready < "$GATE"; done
echo ready
while :; do wait; done
"""
"""A tree of processes: its own group, a session of its own, and two whose parents have ended."""


def mission_env(run, **more):
    """The environment that a supervisor gives to a run."""
    fixed = {"PATH": os.environ["PATH"], "HOME": "/tmp", "LC_ALL": "C"}
    return {**fixed, "OVERMIND_MISSION_ID": run.partition(".")[0], **more}


@pytest.fixture
def word():
    """Digits that nothing else has in its command line."""
    return str(int.from_bytes(os.urandom(5), "big"))


@pytest.fixture
def tree(tmp_path, word):
    """Spawn a run with a whole tree, and wait until all of it is there."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)

    def spawn(client, run=RUN, **fields):
        client.spawn(run, TREE, env=mission_env(run, WORD=word, GATE=str(gate)), **fields)
        eventually(lambda: len(with_word(f"00.{word}")) >= 4, what="the whole tree")
        gate.write_text("go\n", encoding="ascii")
        client.grown(run, lambda log: b"ready" in log)

    return spawn


@pytest.fixture
def leave(word):
    """Spawn a run, have its root leave a process behind, and take the notice of its exit."""

    def run(client, lease):
        command = f"trap '' HUP; setsid sleep 1000.{word} & read x"
        client.spawn(RUN, command, lease=lease, env=mission_env(RUN), stdin="tty")
        eventually(lambda: programs_with_word(f"sleep 1000.{word}"), what="it has a session of its own")
        client.ask("write", run=RUN, seq=1, data="Cg==")
        client.notice("exit", RUN)
        assert client.row(RUN)["exit"]["left"] is True

    return run


def gone(word):
    return not with_word(f"00.{word}")


def test_at_its_deadline_a_run_ends_with_its_whole_tree_and_its_neighbour_misses_nothing(keeper, client, tree, word):
    neighbour = client.spawn(OTHER, "read x; echo heard $x; exit 3", stdin="tty")["pid"]
    tree(client)
    until = boottime() + SOON
    assert client.ask("lease", runs={RUN: until}) == {"runs": [{"run": RUN, "lease": until, "fenced": False}]}
    client.notice("fenced", RUN)
    assert boottime() >= until, "too early"
    assert client.notice("exit", RUN)["fenced"] is True
    eventually(lambda: gone(word), what="nothing of the tree is left")
    assert boottime() < until + LATE
    assert (client.row(RUN)["fenced"], client.row(RUN)["lease"], client.row(RUN)["exit"]["code"]) == (True, None, -9)
    assert alive(neighbour)
    client.ask("write", run=OTHER, seq=1, data="eW91Cg==")
    exit_notice = client.notice("exit", OTHER)
    assert exit_notice["code"] == 3
    assert "fenced" not in exit_notice
    assert b"heard you" in read_log(keeper.home, OTHER)


SUPERVISOR = """
import os, signal, sys
from overmind_core.system.machine import boottime
from overmind_core.system.paths import Home
from tests.kit.keeper_client import KeeperClient
until = boottime() + float(sys.argv[3])
client = KeeperClient(Home(sys.argv[1]))
client.ask("lease", runs={sys.argv[2]: until})
print(until, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_keeper_ends_it_alone_when_its_supervisor_was_killed(keeper, tree, word):
    first = keeper.client()
    other = first.spawn(OTHER, "sleep 1000")["pid"]
    tree(first)
    supervisor = subprocess.run(
        [sys.executable, "-c", SUPERVISOR, keeper.home.root, RUN, str(SOON)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
    )
    assert supervisor.returncode == -signal.SIGKILL, supervisor.stderr
    until = float(supervisor.stdout)
    eventually(lambda: gone(word), what="nothing of the tree is left")
    assert until <= boottime() < until + LATE
    assert alive(other)
    late = keeper.client()
    assert late.hello["leases"] == {}
    assert (late.row(RUN)["fenced"], late.row(RUN)["exit"]["code"]) == (True, -9)
    assert (late.row(OTHER)["fenced"], late.row(OTHER)["exit"]) == (False, None)


def test_a_new_supervisor_learns_which_runs_are_leased_and_until_when(keeper, client):
    until = boottime() + FAR
    client.spawn(RUN, "sleep 1000", lease=until)
    client.spawn(OTHER, "sleep 1000")
    newer = keeper.client()
    assert newer.hello["leases"] == {RUN: until}
    assert (newer.row(RUN)["lease"], newer.row(OTHER)["lease"]) == (until, None)


def test_a_lease_that_was_given_at_the_spawn_ends_the_run(client):
    until = boottime() + SOON
    client.spawn(RUN, "sleep 1000", lease=until)
    assert client.notice("exit", RUN)["fenced"] is True
    assert boottime() >= until


def test_a_run_whose_lease_has_ended_is_never_started(keeper, client, tmp_path):
    with pytest.raises(Refusal) as refusal:
        client.spawn(RUN, f"touch {tmp_path}/started", lease=boottime() - 0.001)
    assert refusal.value.code == "fenced"
    assert client.ask("list")["runs"] == []
    client.run(OTHER, "true")
    assert not (tmp_path / "started").exists()


def test_a_lease_moves_later_earlier_and_off(client):
    names = (RUN, OTHER, "cccccccc.1")
    runs = {name: client.spawn(name, "sleep 1000", lease=boottime() + SOON)["pid"] for name in names}
    client.ask("lease", runs={RUN: boottime() + FAR, OTHER: None})
    client.notice("exit", "cccccccc.1", fenced=True)
    assert alive(runs[RUN])
    assert alive(runs[OTHER])
    client.ask("lease", runs={RUN: boottime()})
    client.notice("exit", RUN, fenced=True)
    assert client.row(OTHER)["lease"] is None
    assert alive(runs[OTHER])


def test_a_run_that_was_fenced_stays_so(client):
    client.spawn(RUN, "sleep 1000", lease=boottime() + 0.05)
    client.notice("exit", RUN)
    answer = client.ask("lease", runs={RUN: boottime() + FAR, "dddddddd.1": 1.0})
    assert answer == {"runs": [{"run": RUN, "lease": None, "fenced": True}]}


def test_an_end_that_came_before_the_deadline_is_what_it_was(client):
    client.spawn(RUN, "exit 4", lease=boottime() + SOON)
    exit_notice = client.notice("exit", RUN)
    assert exit_notice["code"] == 4
    assert "fenced" not in exit_notice
    client.run(OTHER, "sleep 0.8", lease=boottime() + FAR)
    assert (client.row(RUN)["fenced"], client.row(RUN)["lease"]) == (False, None)


def test_what_a_run_has_left_behind_ends_with_its_lease(keeper, client, leave, word):
    leave(client, boottime() + 2 * SOON)
    client.notice("fenced", RUN)
    eventually(lambda: gone(word))
    assert client.row(RUN)["fenced"] is True
    with open(keeper.home.exits, encoding="utf-8") as file:
        assert '"fenced":true' in file.readlines()[-1]


def test_a_released_run_has_no_lease(client, leave, word):
    until = boottime() + FAR
    leave(client, until)
    assert client.row(RUN)["lease"] == until
    client.ask("release", run=RUN)
    assert client.row(RUN)["lease"] is None
    client.ask("purge", run=RUN)
    assert gone(word)


@pytest.mark.parametrize("state", ["frozen", "stopped by itself"])
def test_a_run_that_stands_still_ends_too(client, state):
    pid = client.spawn(RUN, "kill -STOP $$; sleep 1000" if state != "frozen" else "sleep 1000")["pid"]
    os.kill(pid, signal.SIGSTOP)
    client.ask("lease", runs={RUN: boottime() + 0.1})
    assert client.notice("exit", RUN)["code"] == -9


def test_a_chain_that_never_stands_still_ends(client):
    chain = "import os\nos.setsid()\nwhile True:\n  if os.fork(): os._exit(0)"
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(chain)} & echo ready; read x"
    client.spawn(RUN, command, env=mission_env(RUN), stdin="tty")
    client.grown(RUN, lambda log: b"ready" in log)
    client.ask("lease", runs={RUN: boottime() + 0.2})
    client.notice("exit", RUN, fenced=True)
    eventually(lambda: client.ask("orphans", run=RUN) == {"left": False}, what="the chain is caught")


SHED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_MSGQUEUE, (%d, resource.getrlimit(resource.RLIMIT_MSGQUEUE)[1]))
if %r == "orphan" and os.fork(): os._exit(0)
os.setsid()
if %r == "child": os.environ.pop("OVERMIND_MISSION_ID")
os.execvp("sleep", ["sleep", "1000." + os.environ["WORD"]])
"""


@pytest.mark.linux
@pytest.mark.parametrize("kin", ["orphan", "child"])
@pytest.mark.parametrize("mark", [0, 5000])
def test_a_process_that_has_taken_off_its_mark_ends_too(client, word, kin, mark):
    """An orphan by what its environment says, a child whatever that says."""
    program = f"{shlex.quote(sys.executable)} -c {shlex.quote(SHED % (mark, kin, kin))}"
    client.spawn(RUN, f"{program} & read x", env=mission_env(RUN, WORD=word), stdin="tty")
    client.spawn(OTHER, "setsid sleep 1000.0$WORD & read x", env=mission_env(OTHER, WORD=word), stdin="tty")
    (shed,) = eventually(lambda: programs_with_word(f"sleep 1000.{word}"), what="it is there")
    (spared,) = eventually(lambda: programs_with_word(f"sleep 1000.0{word}"), what="the neighbour's")
    client.ask("lease", runs={RUN: boottime()})
    client.notice("exit", RUN, fenced=True)
    eventually(lambda: not alive(shed), what="it is gone")
    assert alive(spared)


def test_a_keeper_that_nobody_needs_stays_until_the_lease_of_what_was_left_behind_ends(start_keeper, leave, word):
    keeper = start_keeper(linger=0.1)
    client = keeper.client()
    until = boottime() + 4 * SOON
    leave(client, until)
    client.ask("ack", runs=[RUN])
    client.close()
    assert keeper.wait() == 0
    assert boottime() >= until
    assert gone(word)


def test_a_quit_waits_for_the_end_of_a_tree(keeper, client, tree, word):
    tree(client)
    client.ask("lease", runs={RUN: boottime()})
    client.notice("exit", RUN)
    client.ask("quit")
    client.ask("ack", runs=[RUN])
    assert keeper.wait() == 0
    eventually(lambda: gone(word))


@pytest.mark.parametrize("lease", ["soon", True, [], {}, float("nan"), float("inf"), float("-inf")])
def test_a_lease_that_is_no_moment_is_refused_and_nothing_is_changed(client, lease):
    until = boottime() + FAR
    client.spawn(RUN, "sleep 1000", lease=until)
    for ask in (
        lambda: client.ask("lease", runs={RUN: None, OTHER: lease}),
        lambda: client.spawn(OTHER, "sleep 1000", lease=lease),
    ):
        with pytest.raises(Refusal) as refusal:
            ask()
        assert refusal.value.code == "invalid"
    assert [(row["run"], row["lease"]) for row in client.ask("list")["runs"]] == [(RUN, until)]


def test_a_moment_beyond_every_clock_never_comes(client):
    client.spawn(RUN, "sleep 1000", lease=1e300)
    client.run(OTHER, "sleep 0.3")
    assert client.row(RUN)["exit"] is None


def test_a_client_that_is_no_supervisor_gives_no_lease(keeper, client):
    client.spawn(RUN, "sleep 1000")
    stranger = KeeperClient(Home(keeper.home.root), hello=False)
    with pytest.raises(Refusal) as refusal:
        stranger.ask("lease", runs={RUN: 1.0})
    stranger.close()
    assert refusal.value.code == "hello_first"
    assert client.row(RUN)["exit"] is None
