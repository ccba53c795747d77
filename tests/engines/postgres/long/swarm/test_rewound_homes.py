"""Real homes whose store goes back in time, or who are copied: what runs goes on, what had ended stays ended."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from tests.engines.postgres.conftest import empty_database
from tests.engines.postgres.swarm.test_rewound_homes import MOVE, check, copied, finish, run, wait_begun
from tests.kit.breaths import breathing, gaps, lives
from tests.kit.postgres_server import PostgresServer, servers
from tests.kit.proxy import ANSWER, REQUEST, Proxy
from tests.kit.swarm import Hive, swarm_in
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.swarm_model import restore_store, save_store
from tests.kit.waiting import eventually


@pytest.fixture
def homes(make_home):
    """A swarm of this test."""
    with empty_database() as url:
        yield SwarmHomes(url, make_home)


@pytest.fixture
def machines():
    with servers() as made:
        yield made


@pytest.fixture
def server(machines):
    return machines.started()


@pytest.fixture
def way(server):
    """The way of all homes to the store: a name that leads to another server later."""
    with Proxy(server.folder) as made:
        yield made


def shorten_leases(server: PostgresServer) -> None:
    """Have the longest lease be one of ten seconds: nobody has asked for a longer one."""
    with psycopg.connect(server.url, autocommit=True) as owner:
        owner.execute("update overmind.meta set longest = 10")


def mode(homes: SwarmHomes) -> str:
    return str(homes.homes["a"].json("swarm", "status", "--json")["mode"])


WAIT = ("--on-lost", "wait", "--lease", "10s")


def all_that_there_is(homes: SwarmHomes, tmp_path: Path, *, when: str) -> tuple[list[Path], list[Path]]:
    """Run some that go on, and some that have ended; return the journals of those, and of these."""
    goes_on = [tmp_path / f"{when}-{name}" for name in ("mover", "waiter")]
    ended = [tmp_path / f"{when}-ended-{name}" for name in ("mover", "waiter")]
    for kind, words in enumerate((MOVE, WAIT)):
        run(homes, goes_on[kind].name, breathing(goes_on[kind]), *words)
        run(homes, ended[kind].name, f"echo $$ 1.0 >> {ended[kind]}", *words)
    for journal in ended:
        homes.wait_state(journal.name, "done")
    for journal in goes_on:
        wait_begun(journal)
    return goes_on, ended


def test_a_standby_that_lagged_is_promoted_and_no_run_begins_twice_and_no_end_is_lost(
    machines, server, way, make_home, tmp_path
):
    """A lagging standby is promoted: no second start, no end lost; on real homes."""
    homes = SwarmHomes(way.through(server.url), make_home)
    for name in ("a", "b", "c"):
        homes.hive(name, "--slots", "4")
    shorten_leases(server)
    before = all_that_there_is(homes, tmp_path, when="before")
    standby = machines.standby_of(server)
    with psycopg.connect(server.url, autocommit=True) as owner:
        look = "select 1 from pg_stat_replication where replay_lsn >= pg_current_wal_flush_lsn()"
        eventually(lambda: owner.execute(look).fetchall(), what="the standby has all")
    standby.stop()
    after = all_that_there_is(homes, tmp_path, when="after")
    server.kill()
    standby.start()
    standby.promote()
    way.lead_to(standby.folder)
    eventually(lambda: mode(homes) in {"settling", "presenting"}, timeout=60, what="it is noticed")
    eventually(lambda: mode(homes) == "open", timeout=60, what="all goes on")
    goes_on, ended = [*before[0], *after[0]], [*before[1], *after[1]]
    run(homes, "new", "true")
    homes.wait_state("new", "done")
    check(homes, goes_on, ended)
    finish(homes, goes_on)


def test_an_older_dump_is_restored_and_no_run_begins_twice_and_no_end_or_output_is_lost(
    server, way, make_home, tmp_path
):
    homes = SwarmHomes(way.through(server.url), make_home)
    for name in ("a", "b"):
        homes.hive(name, "--slots", "4")
    shorten_leases(server)
    gate = tmp_path / "go"
    home = homes.homes["a"]
    wait = f"while [ ! -e {gate} ]; do sleep .05; done"
    home.ok("quest", "add", "First", "--on", "any", "--lease", "10s", "--outputs", "notes.md", "--",
            f"{wait}; echo $$ 1.0 >> {tmp_path}/first; echo kept > $OVERMIND_OUTPUT_DIR/notes.md")  # fmt: skip
    homes.wait_state("first", "claimed")
    dump = os.path.join(server.folder, "dump")
    server.program("pg_dump", "-Fc", "-f", dump, server.url)
    goes_on, ended = all_that_there_is(homes, tmp_path, when="after")
    gate.touch()
    homes.wait_state("first", "done")
    server.program("pg_restore", "--clean", "--if-exists", "-d", server.url, dump)
    eventually(lambda: mode(homes) in {"settling", "presenting"}, timeout=60, what="it is noticed")
    eventually(lambda: mode(homes) == "open", timeout=60, what="all goes on")
    check(homes, goes_on, [*ended, tmp_path / "first"])
    home.ok("quest", "add", "Then", "--on", "any", "--needs", "first", "--",
            f"cat $OVERMIND_IN/needs/first/notes.md > {tmp_path}/got")  # fmt: skip
    homes.wait_state("then", "done", "failed")
    assert (tmp_path / "got").read_text() == "kept\n"
    finish(homes, goes_on)


def test_a_claim_that_was_answered_to_nobody_begins_nothing_when_another_hive_has_it_since(homes, tmp_path):
    """And the store forgets that: its server was started with an older copy of its disk."""
    with homes.way() as way, swarm_in(homes.url) as swarm:
        home = homes.hive("a", way=way)
        other = Hive(swarm.connected(homes.invited("b")), homes.name("b"))
        assert other.join().word == "joined"
        homes.desk.ok("hive", "drain", other.name)  # for as long as the first one claims
        swarm.sql("update overmind.meta set longest = 10")
        for what, function in ((ANSWER, "claim"), (REQUEST, "claims_of")):
            way.lose(what, function, 1000)
        homes.desk.ok("run", "--on", "any", "--name", "once", *MOVE, f"touch {tmp_path}/begun")
        homes.wait_state("once", "claimed")
        way.cut()
        homes.desk.ok("hive", "drain", other.name, "--undo")
        save_store(swarm, "before")
        (first,) = [one for one in other.swarm.watchlist(other.session).sessions if one.session != other.session]
        other.swarm.take(other.session, first.session, first.beat, 13.0)
        claim = other.claim_one()

        restore_store(swarm, "before")
        for function in ("claim", "claims_of"):
            way.lose(ANSWER, function, 0)
        way.mend()
        home.ok("swarm", "status")
        beats = "select beat from overmind.sessions where id = %s"
        eventually(lambda: swarm.sql(beats, first.session)[0][0] >= first.beat + 2, timeout=60, what="it beats on")
        assert home.ps("--all") == []

        assert other.beat().mode == "settling"
        assert other.swarm.present(other.session, [other.presented(claim)], all_=True).posts == {claim.id: "ok"}
        eventually(lambda: other.beat().mode == "open", timeout=60, what="all goes on")
        assert other.end(claim).word == "ok"
        assert homes.wait_state("once", "done", "failed")["hive"] == other.name
        assert home.ps("--all") == []
        assert not (tmp_path / "begun").exists()


def test_a_copied_home_begins_nothing_that_the_silent_first_one_has(homes, make_home, tmp_path):
    """It is another home: the first one may still run what it has."""
    with homes.way() as way:
        original = homes.hive("a", way=way)
        homes.hive("b", "--slots", "2")
        journals = [tmp_path / "mover", tmp_path / "waiter"]
        homes.desk.ok("hive", "drain", homes.name("b"))
        for journal, words in zip(journals, (("--on-lost", "move", "--lease", "40s"), ()), strict=True):
            homes.desk.ok("run", "--on", "any", "--name", journal.name, *words, breathing(journal))
            wait_begun(journal)
        homes.desk.ok("hive", "drain", homes.name("b"), "--undo")
        copy = copied(original, make_home)
        Path(copy.home, "swarm.url").write_text(homes.invited("a"))
        way.cut()
        copy.ok("start")
        eventually(lambda: not copy.json("swarm", "status", "--json")["silence"], timeout=60, what="it has joined")
        eventually(lambda: len(lives(journals[0])) == 2, timeout=90, what="what moves is moved")
        assert min(gaps(journals[0])) > 0
        assert [life.goes_on for life in lives(journals[1])] == [True]
        assert homes.posts()["waiter"]["state"] in {"claimed", "lost"}
        homes.desk.ok("kill", "swarm/mover", "swarm/waiter")
