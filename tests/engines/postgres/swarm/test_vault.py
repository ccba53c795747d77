"""Secrets: set in one home, in the environment of a run in another one, and in no other byte."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import sqlite3
import stat
import uuid
from pathlib import Path

import psycopg
import pytest

from tests.engines.postgres.conftest import empty_database
from tests.kit.killing import kill_supervisor
from tests.kit.overmind import Overmind
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually

DIGEST = "python3 -c \"import hashlib, os; print(hashlib.sha256(os.environb[b'TOKEN']).hexdigest())\""
"""A command that shows that it has the secret TOKEN, and not the secret."""


@pytest.fixture
def homes(make_home):
    """A swarm of this test."""
    with empty_database() as url:
        yield SwarmHomes(url, make_home)


@pytest.fixture
def value():
    """A value like no other."""
    return f"planted-{uuid.uuid4().hex}"


def digest_of(value: str) -> str:
    """What `DIGEST` prints."""
    return hashlib.sha256(value.encode()).hexdigest()


def encoded(value: str) -> str:
    """A value as the vault's file has it."""
    return base64.b64encode(value.encode()).decode()


def files_with(home: Overmind, value: str) -> list[str]:
    """Names of the files of a home that hold a value."""
    whole = value.encode()
    root = Path(home.home)
    return sorted(
        str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and whole in path.read_bytes()
    )


def dump_of(url: str) -> str:
    """All that the swarm's tables hold, as text; bytes as escaped text, too."""
    parts = []
    with psycopg.connect(url) as database:
        tables = database.execute(
            "select table_name from information_schema.tables where table_schema = 'overmind'"
            " and table_type = 'BASE TABLE'"
        ).fetchall()
        assert len(tables) > 10
        for (name,) in tables:
            for row in database.execute(f'select * from overmind."{name}"'.encode()):
                parts += [one.decode("latin-1") if isinstance(one, bytes) else str(one) for one in row]
    return "\n".join(parts)


def put(home: Overmind, name: str, value: str, *words: str) -> str:
    """Set a secret; return the line."""
    return home.ok("vault", "set", name, *words, stdin=f"{value}\n")


