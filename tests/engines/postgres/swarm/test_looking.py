"""Who looks at a swarm holds up nobody: hives beat meanwhile, and what has ended is read only where it is asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
import pytest

from overmind_core.errors import OvermindError
from overmind_core.swarm.posts import find_post
from tests.engines.postgres.conftest import empty_database
from tests.kit.postgres_server import servers
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually


@contextlib.contextmanager
def locked(url: str, table: str) -> Iterator[psycopg.Connection]:
    """Nobody else can read the table meanwhile; yields another connection."""
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as other:
        holder.execute(f"lock table overmind.{table} in access exclusive mode".encode())
        yield other


def test_a_hive_beats_on_while_someone_looks_for_longer_than_that(make_home):
    with empty_database() as url:
        homes = SwarmHomes(url, make_home)
        eu1 = homes.hive("eu1")
        with locked(url, "events") as database:  # a beat reads all else

            def beat() -> int:
                ((found,),) = database.execute("select beat from overmind.sessions where state = 'alive'").fetchall()
                return int(found)

            def waits() -> bool:
                query = "select from pg_locks where relation = 'overmind.events'::regclass and not granted"
                return bool(database.execute(query).fetchall())

            client = eu1.popen("events", "-H", "swarm")
            eventually(waits, what="the look waits for the table")
            first = beat()
            for number in (1, 2):
                database.execute("select pg_notify('overmind', %s)", [f"hive:{homes.name('eu1')}"])
                eventually(lambda least=first + number: beat() >= least, what="the hive has beaten")  # type: ignore[misc]
            assert waits()  # and the look is still under way
        out, _ = client.communicate(timeout=20)
    assert "hive_joined" in out


def test_of_what_has_ended_the_newest_come_and_as_many_as_are_asked_for(swarm):
    swarm.sql(
        "insert into overmind.posts (id, kind, name, definition, state, posted_at, ended_at)"
        " select 'e' || n, 'quest', 'old-' || n, '{}', 'done', now() - interval '1 day' + n * interval '1 s', n"
        " from generate_series(1, 9) n"
    )
    waiting = swarm.post("docs")
    assert [one.id for one in swarm.admin.listed()] == [waiting]
    assert [one.id for one in swarm.admin.listed(ended=2)] == ["e8", "e9", waiting]
    assert len(swarm.admin.listed(ended=None)) == 10


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("abc1", "abc1"),  # its id
        ("docs", "abc2"),  # its name: the one of two that has not ended
        ("site", "abc4"),  # of two that have ended the newest
        ("def", "def5"),  # the beginning of its id
        ("de", None),  # too short for one
        ("ab", None),
        ("doc", None),
        ("d'; drop table posts", None),
    ],
)
def test_a_word_finds_a_post_in_the_database(swarm, word, found):
    swarm.sql(
        "insert into overmind.posts (id, kind, name, definition, state, posted_at) values"
        " ('abc1', 'run', 'docs', '{}', 'done', now()),"
        " ('abc2', 'run', 'docs', '{}', 'queued', now() - interval '2 s'),"
        " ('abc3', 'run', 'site', '{}', 'failed', now() - interval '2 s'),"
        " ('abc4', 'run', 'site', '{}', 'done', now()),"
        " ('def5', 'run', 'tall', '{}', 'cancelled', now())"
    )
    if found is None:
        with pytest.raises(OvermindError, match="The swarm has no post"):
            find_post(swarm.admin.named([word]), word)
    else:
        assert find_post(swarm.admin.named([word]), word).id == found


def test_words_are_looked_for_together_and_none_is_taken_for_another(swarm):
    swarm.sql(
        "insert into overmind.posts (id, kind, name, definition) values"
        " ('abc1', 'run', 'docs', '{}'), ('abd2', 'run', 'site', '{}')"
    )
    known = swarm.admin.named(["docs", "abd", "abc1", "ab"])
    assert [find_post(known, word).id for word in ("docs", "abd", "abc1")] == ["abc1", "abd2", "abc1"]
    with pytest.raises(OvermindError, match="no post 'ab'"):
        find_post(known, "ab")


def test_what_was_needed_and_has_failed_is_named_in_the_line(swarm):
    need = swarm.post("docs")
    waiting = swarm.post("site", needs=[need])
    swarm.admin.cancel(need)
    assert [one.name for one in swarm.admin.ended_badly([need, waiting])] == ["docs"]


def test_who_asks_does_not_notice_that_the_server_was_started_again(make_home):
    """What a server says before it hangs up is no sign that its connection can be used."""
    with servers() as machines:
        server = machines.started()
        homes = SwarmHomes(server.url, make_home)
        looking = [homes.desk.popen("ps", "-H", "swarm") for _ in range(6)]  # on all connections that there may be
        assert {one.wait(30) for one in looking} == {0}
        server.stop()
        server.start()
        for _ in range(6):
            homes.desk.ok("ps", "-H", "swarm")


def test_a_list_of_hives_without_those_of_a_silent_swarm_says_that_and_has_failed(make_home):
    with servers() as machines:
        server = machines.started()
        homes = SwarmHomes(server.url, make_home)
        home = homes.hive("a")
        assert homes.name("a") in home.ok("hive", "list")
        server.stop()
        done = home("hive", "list")
        assert done.returncode == 1
        assert "swarm" in done.stderr
        server.start()
        assert homes.name("a") in home.ok("hive", "list")
