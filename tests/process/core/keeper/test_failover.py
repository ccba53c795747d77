"""Somebody always supervises; and a keeper that nobody needs leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from overmind_core.keeper.exit_journal import LARGE
from overmind_core.keeper.main import EXIT_TAKEN
from tests.kit.keeper_client import KeeperProcess
from tests.kit.processes import alive
from tests.kit.waiting import eventually

RUN = "a1b2c3d4.1"


def daemon_of(keeper):
    """A daemon that says where it is and what it got, and stays a while."""
    script = 'echo "$$ $WORD $(pwd)" >> "$OUT"; echo to the log; exec sleep 100'
    env = {"OUT": f"{keeper.home.root}/daemons", "WORD": "hello", "PATH": os.environ["PATH"]}
    return {"argv": ["/bin/sh", "-c", script], "env": env}


def daemons(keeper):
    try:
        with open(f"{keeper.home.root}/daemons", encoding="utf-8") as file:
            return [line.split() for line in file]
    except FileNotFoundError:
        return []


def test_a_daemon_is_started_when_the_supervisor_is_lost(keeper):
    client = keeper.client(daemon=daemon_of(keeper))
    client.spawn(RUN, "sleep 100")
    client.close()
    ((pid, word, folder),) = eventually(lambda: daemons(keeper))
    assert (word, folder) == ("hello", "/")
    assert os.getsid(int(pid)) == int(pid)
    with open(keeper.home.daemon_log, encoding="utf-8") as file:
        assert file.read() == "to the log\n"
    newer = keeper.client(pid=int(pid))
    assert newer.row(RUN)["exit"] is None
    os.kill(int(pid), signal.SIGKILL)


def test_a_daemon_that_another_supervisor_was_faster_than_is_ended(keeper):
    """It would take the lock once that one has left, and supervise what nobody wants supervised."""
    client = keeper.client(daemon=daemon_of(keeper))
    client.spawn(RUN, "sleep 100")
    client.close()
    ((late, *_),) = eventually(lambda: daemons(keeper))
    newer = keeper.client(daemon=daemon_of(keeper), pid=os.getpid())
    eventually(lambda: not os.path.exists(f"/proc/{late}"))
    assert newer.row(RUN)["exit"] is None


def test_a_daemon_that_has_said_hello_is_not_ended_when_it_is_replaced(keeper):
    client = keeper.client(daemon=daemon_of(keeper))
    client.spawn(RUN, "sleep 100")
    client.close()
    ((pid, *_),) = eventually(lambda: daemons(keeper))
    keeper.client(daemon=daemon_of(keeper), pid=int(pid))
    newer = keeper.client(daemon=daemon_of(keeper), pid=os.getpid())
    newer.run("bbbbbbbb.1", "true")
    assert alive(int(pid))
    os.kill(int(pid), signal.SIGKILL)


def test_daemons_are_tried_again_until_one_says_hello_and_are_reaped(keeper):
    client = keeper.client(daemon=daemon_of(keeper))
    client.spawn(RUN, "sleep 100")
    client.close()
    ((first, *_),) = eventually(lambda: daemons(keeper))
    os.kill(int(first), signal.SIGKILL)
    eventually(lambda: not os.path.exists(f"/proc/{first}"))
    (_, (second, *_)) = eventually(lambda: daemons(keeper)[1:] and daemons(keeper))
    os.kill(int(second), signal.SIGKILL)
    newer = keeper.client()
    newer.run("bbbbbbbb.1", "sleep 4.5")
    assert len(daemons(keeper)) == 2


def test_an_exit_that_nobody_has_acknowledged_needs_a_supervisor_too(keeper):
    client = keeper.client(daemon=daemon_of(keeper))
    client.run(RUN, "exit 3")
    client.close()
    ((pid, *_),) = eventually(lambda: daemons(keeper))
    os.kill(int(pid), signal.SIGKILL)


@pytest.mark.parametrize("goodbye", [True, False])
def test_no_daemon_after_a_goodbye_or_when_nothing_lives(keeper, goodbye):
    client = keeper.client(daemon=daemon_of(keeper))
    if goodbye:
        client.spawn(RUN, "sleep 100")
        client.ask("goodbye")
    client.close()
    # Longer than the delay after which a daemon would be started.
    with pytest.raises(AssertionError):
        eventually(lambda: daemons(keeper), timeout=1.6)


def test_a_supervisor_that_is_replaced_is_not_lost(keeper):
    client = keeper.client(daemon=daemon_of(keeper))
    client.spawn(RUN, "sleep 100")
    newer = keeper.client(daemon=daemon_of(keeper))
    assert client.at_end()
    newer.run("bbbbbbbb.1", "sleep 1.5")
    assert daemons(keeper) == []


def test_a_supervisor_that_only_disconnects_for_a_moment_starts_no_daemon(keeper):
    keeper.client(daemon=daemon_of(keeper)).close()
    client = keeper.client(daemon=daemon_of(keeper))
    client.run(RUN, "sleep 1.5")
    assert daemons(keeper) == []


def test_a_daemon_that_can_not_start_hurts_nobody(keeper):
    client = keeper.client(daemon={"argv": ["/nowhere/python"], "env": {}})
    client.spawn(RUN, "sleep 1.6; exit 3")
    client.close()
    with pytest.raises(AssertionError):
        eventually(lambda: daemons(keeper), timeout=1.6)
    newer = keeper.client()
    eventually(lambda: newer.row(RUN)["exit"])
    assert newer.row(RUN)["exit"]["code"] == 3
    assert "SpawnError" in keeper.log()
    os.truncate(keeper.home.keeper_log, 0)


def test_without_its_supervisor_a_headless_keeper_ends_everything_and_leaves(keeper):
    client = keeper.client(kill_after=0.2)
    client.spawn(RUN, "trap '' HUP TERM; setsid env -i sleep 100 & (setsid sleep 100 &) ; echo $! ready; wait; wait")
    log = client.grown(RUN, lambda log: b"ready" in log)
    nested = int(log.split()[0])
    fields = {"tty": False, "stdin": "pipe"}
    chain = "import os\nwhile True:\n  if os.fork(): os._exit(0)"
    client.spawn("bbbbbbbb.1", [sys.executable, "-c", chain], **fields)
    client.close()
    assert keeper.wait() == 0
    assert not alive(nested)
    assert not os.path.exists(keeper.home.keeper_socket)


def test_a_goodbye_also_spares_a_headless_keepers_runs(keeper):
    client = keeper.client(kill_after=0.0)
    pid = client.spawn(RUN, "sleep 100")["pid"]
    client.ask("goodbye")
    client.close()
    newer = keeper.client()
    newer.run("bbbbbbbb.1", "sleep 0.3")
    assert alive(pid)


def test_quit_is_done_when_the_last_exit_is_acknowledged(keeper, client):
    client.spawn(RUN, "read x", stdin="tty")
    client.ask("quit")
    client.ask("write", run=RUN, seq=1, data="Cg==")
    client.notice("exit", RUN)
    client.ask("ack", runs=[RUN])
    assert keeper.wait() == 0


def test_a_keeper_that_was_to_quit_stays_with_the_supervisor_that_follows(keeper, client):
    """The one before could save no exit, and left; this one has saved it, and goes on."""
    client.run(RUN, "true")
    client.ask("goodbye")
    client.ask("quit")
    client.close()
    newer = keeper.client()
    newer.ask("ack", runs=[RUN])
    newer.run("bbbbbbbb.1", "true")
    newer.ask("ack", runs=["bbbbbbbb.1"])
    newer.ask("quit")
    assert keeper.wait() == 0


def test_quit_of_an_idle_keeper_is_answered_and_done_at_once(keeper, client):
    assert client.ask("quit") == {}
    assert keeper.wait() == 0
    assert not os.path.exists(keeper.home.keeper_socket)


def test_a_keeper_that_nobody_needs_leaves(start_keeper):
    keeper = start_keeper(linger=0.5)
    client = keeper.client()
    client.run(RUN, "true")
    client.ask("ack", runs=[RUN])
    client.close()
    assert keeper.wait() == 0


def test_a_keeper_with_an_exit_that_nobody_knows_stays(start_keeper):
    keeper = start_keeper(linger=0.3)
    keeper.client().run(RUN, "exit 3")
    keeper.clients[0].close()
    with pytest.raises(subprocess.TimeoutExpired):
        keeper.process.wait(2.5)
    assert keeper.client().row(RUN)["exit"]["code"] == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE])
def test_only_sigkill_ends_a_keeper(keeper, client, number):
    client.spawn(RUN, "sleep 100")
    keeper.process.send_signal(number)
    assert client.row(RUN)["exit"] is None


def test_one_keeper_per_home(keeper):
    argv = [sys.executable, "-P", "-m", "overmind_core.keeper", "--home", keeper.home.root]
    second = subprocess.run(argv, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, timeout=20)
    assert second.returncode == EXIT_TAKEN
    assert keeper.client().ask("list")["runs"] == []


def test_a_home_on_a_long_path(marker, tmp_path):
    keeper = KeeperProcess(str(tmp_path / ("x" * 120)), marker=marker)
    try:
        assert keeper.client().run(RUN, "exit 3")["code"] == 3
    finally:
        keeper.end()


@pytest.mark.parametrize("size", [LARGE // 2, LARGE + 1])
def test_a_journal_is_emptied_when_all_in_it_is_acknowledged_and_it_has_grown(tmp_path, marker, size):
    before = b" " * size + b"\n"
    journal = tmp_path / "exits.ndjson"
    journal.write_bytes(before)
    keeper = KeeperProcess(str(tmp_path), marker=marker)
    try:
        assert str(journal) == keeper.home.exits
        client = keeper.client()
        client.run(RUN, "true")
        assert journal.read_bytes().startswith(before), "emptied before anybody knows of the exit"
        client.ask("ack", runs=[RUN])
        client.ask("list")  # one turn of its loop later
        assert journal.read_bytes().startswith(before) is (size < LARGE)
    finally:
        keeper.end()


@pytest.mark.linux
def test_the_keeper_loads_no_code_after_its_start(keeper, client, way):
    """An upgrade may replace the files under it."""
    before = libraries(keeper.process.pid)
    client.run(RUN, "exit 3", method=way)
    client.run("a1b2c3d4.2", "exit 3", method=way, tty=False, stdin="pipe")
    assert libraries(keeper.process.pid) == before


def libraries(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
        return {line.split()[-1] for line in file if ".so" in line}
