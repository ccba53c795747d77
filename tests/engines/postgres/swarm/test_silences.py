"""What stands still, is cut off or dies, for shorter and for longer than a lease: nothing runs twice, nothing is lost.

Real homes, real processes: each run breathes into a journal, so that the last breath of one life and the first one of
the next are known.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.engines.postgres.conftest import empty_database
from tests.kit.breaths import breathing, escaped, gaps, lives
from tests.kit.killing import kill, kill_both, kill_keeper
from tests.kit.overmind import Overmind
from tests.kit.postgres_server import servers
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually

LEASE = ("--on-lost", "move", "--lease", "10s")


@pytest.fixture
def homes(make_home):
    """A swarm of this test."""
    with empty_database() as url:
        yield SwarmHomes(url, make_home)


@pytest.fixture
def way(homes):
    """The way of one hive to the database."""
    with homes.way() as made:
        yield made


@pytest.fixture
def server():
    """A server of this test, to be stopped."""
    with servers() as made:
        yield made.started()


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """They stand still meanwhile."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def processes(home: Overmind) -> tuple[int, int]:
    """The supervisor and the keeper of a home."""
    return home.supervisor_pid(), home.keeper_pid()


def wait_lives(journal, count: int, timeout: float = 60.0) -> None:
    """Wait until so many lives have begun."""
    eventually(lambda: len(lives(journal)) >= count, timeout=timeout, what=f"{count} lives have begun")


def wait_one(journal) -> None:
    """Wait until one life goes on, and no other."""
    eventually(lambda: sum(life.goes_on for life in lives(journal)) == 1, timeout=30, what="one lives")


def reasons(home: Overmind) -> list[str | None]:
    return [row["reason"] for row in home.ps("--all")]


def test_a_hive_that_is_refused_for_a_moment_is_back_before_its_lease_ends(homes, tmp_path):
    """As while an older copy of the database is restored, whose rights come last."""
    home = homes.hive("a")
    journal = tmp_path / "mover"
    homes.desk.ok("run", "--on", "any", "--name", "mover", *LEASE, breathing(journal))
    wait_lives(journal, 1)
    with psycopg.connect(homes.url, autocommit=True) as owner:

        def beat() -> int:
            return int(owner.execute("select beat from overmind.sessions").fetchall()[0][0])

        owner.execute("revoke usage on schema overmind from overmind_viewer")
        refused = "its schema overmind is not open to it"
        eventually(lambda: refused in Path(home.path("daemon.log")).read_text(), timeout=30, what="it is refused")
        before = beat()
        owner.execute("grant usage on schema overmind to overmind_viewer")
        eventually(lambda: beat() > before + 1, timeout=60, what="it beats again")
    assert [life.goes_on for life in lives(journal)] == [True]
    assert homes.posts()["mover"]["state"] == "claimed"
    homes.desk.ok("kill", "swarm/mover")


def test_a_server_that_is_away_for_longer_than_the_lease_ends_what_moves_which_is_tried_again(
    server, make_home, tmp_path
):
    homes = SwarmHomes(server.url, make_home)
    home = homes.hive("a")
    mover, waiter = tmp_path / "mover", tmp_path / "waiter"
    homes.desk.ok("run", "--on", "any", "--name", "mover", *LEASE, breathing(mover))
    homes.desk.ok("run", "--on", "any", "--name", "waiter", breathing(waiter))
    wait_lives(mover, 1)
    wait_lives(waiter, 1)
    with server.frozen():
        eventually(lambda: "fenced" in reasons(home), timeout=40, what="the lease has ended")
        assert not lives(mover)[0].goes_on
    wait_lives(mover, 2, timeout=90)
    assert min(gaps(mover)) > 0
    assert [life.goes_on for life in lives(waiter)] == [True]
    rows = homes.posts()
    assert (rows["mover"]["state"], rows["mover"]["fence"] > 2) == ("claimed", True)
    homes.desk.ok("kill", "swarm/mover", "swarm/waiter")


def test_a_supervisor_that_is_killed_again_and_again_costs_no_lease_while_its_keeper_revives_it(homes, tmp_path):
    home = homes.hive("a")
    journal = tmp_path / "mover"
    homes.desk.ok("run", "--on", "any", "--name", "mover", *LEASE, breathing(journal))
    homes.hive("b")
    wait_lives(journal, 1)
    for _ in range(4):
        kill(home.supervisor_pid())
        eventually(lambda: home("swarm", "status").returncode == 0, timeout=20, what="it is back")
    assert [life.goes_on for life in lives(journal)] == [True]
    assert homes.posts()["mover"]["fence"] == 1
    homes.desk.ok("kill", "swarm/mover")