def test_a_secret_set_here_is_in_the_childs_environment_there_and_in_no_other_byte(homes, value):
    here = homes.hive("here", "--label", "at=here")
    there = homes.hive("there", "--label", "at=there")
    assert put(here, "TOKEN", value) == "Secret TOKEN: for 2 hives\n"
    here.ok("run", "--on", "at=there", "--secret", "TOKEN", "--name", "user", DIGEST)
    homes.wait_state("user", "done")
    assert here.ok("logs", "swarm/user").strip() == digest_of(value)
    here.ok("quest", "add", "-H", "swarm", "Use it", "--on", "at=there", "--secret", "TOKEN", "--", DIGEST)
    homes.wait_state("use-it", "done")
    assert here.ok("logs", "swarm/use-it").strip() == digest_of(value)
    assert digest_of(value) in there.ok("logs", "user")

    assert files_with(here, value) == []
    assert files_with(there, value) == []
    assert files_with(here, encoded(value)) == ["vault.json"]
    assert files_with(there, encoded(value)) == []
    for path in (Path(here.home, "vault.json"), Path(here.home, "hive.key"), Path(there.home, "hive.key")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert value not in dump_of(homes.url)
    for home in (here, there, homes.desk):
        said = json.dumps(home.events())
        for words in (["vault", "list", "--json"], ["ps", "-H", "swarm", "--all", "--json"], ["ps", "--all", "--json"]):
            said += home.ok(*words)
        assert value not in said
    (row,) = [one for one in there.ps("--all") if one["name"] == "user"]
    assert value not in there.ok("info", row["id"], "--env", "--reveal", "--json")


def test_while_it_runs_a_secret_is_in_its_own_environment_and_in_no_list_of_processes(homes, value):
    home = homes.hive("a")
    put(home, "TOKEN", value)
    home.ok("run", "--on", "any", "--secret", "TOKEN", "--name", "long", "exec sleep 1000")
    homes.wait_state("long", "claimed")
    home.wait_status("long", "running")
    assert f"TOKEN={value}".encode() in Path(f"/proc/{home.pid('long')}/environ").read_bytes().split(b"\0")
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended
            assert value.encode() not in path.read_bytes()
    for pid in (home.supervisor_pid(), home.keeper_pid()):
        assert value.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    assert value not in home.ok("info", "long", "--env", "--reveal", "--json")
    assert files_with(home, value) == []
    homes.desk.ok("kill", "swarm/long")


def test_values_are_masked_in_what_the_swarm_is_told_of_a_run(homes, value):
    home = homes.hive("a")
    put(home, "TOKEN", value)
    home.ok("run", "--on", "any", "--secret", "TOKEN", "--name", "loud", "echo it is $TOKEN, yes")
    homes.wait_state("loud", "done")
    assert home.ok("logs", "swarm/loud").strip() == "it is ***, yes"
    assert value not in dump_of(homes.url)
    with sqlite3.connect(f"file:{home.home}/state.db?mode=ro", uri=True) as database:
        assert not [row for row in database.execute("SELECT claim FROM swarm_claims") if value in str(row[0])]


def test_a_mission_that_a_run_starts_does_not_inherit_its_secrets(homes, value):
    home = homes.hive("a")
    put(home, "TOKEN", value)
    child = "overmind run --wait --name child 'echo got:$TOKEN:'"
    home.ok("run", "--on", "any", "--secret", "TOKEN", "--name", "parent", f"{child}; {DIGEST}")
    homes.wait_state("parent", "done")
    assert home.ok("logs", "child").strip() == "got::"
    assert digest_of(value) in home.ok("logs", "parent")
    assert files_with(home, value) == []


def test_a_run_that_is_restarted_has_its_secret_again_also_under_the_next_supervisor(homes, value, tmp_path):
    home = homes.hive("a")
    put(home, "TOKEN", value)
    command = f"{DIGEST} >> {tmp_path}/runs; while [ ! -e {tmp_path}/go ]; do sleep .05; done; echo $TOKEN; exit 1"
    home.ok("run", "--on", "any", "--secret", "TOKEN", "--name", "again", "--restart", "on-failure",
            "--max-restarts", "1", "--backoff", "10", command)  # fmt: skip
    eventually(lambda: (tmp_path / "runs").exists() and (tmp_path / "runs").read_text(), timeout=20, what="it runs")
    homes.desk.ok("vault", "rm", "TOKEN", "-y")
    kill_supervisor(home)
    (tmp_path / "go").touch()
    homes.wait_state("again", "failed")
    assert (tmp_path / "runs").read_text().split() == [digest_of(value)] * 2
    assert home.ok("logs", "swarm/again").strip() == "***"
    assert files_with(home, value) == [f for f in files_with(home, value) if f.startswith("logs/")]


def test_a_secret_that_is_removed_is_why_nothing_begins_and_a_grant_mends_it(homes, value):
    home = homes.hive("a", "--slots", "1")
    other = homes.hive("b", "--slots", "0")
    put(other, "TOKEN", value)
    put(other, "OTHER", "x")
    home.ok("run", "--on", "any", "--name", "first", "sleep 1000")
    other.ok("run", "--on", "any", "--secret", "TOKEN", "--name", "user", DIGEST)
    with psycopg.connect(homes.url) as database:
        database.execute("select overmind.drop_secret('TOKEN', %s)", (homes.name("a"),))
    assert re.search(rf"{homes.name('a')} +no: secret TOKEN\n", other.ok("why", "user"))
    said = other.ok("vault", "grant", "TOKEN", homes.name("a")).splitlines()
    assert said[0] == "Secret TOKEN: for 2 hives"
    assert re.fullmatch(rf"Key of {homes.name('a')}: ([0-9a-f]{{4}} ){{7}}[0-9a-f]{{4}}", said[1])
    homes.desk.ok("kill", "swarm/first")
    homes.wait_state("user", "done")
    assert other.ok("vault", "rm", "TOKEN", "-y") == "Removed secret TOKEN (of 2 hives)\n"
    assert [row["name"] for row in other.json("vault", "list", "--json")] == ["OTHER"]
    other.refused("vault", "rm", "TOKEN", "-y", code="no_secret")
    other.refused("vault", "grant", "TOKEN", homes.name("a"), code="no_secret")
    other.refused("run", "--on", "any", "--secret", "TOKEN", "true", code="no_secret")
    other.refused("quest", "add", "Use it", "--on", "any", "--secret", "TOKEN", "--", "true", code="no_secret")
    assert set(homes.posts()) == {"first", "user"}


def test_a_hive_that_joins_later_is_granted_a_secret_and_shows_the_same_key(homes, value):
    first = homes.hive("a", "--label", "at=a")
    put(first, "TOKEN", value, "--on", "at=a")
    later = homes._make()
    lines = later.ok("swarm", "join", homes.invited("late")).splitlines()
    assert lines[0].startswith("Joined swarm ")
    shown = lines[1].removeprefix("Key of this hive, for secrets: ")
    said = first.ok("vault", "grant", "TOKEN", homes.name("late")).splitlines()
    assert said == ["Secret TOKEN: for 2 hives", f"Key of {homes.name('late')}: {shown}"]
    (row,) = later.json("vault", "list", "--json")
    assert (row["name"], row["hives"], row["here"]) == ("TOKEN", [homes.name("a"), homes.name("late")], False)
    assert homes.name("a") in later.refused("vault", "grant", "TOKEN", homes.name("a"), code="no_secret")
    first.refused("vault", "grant", "TOKEN", "nobody", code="hive_unknown")


def test_a_secret_for_labels_is_for_no_other_hive_any_more(homes):
    home = homes.hive("a", "--label", "at=a")
    homes.hive("b", "--label", "at=b")
    assert put(home, "TOKEN", "one") == "Secret TOKEN: for 2 hives\n"
    assert put(home, "TOKEN", "two", "--on", "at=a") == "Secret TOKEN: for 1 hive\n"
    (row,) = home.json("vault", "list", "--json")
    assert row == {"name": "TOKEN", "hives": [homes.name("a")], "put_by": [homes.name("a")], "here": True}


def test_workers_set_nothing_and_read_nobody_elses(homes, value):
    home = homes.hive("a")
    worker = homes.hive("w", role="worker")
    put(home, "TOKEN", value, "--on", "at=nowhere")
    home.ok("vault", "grant", "TOKEN", homes.name("a"))
    for words in (["vault", "grant", "TOKEN", homes.name("w")], ["vault", "rm", "TOKEN", "-y"]):
        worker.refused(*words, code="forbidden")
    worker.refused("vault", "set", "TOKEN", code="forbidden", stdin="x")
    assert not Path(worker.home, "vault.json").exists()
    home.ok("run", "--on", "any", "--secret", "TOKEN", "--name", "long", "sleep 1000")
    homes.wait_state("long", "claimed")
    with psycopg.connect(homes.url) as owner:
        ((session, fence),) = owner.execute("select session, fence from overmind.post_list where name = 'long'")
        ((post,),) = owner.execute("select id from overmind.post_list where name = 'long'")
    url = Path(worker.home, "swarm.url").read_text().strip()
    with psycopg.connect(url, autocommit=True) as database:
        with pytest.raises(psycopg.Error):
            database.execute("select * from overmind.my_secrets(%s, %s, %s)", (session, post, fence))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute("select sealed from overmind.secrets")
    homes.desk.ok("kill", "swarm/long")


@pytest.mark.parametrize(
    ("name", "given", "code"),
    [
        ("1X", "x", "invalid"),
        ("OVERMIND_HOME", "x", "invalid"),
        ("A B", "x", "invalid"),
        ("TOKEN", "", "invalid"),
        ("limit", "", "invalid"),
        ("TOKEN", "a\0b", "invalid"),
        ("TOKEN", "x" * 65537, "too_large"),
    ],
)
def test_what_can_not_be_a_secret_is_refused_and_not_kept(homes, name, given, code):
    said = homes.desk.refused("vault", "set", name, code=code, stdin=given)
    assert "xxxx" not in said
    assert not Path(homes.desk.home, "vault.json").exists()
    assert homes.desk.json("vault", "list", "--json") == []


def test_a_secret_that_no_hive_gets_is_kept_and_how_to_give_it_is_said(homes):
    homes.hive("a")
    said = homes.desk("vault", "set", "TOKEN", "--on", "region=mars", stdin="x")
    assert (said.returncode, said.stdout) == (0, "Secret TOKEN: for 0 hives\n")
    assert said.stderr == "No hive gets it yet. Give it to one with: overmind vault grant TOKEN HIVE\n"
    large = homes.desk.refused("vault", "set", "BIG", code="too_large", stdin="x" * (2 << 20))
    assert large == "The value of BIG has more than 65536 bytes. Keep it in a file there.\n"


def test_a_mission_may_not_use_the_vault(homes):
    home = homes.hive("a")
    put(home, "TOKEN", "x")
    commands = "'set T' list 'rm TOKEN -y' 'grant TOKEN a'"
    ended = home.finished(f"for words in {commands}; do echo x | overmind vault $words; done")
    log = home.ok("logs", ended["id"])
    assert log.count("Error: forbidden") == 4
    assert [row["name"] for row in home.json("vault", "list", "--json")] == ["TOKEN"]


def test_a_hive_with_another_key_has_none_of_the_secrets_before(homes):
    home = homes.hive("a")
    put(home, "TOKEN", "x")
    home.ok("swarm", "leave")
    Path(home.home, "hive.key").unlink()
    home.ok("swarm", "join", homes.invited("a"))
    assert homes.desk.json("vault", "list", "--json") == []
    (row,) = home.json("vault", "list", "--json")
    assert (row["hives"], row["here"]) == ([], True)
    home.ok("vault", "grant", "TOKEN", homes.name("a"))


WEB = """
[contexts.web]
env = { STAGE = "test", KEPT = "context" }
secrets = ["TOKEN"]
on = { at = "there" }
"""
SHOWN = f"echo $STAGE-$KEPT; {DIGEST}"


def test_a_context_brings_variables_secrets_and_the_place(homes, value):
    here = homes.hive("here", "--label", "at=here")
    homes.hive("there", "--label", "at=there")
    Path(here.home, "config.toml").write_text(WEB)
    put(here, "TOKEN", value)
    wanted = ["test-mine", digest_of(value)]
    said = here.ok("run", "--context", "web", "--name", "one", "-e", "KEPT=mine", SHOWN)
    assert said.endswith(f" on {homes.name('there')}\n")
    homes.wait_state("one", "done")
    assert here.ok("logs", "swarm/one").split() == wanted
    here.ok("quest", "add", "Two", "--context", "web", "-e", "KEPT=mine", "--", SHOWN)
    assert homes.wait_state("two", "done")["hive"] == homes.name("there")
    assert here.ok("logs", "swarm/two").split() == wanted
    here.ok("quest", "add", "-f", "-", "--on", "any", "--context", "web", stdin=json.dumps(
        {"title": "Three", "command": SHOWN, "env_set": {"KEPT": "mine"}}))  # fmt: skip
    assert homes.wait_state("three", "done")["hive"] == homes.name("there")
    assert here.ok("logs", "swarm/three").split() == wanted
    said = here.ok("run", "--context", "web", "--on", "gpu=yes", "--dry-run", "true")
    assert "no: label gpu=yes" in said
    assert "no: label at=there" in said


def test_a_context_with_secrets_is_for_the_swarm_alone(om):
    Path(om.home, "config.toml").write_text('[contexts.a]\nsecrets = ["X"]\n[contexts.b]\nenv = { STAGE = "test" }\n')
    assert "--on any" in om.refused("run", "--context", "a", "true", code="invalid", exit_code=2)
    om.refused("quest", "add", "Work", "--context", "a", "--", "true", code="invalid", exit_code=2)
    ended = om.finished("echo $STAGE", "--context", "b")
    assert om.logs(ended["id"]).strip() == "test"
