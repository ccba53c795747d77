"""What is wrong with a database, a request or a text from elsewhere: a clear error, and nothing is recorded."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psycopg
import pytest

from tests.engines.postgres.conftest import empty_database
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually


@pytest.fixture
def homes(make_home):
    """A swarm of this test."""
    with empty_database() as url:
        yield SwarmHomes(url, make_home)


def owner(homes: SwarmHomes, statement: str) -> None:
    with psycopg.connect(homes.url, autocommit=True, options="-c default_transaction_read_only=off") as connection:
        connection.execute(statement.encode())


@pytest.fixture
def database(homes) -> str:
    """The name of the database."""
    with psycopg.connect(homes.url) as connection:
        ((name,),) = connection.execute("select current_database()").fetchall()
        return str(name)


def hang_up(homes: SwarmHomes) -> None:
    owner(homes, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                 " and pid <> pg_backend_pid()")  # fmt: skip


def test_a_database_that_is_read_only_is_silence_and_what_runs_goes_on(homes, database):
    home = homes.hive("a")
    home.ok("run", "--on", "any", "--name", "long", "sleep 1000")
    owner(homes, f'alter database "{database}" set default_transaction_read_only = on')
    hang_up(homes)
    said = homes.desk.refused("run", "--on", "any", "true", code="swarm_silent")
    assert "takes no writes" in said
    eventually(lambda: home.json("swarm", "status", "--json")["silence"], timeout=30, what="the hive says so")
    assert [row["status"] for row in home.ps()] == ["running"]
    owner(
        homes,
        f'alter database "{database}" reset default_transaction_read_only',
    )
    hang_up(homes)
    assert list(homes.posts()) == ["long"]
    homes.desk.ok("kill", "swarm/long")
    homes.wait_state("long", "cancelled", timeout=60)


def test_a_login_that_has_no_part_in_a_swarm_of_that_database_is_told_so(make_home):
    home = make_home()
    home.ok("start")
    with empty_database() as url, psycopg.connect(url, autocommit=True) as connection:
        login = f"l{connection.info.dbname}"
        connection.execute("create schema overmind")
        connection.execute(f"create role \"{login}\" login password 'x'".encode())
        try:
            words = url.replace("user=postgres", f"user={login}&password=x")
            assert words != url
            said = home.refused("swarm", "join", words, code="forbidden")
            assert "has no part in a swarm of that database" in said
            assert home.refused("swarm", "status", code="no_swarm")
        finally:
            connection.execute(f'drop role "{login}"'.encode())


def test_a_database_whose_disk_is_full_says_so_and_keeps_nothing_of_what_was_asked(homes):
    """The server answers as one does that can't write."""
    home = homes.hive("a")
    home.ok("run", "--on", "any", "--name", "long", "sleep 1000")
    owner(
        homes,
        "create function public.full() returns trigger language plpgsql as $$ begin"
        " raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;"
        "create trigger full_ before insert or update on overmind.posts for each row execute function public.full();"
        "create trigger full_ before insert or update on overmind.sessions for each row execute function public.full()",
    )
    said = homes.desk.refused("run", "--on", "any", "true", code="swarm_silent")
    assert said == "The disk of the swarm's database is full: could not extend file: No space left on device\n"
    eventually(lambda: "is full" in home.json("swarm", "status", "--json")["silence"], timeout=30, what="it is said")
    assert [row["status"] for row in home.ps()] == ["running"]
    owner(homes, "drop function public.full cascade")
    homes.desk.ok("kill", "swarm/long")
    homes.wait_state("long", "cancelled", timeout=60)
    assert list(homes.posts()) == ["long"]


IMPOSSIBLE = [
    (["run", "--on", "any", "--cpu", "0", "true"], "invalid", 2),
    (["run", "--on", "any", "--cpu", "many", "true"], "invalid", 2),
    (["run", "--on", "any", "--mem", "-1", "true"], "invalid", 2),
    (["run", "--on", "gpu", "true"], "invalid", 2),
    (["run", "--on", "any", "--on-lost", "move", "--lease", "9s", "true"], "invalid", 2),
    (["quest", "add", "Docs", "--on", "any", "--lease", "1s", "--", "true"], "invalid", 2),
    (["run", "--on", "any", "--secret", "NONE", "true"], "no_secret", 1),
    (["quest", "add", "Docs", "--on", "any", "--needs", "nobody", "--", "true"], "not_found", 1),
    (["fleet", "scale", "nobody", "3"], "not_found", 1),
    (["hive", "drain", "nobody"], "hive_unknown", 1),
    (["kill", "swarm/nobody"], "not_found", 1),
    (["answer", "swarm/999", "allow"], "not_found", 1),
]


