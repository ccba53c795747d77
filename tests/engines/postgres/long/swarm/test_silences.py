"""What stands still, is cut off or dies, for shorter and for longer than a lease: nothing runs twice, nothing is lost.

Real homes, real processes: each run breathes into a journal, so that the last breath of one life and the first one of
the next are known.
"""

from __future__ import annotations

import pytest

from tests.engines.postgres.conftest import empty_database
from tests.engines.postgres.swarm.test_silences import LEASE, frozen, reasons, wait_lives
from tests.kit.breaths import breathing, escaped, gaps, lives
from tests.kit.killing import kill_both, kill_supervisor
from tests.kit.postgres_server import servers
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually


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


@pytest.mark.parametrize("how", ["frozen", "down"])
def test_a_server_that_is_away_for_less_than_the_lease_ends_nothing(server, make_home, tmp_path, how):
    """A server that is frozen or down for less than the lease: nothing ends."""
    homes = SwarmHomes(server.url, make_home)
    for name in ("a", "b"):
        homes.hive(name, "--slots", "1")
    journals = [tmp_path / name for name in ("mover", "waiter")]
    homes.desk.ok("run", "--on", "any", "--name", "mover", *LEASE[:3], "40s", breathing(journals[0]))
    homes.desk.ok("run", "--on", "any", "--name", "waiter", breathing(journals[1]))
    for journal in journals:
        wait_lives(journal, 1)
    before = {name: row["fence"] for name, row in homes.posts().items()}
    seen = homes.homes["a"]
    if how == "frozen":
        with server.frozen():
            eventually(lambda: seen.json("swarm", "status", "--json")["silence"], timeout=30, what="it is said")
    else:
        server.kill()
        eventually(lambda: seen.json("swarm", "status", "--json")["silence"], timeout=30, what="it is said")
        server.start()
    homes.desk.ok("run", "--on", "any", "--name", "new", "true")
    assert {name: row["fence"] for name, row in homes.posts().items() if name != "new"} == before
    assert {row["state"] for name, row in homes.posts().items() if name != "new"} == {"claimed"}
    assert [[life.goes_on for life in lives(journal)] for journal in journals] == [[True], [True]]
    homes.desk.ok("kill", "swarm/mover", "swarm/waiter", "swarm/new")


def test_a_hive_that_is_cut_off_keeps_what_waits_and_loses_what_moves(homes, way, tmp_path):
    """`wait`: nothing dies or starts; `move`: the last breath precedes the first one; healed: exactly one of each."""
    first = homes.hive("a", "--slots", "2", way=way)
    mover, waiter = tmp_path / "mover", tmp_path / "waiter"
    homes.desk.ok("run", "--on", "any", "--name", "mover", *LEASE, breathing(mover))
    homes.desk.ok("run", "--on", "any", "--name", "waiter", breathing(waiter))
    wait_lives(mover, 1)
    wait_lives(waiter, 1)
    second = homes.hive("b", "--slots", "2")
    way.cut()
    wait_lives(mover, 2)
    assert min(gaps(mover)) > 0
    assert not lives(mover)[0].goes_on
    assert [life.goes_on for life in lives(waiter)] == [True]
    eventually(lambda: homes.posts()["waiter"]["state"] == "lost", timeout=90, what="it is lost")
    rows = homes.desk.json("inbox", "-H", "swarm", "--json")
    assert [(row["name"], row["need"]) for row in rows] == [("waiter", "lost")]
    way.mend()
    eventually(lambda: homes.posts()["waiter"]["state"] == "claimed", timeout=60, what="its hive has answered")
    eventually(lambda: "fenced" in reasons(first), timeout=30, what="it knows")
    assert homes.desk.json("inbox", "-H", "swarm", "--json") == []
    assert [[life.goes_on for life in lives(one)] for one in (mover, waiter)] == [[False, True], [True]]
    assert [row["name"] for row in second.ps()] == ["mover"]
    homes.desk.ok("kill", "swarm/mover", "swarm/waiter")