@pytest.mark.parametrize("policy", ["never", "always"])
def test_a_keeper_that_is_killed_ends_its_runs_which_are_tried_again_once(homes, tmp_path, policy):
    """Whatever restarts are the hive's own: another hive begins what was lost with the keeper."""
    home = homes.hive("a")
    journals = {"mover": tmp_path / "mover", "waiter": tmp_path / "waiter"}
    more = ("--restart", policy, "--backoff", "50ms") if policy == "always" else ()
    homes.desk.ok("run", "--on", "any", "--name", "mover", *more, *LEASE, breathing(journals["mover"]))
    homes.desk.ok("run", "--on", "any", "--name", "waiter", *more, breathing(journals["waiter"]))
    for journal in journals.values():
        wait_lives(journal, 1)
    homes.hive("b")
    kill_keeper(home)

    def again() -> bool:
        rows = homes.posts()
        return all(rows[name]["state"] == "claimed" and rows[name]["fence"] > 2 for name in journals)

    eventually(again, timeout=60, what="both are tried again")
    for journal in journals.values():
        wait_one(journal)
        assert min(gaps(journal)) > 0, lives(journal)
    rows = [row["name"] for one in homes.homes.values() for row in one.ps() if row["status"] == "running"]
    assert sorted(rows) == ["mover", "waiter"]
    homes.desk.ok("kill", "swarm/mover", "swarm/waiter")


def test_a_hive_of_which_all_is_killed_comes_back_and_what_it_had_is_tried_again_once(homes, tmp_path):
    home = homes.hive("a")
    journals = {"mover": tmp_path / "mover", "waiter": tmp_path / "waiter"}
    homes.desk.ok("run", "--on", "any", "--name", "mover", *LEASE, breathing(journals["mover"]))
    homes.desk.ok("run", "--on", "any", "--name", "waiter", breathing(journals["waiter"]))
    for journal in journals.values():
        wait_lives(journal, 1)
    kill_both(home)
    home.ok("start")
    for journal in journals.values():
        wait_lives(journal, 2)
        assert min(gaps(journal)) > 0
        wait_one(journal)
    homes.desk.ok("kill", "swarm/mover", "swarm/waiter")


def test_an_end_that_was_not_told_yet_is_told_by_the_next_life_of_the_keeper(homes, way, tmp_path):
    """It had ended before the keeper died: nobody runs it again."""
    home = homes.hive("a", way=way)
    homes.hive("b", "--slots", "0")
    gate = tmp_path / "go"
    command = f"echo x >> {tmp_path}/begun; while [ ! -e {gate} ]; do sleep .05; done; exit 3"
    homes.desk.ok("run", "--on", "any", "--name", "once", command)
    homes.wait_state("once", "claimed")
    eventually((tmp_path / "begun").exists, what="it has begun")
    way.cut()
    gate.touch()
    eventually(lambda: [row["status"] for row in home.ps()] == ["crashed"], timeout=30, what="it has ended")
    kill_both(home)
    way.mend()
    home.ok("start")
    row = homes.wait_state("once", "failed", "done", timeout=60)
    assert (row["state"], row["exit_code"], row["fence"]) == ("failed", 3, 1)
    assert (tmp_path / "begun").read_text() == "x\n"


@pytest.mark.parametrize("seconds", ["shorter", "longer"])
def test_a_holder_that_stands_still_runs_once(homes, tmp_path, seconds):
    """SIGSTOP of supervisor and keeper, for shorter and longer than the lease."""
    home = homes.hive("a")
    mover, child = tmp_path / "mover", tmp_path / "child"
    homes.desk.ok("run", "--on", "any", "--name", "mover", *LEASE, escaped(child) + breathing(mover))
    wait_lives(mover, 1)
    wait_lives(child, 1)
    other = homes.hive("b")
    with frozen(*processes(home)):
        if seconds == "longer":
            wait_lives(mover, 2)
            wait_lives(child, 2)
        else:
            breaths = len(mover.read_text().splitlines())
            eventually(lambda: len(mover.read_text().splitlines()) > breaths + 20, what="a second passes")
    if seconds == "longer":
        eventually(lambda: not lives(mover)[0].goes_on, timeout=20, what="it is reaped")
        eventually(lambda: "fenced" in reasons(home), timeout=60, what="it knows")
        assert [row["name"] for row in other.ps()] == ["mover"]
        assert min(lives(mover)[1].first, lives(child)[1].first) > max(lives(mover)[0].last, lives(child)[0].last)
    for journal in (mover, child):
        assert sum(life.goes_on for life in lives(journal)) == 1
        assert len(lives(journal)) == (2 if seconds == "longer" else 1)
    homes.desk.ok("kill", "swarm/mover")