def test_a_run_that_its_hive_can_not_start_is_not_said_to_be_started(homes, absent):
    homes.hive("a")
    said = homes.desk.ok("run", "--on", "any", "--name", "nofolder", "--cwd", absent, "true")
    assert said.startswith("Posted ")
    assert "given back: " in said
    assert homes.posts()["nofolder"]["state"] == "queued"


def test_a_database_that_is_not_there_is_named_with_how_it_is_made(homes, database):
    url = homes.url.replace(database, "nodb")
    said = homes.desk.refused("swarm", "init", url, code="invalid")
    assert "There is no database nodb on that server. Make it first: createdb nodb" in said


def test_what_makes_no_sense_is_refused_and_nothing_is_posted(homes):
    for words, code, exit_code in IMPOSSIBLE:
        assert homes.desk.refused(*words, code=code, exit_code=exit_code).strip(), words
    assert homes.posts() == {}


def test_more_processors_than_any_hive_has_are_said_and_given_up_now(homes):
    homes.hive("a")
    said = homes.desk.ok("run", "--on", "any", "--cpu", "4000", "--name", "huge", "true")
    assert said.endswith("(huge): no: 1 hive, none fits: cpu: it has " + f"{os.cpu_count()}\n")
    homes.desk.refused("run", "--on", "any", "--cpu", "4000", "--name", "other", "--now", "true", code="no_room")
    assert {name: row["state"] for name, row in homes.posts().items()} == {"huge": "queued", "other": "cancelled"}


@pytest.mark.parametrize("role", ["viewer", "worker"])
def test_a_login_that_may_not_post_is_told_so_and_posts_nothing(homes, role):
    home = homes._make()
    home.ok("swarm", "join", homes.invited("eve", role))
    said = home.refused("run", "--on", "any", "true", code="forbidden")
    assert "may not post to the swarm: that takes the role operator." in said
    home.refused("quest", "add", "Docs", "--on", "any", "--", "true", code="forbidden")
    home.refused("swarm", "invite", "friend", "--role", "owner", code="forbidden")
    assert homes.posts() == {}


def test_a_viewer_looks_at_all_and_is_no_hive(homes):
    worker, eve = homes.hive("a"), homes._make()
    said = eve.ok("swarm", "join", homes.invited("eve", "viewer"), "--slots", "4")
    assert said.startswith("Looking at swarm overmind, as its viewer: ")
    homes.desk.ok("run", "--on", "any", "--name", "docs", "echo written")
    homes.wait_state("docs", "done")
    for _ in range(2):  # a daemon that begins anew looks, too
        assert [one["name"] for one in eve.json("ps", "-H", "swarm", "--all", "--json")] == ["docs"]
        assert eve.ok("logs", "swarm/docs") == "written\n"
        state = eve.json("swarm", "status", "--json")
        assert [one["name"] for one in state["hives"]] == [homes.name("a")]
        assert state["hive"] is None
        eve.refused("kill", "swarm/docs", code="forbidden")
        eve.ok("start", "--replace")
    eve.ok("swarm", "leave")
    eve.refused("swarm", "status", code="no_swarm")
    eve.refused("swarm", "leave", code="no_swarm")
    eve.ok("swarm", "join", homes.invited("eve", "worker"))
    assert {one["name"] for one in worker.json("swarm", "status", "--json")["hives"]} == {
        homes.name("a"), homes.name("eve")}  # fmt: skip


def test_outputs_of_more_than_16_mib_fail_their_quest_and_are_handed_to_nobody(homes):
    homes.hive("a")
    outputs = [word for number in range(1, 6) for word in ("--outputs", str(number))]
    homes.desk.ok("quest", "add", "Large", "--on", "any", "--retries", "0", *outputs, "--",
                  "for n in 1 2 3 4 5; do head -c 4000000 /dev/zero > $OVERMIND_OUTPUT_DIR/$n; done")  # fmt: skip
    row = homes.wait_state("large", "failed", "done", timeout=60)
    assert (row["state"], row["reason"]) == ("failed", "too_large")
    with psycopg.connect(homes.url) as connection:
        assert connection.execute("select count(*) from overmind.outputs").fetchall() == [(0,)]