def test_with_its_supervisor_dead_and_its_link_cut_the_keeper_fences_alone(homes, way, tmp_path):
    """What was double-forked into a session of its own ends, too; beside it what waits misses nothing."""
    first = homes.hive("a", "--slots", "2", way=way)
    mover, child, waiter = (tmp_path / name for name in ("mover", "child", "waiter"))
    homes.desk.ok("run", "--on", "any", "--name", "mover", *LEASE, escaped(child) + breathing(mover))
    homes.desk.ok("run", "--on", "any", "--name", "waiter", breathing(waiter))
    for journal in (mover, child, waiter):
        wait_lives(journal, 1)
    homes.hive("b", "--slots", "2")
    way.cut()
    with frozen(first.supervisor_pid()):  # as dead as can be: nobody revives it
        wait_lives(mover, 2)
        wait_lives(child, 2)
        assert not lives(mover)[0].goes_on
        assert not lives(child)[0].goes_on
        assert min(lives(mover)[1].first, lives(child)[1].first) > max(lives(mover)[0].last, lives(child)[0].last)
        breaths = len(waiter.read_text().splitlines())
        assert [life.goes_on for life in lives(waiter)] == [True]
        eventually(lambda: len(waiter.read_text().splitlines()) > breaths + 5, what="it goes on")
    way.mend()
    eventually(lambda: "fenced" in reasons(first), timeout=60, what="it knows")
    assert [len(lives(one)) for one in (mover, child, waiter)] == [2, 2, 1]
    homes.desk.ok("kill", "swarm/mover", "swarm/waiter")


def test_a_supervisor_that_began_in_silence_is_back_before_a_lease_ends(homes, way, tmp_path):
    """It knows when the beat was sent that was accepted last: the one before it has sent that."""
    home = homes.hive("a", way=way)
    journal = tmp_path / "mover"
    homes.desk.ok("run", "--on", "any", "--name", "mover", *LEASE[:3], "60s", breathing(journal))
    wait_lives(journal, 1)
    way.cut()
    kill_supervisor(home)
    before = way.refused
    eventually(lambda: way.refused >= before + 5, timeout=60, what="it has tried 1, 2, 4, 8 and 16 s after each other")
    asked = len(way.calls)
    way.mend()
    eventually(lambda: "beat" in way.calls[asked:], timeout=60, what="it beats again")
    assert [life.goes_on for life in lives(journal)] == [True]
    assert homes.posts()["mover"]["fence"] == 1
    homes.desk.ok("kill", "swarm/mover")


def test_what_a_hive_had_of_which_all_is_killed_for_good_has_ended_before_it_begins_elsewhere(homes, tmp_path):
    """Also what hears no hang-up and has left its session; what waits goes on where it is."""
    home = homes.hive("a", "--slots", "2")
    mover, child, waiter = (tmp_path / name for name in ("mover", "child", "waiter"))
    deaf = "trap '' HUP; "
    homes.desk.ok("run", "--on", "any", "--name", "mover", *LEASE, escaped(child) + deaf + breathing(mover))
    homes.desk.ok("run", "--on", "any", "--name", "waiter", deaf + breathing(waiter))
    for journal in (mover, child, waiter):
        wait_lives(journal, 1)
    homes.hive("b", "--slots", "2")
    kill_both(home)
    for journal in (mover, child):
        wait_lives(journal, 2)
        assert not lives(journal)[0].goes_on
    assert min(lives(mover)[1].first, lives(child)[1].first) > max(lives(mover)[0].last, lives(child)[0].last)
    assert [life.goes_on for life in lives(waiter)] == [True]
    home.ok("start")  # its supervisor ends what waited, which is tried again
    wait_lives(waiter, 2)
    assert min(gaps(waiter)) > 0
    homes.desk.ok("kill", "swarm/mover", "swarm/waiter")