def test_a_blueprint_that_loses_an_agent_that_its_fleet_needs_is_refused(homes, tmp_path):
    path = tmp_path / "team.toml"
    path.write_text('[agents.review]\ncommand = "true"\n[fleets.review]\nagent = "review"\nreplicas = 0\n')
    homes.desk.ok("apply", str(path))
    path.write_text('[agents.other]\ncommand = "true"\n[fleets.review]\nagent = "review"\nreplicas = 2\n')
    said = homes.desk("apply", str(path))
    assert said.returncode != 0
    assert "review" in said.stderr
    assert homes.desk.json("fleet", "info", "review", "--json")["want"] == 0


HOSTILE = "\x1b]0;owned\x07\x1b[31m\u202egnp.exe\x9b2J\n!" + 5000 * "x"


def test_hostile_texts_of_another_hive_reach_no_terminal(homes):
    """Straight from the database, as a hive with a program of its own would write them."""
    home = homes.hive("a", "--slots", "0")
    with psycopg.connect(homes.url, autocommit=True) as connection:
        hostile = {
            "id": "bad0bad0",
            "kind": "run",
            "name": HOSTILE,
            "labels": {HOSTILE: HOSTILE},
            "run": {"command": HOSTILE},
        }
        connection.execute("select overmind.post(%s::jsonb)", (json.dumps([hostile]),))
        connection.execute(
            "update overmind.hives set labels = %s::jsonb, version = %s, system = %s",
            (json.dumps({HOSTILE: HOSTILE}), HOSTILE, HOSTILE),
        )
        connection.execute("update overmind.posts set reason = %s, status = %s", (HOSTILE, HOSTILE))
        connection.execute(
            "insert into overmind.questions (post, fence, key, body) values ('bad0bad0', 0, 'x', %s::jsonb)",
            (json.dumps({"key": "x", "text": HOSTILE, "summary": HOSTILE, "name": HOSTILE}),),
        )
    for words in (
        ["ps", "-H", "swarm"], ["swarm", "status"], ["why", "bad0bad0"], ["inbox", "-H", "swarm"], ["hive", "list"],
        ["queue", "-H", "swarm"], ["board", "-H", "swarm"], ["events", "-H", "swarm"], ["fleet", "list"],
        ["kill", "swarm/bad0bad0"], ["quest", "retry", "-H", "swarm", "bad0bad0"], ["logs", "swarm/bad0bad0"],
    ):  # fmt: skip
        said = home(*words)
        shown = said.stdout + said.stderr
        if words[0] in {"ps", "swarm", "hive"}:
            assert max(map(len, shown.splitlines())) < 400, (words, "endless cells would hide the others")
        assert not any(bad in shown for bad in ("\x1b]", "\x1b[31m", "\x07", "\x9b", "\u202e")), (words, shown)


def test_an_id_that_no_word_of_a_command_could_be_is_refused(homes):
    """`overmind kill $(overmind ps -q -H swarm)` takes each as a word."""
    for odd in ("a --force", "\x1b[31m", "A", "", None):
        one = {"id": odd, "kind": "run", "name": "odd", "run": {"command": "true"}}
        with psycopg.connect(homes.url) as connection, pytest.raises(psycopg.Error, match="no id of a post"):
            connection.execute("select overmind.post(%s::jsonb)", (json.dumps([one]),))


def test_a_hive_has_labels_that_posts_can_ask_for(homes, make_home):
    home, url = make_home(), homes.invited("odd", "worker")
    home.ok("start")
    for label in ("zone name=x", "zone=a,b", "zone=\x1b[31m", f"zone={64 * 'x'}", f"{64 * 'x'}=a"):
        said = home.refused("swarm", "join", url, "--label", label, code="invalid")
        assert said.startswith("--label "), label
    home.refused("swarm", "status", code="no_swarm")


def test_a_question_with_a_nul_holds_up_nothing(homes, tmp_path):
    """An agent may write any character; the database knows no NUL."""
    home = homes.hive("a")
    work = Path(tmp_path, "work.py")
    work.write_text("import sys; sys.stdout.write('a' + chr(0) + 'b')")
    home.ok("run", "--on", "any", "--name", "nul", f"python3 {work}; exit 3")
    assert homes.wait_state("nul", "failed")["exit_code"] == 3
    home.ok("run", "--on", "any", "--name", "next", "true")
    homes.wait_state("next", "done")
