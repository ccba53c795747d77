"""Real homes in a swarm: they join, take posts, tell how those go, and lose nothing when something dies."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import stat
import uuid
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.engines.postgres.conftest import empty_database
from tests.kit.full_disk import full_disk
from tests.kit.killing import kill_both, kill_supervisor
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.terminal import Terminal
from tests.kit.waiting import eventually


@pytest.fixture
def homes(make_home):
    """A swarm of this test."""
    with empty_database() as url:
        yield SwarmHomes(url, make_home)


def test_two_homes_join_and_are_seen(homes):
    homes.hive("eu1", "--label", "region=eu", "--slots", "2")
    homes.hive("us1", "--slots", "0")
    state = homes.desk.json("swarm", "status", "--json")
    rows = {row["name"]: row for row in state["hives"]}
    assert rows[homes.name("eu1")]["labels"] == {"region": "eu"}
    assert [rows[homes.name(one)]["slots"] for one in ("eu1", "us1")] == [2, 0]
    assert homes.desk.ok("swarm", "status").startswith("swarm ")


def test_a_home_that_is_in_no_swarm_says_how_to_join_one(om):
    om.ok("start")
    assert "overmind swarm join" in om.refused("swarm", "status", code="no_swarm")
    om.refused("run", "--on", "any", "true", code="no_swarm")
    om.refused("ps", "-H", "swarm", code="no_swarm")


def test_the_url_is_kept_for_the_account_alone_and_in_no_answer(homes):
    home = homes.hive("eu1")
    assert stat.S_IMODE(Path(home.home, "swarm.url").stat().st_mode) == 0o600
    password = Path(home.home, "swarm.url").read_text().split(":")[2].split("@")[0]
    assert password not in home.ok("swarm", "status", "--json") + home.ok("status", "--json")
    assert not any(password in str(event) for event in home.events())


def test_a_run_is_taken_by_a_hive_that_has_its_labels_and_its_end_is_told(homes):
    homes.hive("eu1", "--label", "region=eu")
    us1 = homes.hive("us1", "--label", "region=us")
    said = us1.ok("run", "--on", "region=eu", "--name", "docs", "echo written; exit 3")
    assert said.startswith("Started mission ")
    assert said.endswith(f"(docs) on {homes.name('eu1')}\n")
    row = homes.wait_state("docs", "done", "failed")
    assert (row["state"], row["exit_code"], row["hive"]) == ("failed", 3, homes.name("eu1"))
    assert us1.ok("logs", "swarm/docs").replace("\r", "") == "written\n"
    assert [one["name"] for one in homes.homes["eu1"].ps("--all")] == ["docs"]


def test_a_post_has_at_its_hive_the_id_that_was_printed(homes):
    home = homes.hive("a")
    said = homes.desk.ok("run", "--on", "any", "--name", "docs", "echo hello")
    post = said.split()[2]
    assert said == f"Started mission {post} (docs) on {homes.name('a')}\n"
    assert "hello" in home.ok("logs", "-f", post)
    added = homes.desk.ok("quest", "add", "Site", "--on", "any", "--", "true")
    quest = added.split()[2]
    homes.wait_state("site", "done")
    assert home.json("quest", "info", quest, "--json")["name"] == "site"
    homes.desk.ok("quest", "retry", "swarm/site")  # another one of that id there may not be
    eventually(lambda: len(home.json("quest", "list", "--json")) == 2, timeout=30, what="it is done again")
    homes.wait_state("site", "done")


def test_a_post_whose_key_makes_an_id_of_digits_has_that_id_at_its_hive_too(homes):
    """No mission has one: a word of digits is a number."""
    home = homes.hive("a")
    key = next(key for key in map(str, count()) if uuid.uuid5(uuid.NAMESPACE_OID, key).hex[:8].isdigit())
    run = {"command": "echo hello", "name": "docs"}
    post = homes.desk.api("swarm_run", run=run, request=key)["id"]
    homes.wait_state("docs", "done")
    assert home.info(post)["name"] == "docs"


def test_a_run_without_a_name_gets_one_and_runs(homes):
    """Its id can't be its name: each hive would give it back."""
    for short in ("eu1", "eu2"):
        homes.hive(short)
    said = homes.homes["eu1"].ok("run", "--on", "any", "echo written")
    name = re.fullmatch(r"Started mission [0-9a-f]{8} \(([a-z]+-[a-z]+)\) on eu[12]-\w+\n", said)
    assert name is not None, said
    assert homes.wait_state(name[1], "done")["fence"] == 1


def test_what_no_hive_fits_waits_and_why_says_so_and_now_gives_up(homes):
    home = homes.hive("eu1")
    said = home.ok("run", "--on", "gpu=yes", "--name", "train", "true")
    assert said.startswith("Posted ")
    told = home.ok("why", "train").splitlines()
    assert told[-1].split() == [homes.name("eu1"), "no:", "label", "gpu=yes"]
    foreseen = home.ok("run", "--on", "gpu=yes", "--dry-run", "true")
    assert "no: label gpu=yes" in foreseen
    assert "train" in homes.posts()
    home.refused("run", "--on", "gpu=yes", "--name", "other", "--now", "true", code="no_room")
    assert homes.posts()["other"]["state"] == "cancelled"
    assert home.ok("kill", "swarm/train").endswith("cancelled\n")


def test_a_run_that_a_hive_could_take_but_none_takes_waits(homes):
    """The swarm does not know yet that the only hive is off."""
    kill_both(homes.hive("a"))
    said = homes.desk.ok("run", "--on", "any", "--name", "docs", "true")
    assert said.endswith("(docs): waits: no hive has taken it yet\n")


def test_a_hive_that_is_silent_is_not_counted_among_those_that_are_there(homes):
    homes.hive("b")
    kill_both(homes.hive("a"))
    with psycopg.connect(homes.url) as database:  # some time ago
        database.execute(
            "update overmind.sessions set seen_at = now() - interval '30 s' where hive = %s", (homes.name("a"),)
        )
    said = homes.desk.ok("swarm", "status").splitlines()
    assert said[0].startswith("swarm overmind · 1/2 hives · ")
    assert said[2].split()[:2] == [homes.name("a"), "silent"]


def test_what_a_hives_configuration_does_not_let_in_is_given_back_and_why_says_so(homes):
    home = homes.hive("a")
    home.ok("swarm", "leave")
    Path(home.home, "config.toml").write_text('[swarm]\naccept = { commands = false, from = ["alice"] }\n')
    home.ok("shutdown")
    home.ok("swarm", "join", homes.invited("a"))
    homes.desk.ok("run", "--on", "any", "--name", "docs", "true")
    line = f"  {homes.name('a')}  no: accepts nothing from "
    eventually(lambda: line in homes.desk.ok("why", "docs"), timeout=30, what="it says why not")
    assert homes.posts()["docs"]["state"] == "queued"
    assert home.ps("--all") == []


def test_a_hive_does_not_remove_itself(homes):
    home = homes.hive("a", role="owner")
    said = home.refused("hive", "rm", homes.name("a"), "-y", code="invalid")
    assert said == f"{homes.name('a')} is this hive. It leaves with: overmind swarm leave\n"
    assert homes.desk.json("swarm", "status", "--json")["hives"][0]["link"] == "open"


def test_the_posters_environment_and_folder_stay_where_they_are(homes, tmp_path):
    home = homes.hive("eu1")
    home.ok("run", "--on", "any", "--name", "env", "-e", "GIVEN=1", "env; pwd", env={"SECRET": "x"}, cwd=str(tmp_path))
    homes.wait_state("env", "done")
    log = home.ok("logs", "swarm/env")
    assert "GIVEN=1" in log
    assert "SECRET" not in log
    assert log.split()[-1] == home.environment["HOME"]


def test_a_post_that_runs_is_cancelled_at_its_hive(homes):
    home = homes.hive("eu1")
    home.ok("run", "--on", "any", "--name", "long", "sleep 1000")
    homes.desk.ok("kill", "swarm/long")
    homes.wait_state("long", "cancelled")
    (row,) = home.ps("--all")
    assert row["status"] == "killed"


def test_a_supervisor_that_is_killed_costs_nothing(homes, tmp_path):
    home = homes.hive("eu1")
    gate = tmp_path / "go"
    home.ok("run", "--on", "any", "--name", "long", f"while [ ! -e {gate} ]; do sleep .05; done; echo end")
    (before,) = home.ps()
    kill_supervisor(home)
    gate.touch()
    assert homes.wait_state("long", "done")["fence"] == 1
    (after,) = home.ps("--all")
    assert (before["id"], after["status"], after["restart_count"]) == (after["id"], "stopped", 0)


def test_twenty_runs_over_three_hives_run_once_each(homes, tmp_path):
    for name in ("a", "b", "c"):
        homes.hive(name, "--slots", "3")
    home = homes.homes["a"]
    for number in range(20):
        home.ok("run", "--on", "any", "--name", f"one-{number}", f"echo {number} >> {tmp_path}/done")
    eventually(lambda: all(row["state"] == "done" for row in homes.posts().values()), timeout=60, what="all are done")
    assert sorted(map(int, (tmp_path / "done").read_text().split())) == list(range(20))
    assert len({row["hive"] for row in homes.posts().values()}) > 1


def test_a_hive_that_dies_loses_a_run_with_move_to_another_after_its_lease(homes, tmp_path):
    first = homes.hive("a", "--slots", "1")
    command = f"echo $$ >> {tmp_path}/lives; sleep 1000"
    first.ok("run", "--on", "any", "--name", "mover", "--on-lost", "move", "--lease", "10s", command)
    second = homes.hive("b", "--slots", "1")
    status = first.json("status", "--json")
    pid = int((tmp_path / "lives").read_text().split()[0])
    for one in (status["keeper"]["pid"], status["pid"]):
        os.kill(one, signal.SIGSTOP)
    try:
        homes_row = eventually(
            lambda: (row := homes.posts()["mover"])["hive"] == homes.name("b") and row["state"] == "claimed" and row,
            timeout=60,
            what="it has moved",
        )
        assert homes_row["fence"] == 2
    finally:
        for one in (status["keeper"]["pid"], status["pid"]):
            os.kill(one, signal.SIGCONT)
    eventually(lambda: not Path(f"/proc/{pid}").exists(), timeout=20, what="the first life has ended")
    eventually(lambda: first.ps("--all")[0]["reason"] == "fenced", timeout=20, what="it is fenced")
    assert second.ps()[0]["status"] == "running"
    assert len((tmp_path / "lives").read_text().split()) == 2
    homes.desk.ok("kill", "swarm/mover")


def test_a_run_that_the_swarm_begins_again_is_not_offered_to_be_restarted_by_hand(homes):
    """It would run twice: its post is free once the hive is there again, and begun anew, here or elsewhere."""
    home = homes.hive("a", "--slots", "1")
    home.ok("run", "--on", "any", "--name", "long", "sleep 1000")
    own = home.mission("sleep 1000", "--name", "own")
    status = home.json("status", "--json")
    for one in (status["pid"], status["keeper"]["pid"]):
        os.kill(one, signal.SIGKILL)
    home.ok("start")
    eventually(lambda: homes.posts()["long"]["fence"] == 2, timeout=40, what="it is begun again")

    def running():
        return sorted(row["name"] for row in home.ps() if row["status"] == "running")

    eventually(lambda: running() == ["long"], timeout=20, what="it runs")
    assert home.ok("restart", "--lost") == f"Restarted mission {own}\n"
    eventually(lambda: running() == ["long", "own"], timeout=20, what="the own one runs, too")


def test_a_hive_that_nobody_knows_is_not_removed_and_a_name_like_it_is_said(homes):
    name = homes.name("a")
    home = homes.hive("a")  # a worker, which may not remove hives either
    assert f"Did you mean {name}?" in home.refused("hive", "rm", name[:-1], "-y", code="hive_unknown")
    assert f"Did you mean {name}?" in homes.desk.refused("hive", "rm", name[:-1], "-y", code="hive_unknown")


def test_a_hive_leaves_and_gives_back_what_it_has(homes):
    home = homes.hive("a")
    home.ok("run", "--on", "any", "--name", "long", "sleep 1000")
    said = home.refused("swarm", "leave", code="busy")
    assert "has work of the swarm (long). Give it back with: overmind swarm leave --release" in said
    assert home.ok("swarm", "leave", "--release").startswith("Left swarm ")
    assert homes.posts()["long"]["state"] == "queued"
    assert not Path(home.home, "swarm.url").exists()
    home.refused("swarm", "status", code="no_swarm")


def test_a_hive_leaves_a_swarm_that_is_gone_for_good_if_it_is_told_to(homes):
    with homes.way() as way:
        home = homes.hive("a", way=way)
        home.ok("run", "--on", "any", "--name", "long", "sleep 1000")
        eventually(home.ps, what="it runs")
        way.cut()
        said = home.refused("swarm", "leave", "--release", code="swarm_silent")
        assert ". To leave all the same, and lose what it could not tell: overmind swarm leave --force" in said
        assert home.ps()
        home.refused("swarm", "leave", "--force", code="busy")
        assert home.ok("swarm", "leave", "--release", "--force") == "Left swarm overmind\n"
        eventually(lambda: not home.ps(), what="nothing of it runs")
        home.refused("swarm", "status", code="no_swarm")
        way.mend()
    assert homes.posts()["long"]["state"] == "claimed"  # it was told nothing: its hive is silent
    homes.desk.ok("hive", "rm", homes.name("a"), "--dead", "-y")
    assert homes.posts()["long"]["state"] == "queued"


def test_a_hive_that_drains_takes_nothing_and_one_that_is_dead_gives_its_posts_up(homes):
    first = homes.hive("a", "--slots", "1")
    assert homes.desk.ok("hive", "drain", homes.name("a")) == f"Hive {homes.name('a')} takes nothing new (0 run on)\n"
    assert first.ok("run", "--on", "any", "--name", "later", "sleep 1000").startswith("Posted ")
    homes.desk.ok("hive", "drain", homes.name("a"), "--undo")
    homes.wait_state("later", "claimed")
    second = homes.hive("b", "--slots", "1")
    frozen = first.json("status", "--json")["pid"]
    os.kill(frozen, signal.SIGSTOP)
    try:
        with Terminal(homes.desk, "hive", "rm", homes.name("a"), "--dead") as terminal:
            terminal.expect(rf"Is the machine of {homes.name('a')} off, for good\? It was seen [0-9.]+s ago\.")
            terminal.type("\r")
            assert terminal.end() == 1
        said = homes.desk.ok("hive", "rm", homes.name("a"), "--dead", "-y")
        assert said == f"Removed hive {homes.name('a')}: posts that begin elsewhere: 1, failed: 0\n"
        eventually(lambda: homes.posts()["later"]["hive"] == homes.name("b"), timeout=30, what="it begins elsewhere")
    finally:
        os.kill(frozen, signal.SIGCONT)
    eventually(lambda: [row["name"] for row in second.ps()] == ["later"], what="it runs there")
    homes.desk.ok("kill", "swarm/later")


def test_a_hive_that_was_removed_leaves_and_ends_what_it_still_has(homes):
    home = homes.hive("a")
    home.ok("run", "--on", "any", "--name", "long", "--on-lost", "wait", "sleep 1000")
    homes.wait_state("long", "claimed")
    eventually(home.ps, what="it runs")
    homes.desk.ok("hive", "rm", homes.name("a"), "--dead", "-y")
    home.refused("swarm", "status", code="forbidden")
    assert "(long). Give it back with: overmind swarm leave --release" in home.refused("swarm", "leave", code="busy")
    assert home.ok("swarm", "leave", "--release") == "Left swarm overmind\n"
    eventually(lambda: not home.ps(), what="nothing of it runs")
    assert not Path(home.home, "swarm.url").exists()
    homes.desk.ok("kill", "swarm/long")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["swarm", "join", "http://example.com"], "invalid"),
        (["swarm", "join", ""], "invalid"),
        (["swarm", "join", "postgresql://x@db.example.com/a?sslmode=disable"], "invalid"),
        (["swarm", "join", "postgresql://x@db.example.com/a?sslrootcert=db.crt"], "invalid"),
        (["swarm", "join", "postgresql://x@db.example.com/a?sslrootcert=~/db.crt"], "invalid"),
        (["swarm", "join", "postgresql://x@127.0.0.1:1/a"], "swarm_silent"),
        (["swarm", "init", "postgresql://x@127.0.0.1:1/a"], "swarm_silent"),
    ],
)
def test_an_address_that_is_none_or_not_safe_is_refused_and_nothing_is_kept(om, words, code):
    om.ok("start")
    om.refused(*words, code=code)
    assert not any(Path(om.home, name).exists() for name in ("swarm.url", "swarm-owner.url"))


def test_a_hive_whose_disk_is_full_says_so_and_goes_on_once_there_is_room(homes):
    home = homes.hive("a")
    pid = home.json("status", "--json")["pid"]
    with full_disk(pid):
        eventually(lambda: "state.db can't be written" in home("swarm", "status").stderr, timeout=30, what="it says so")
        homes.desk.ok("run", "--on", "any", "--name", "later", "true")
    homes.wait_state("later", "done")
    assert "can't be written" not in home("swarm", "status").stderr


def test_a_post_that_makes_no_sense_is_given_back_and_holds_up_no_other(homes):
    home = homes.hive("a")
    with psycopg.connect(homes.url) as database:
        odd = [{"id": "0dd0dd0d", "kind": "run", "name": "odd", "run": {"command": "true", "cwd": ["x"], "labels": 7}}]
        database.execute("select overmind.post(%s::jsonb)", (json.dumps(odd),))
    home.ok("run", "--on", "any", "--name", "good", "true")
    homes.wait_state("good", "done")
    assert homes.posts()["odd"]["state"] == "queued"
    assert homes.name("a") in home.ok("why", "odd")


def test_a_run_that_has_ended_has_no_lease_any_more(homes):
    home = homes.hive("a")
    home.ok("run", "--on", "any", "--name", "mover", "--on-lost", "move", "--lease", "10s", "true")
    homes.wait_state("mover", "done")
    (row,) = home.ps("--all")
    home.ok("restart", row["id"])
    home.wait_status(row["id"], "stopped")
    leases = sqlite3.connect(f"file:{home.home}/state.db?mode=ro", uri=True)
    ((text,),) = leases.execute("SELECT value FROM meta WHERE key = 'leases'")
    leases.close()
    assert json.loads(text)["until"] == {}


def test_a_hive_that_can_not_leave_is_still_one(homes):
    home = homes.hive("a")
    home.ok("run", "--on", "any", "--name", "long", "sleep 1000")
    name = homes.name("a")
    with psycopg.connect(homes.url, autocommit=True) as database:
        database.execute(f'alter role "{name}" connection limit 0'.encode())
        database.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", (name,))
        left = home("swarm", "leave", "--release")
        database.execute(f'alter role "{name}" connection limit -1'.encode())
    assert left.returncode == 1
    assert [row["status"] for row in home.ps()] == ["running"], "nothing is ended while it can't be given back"
    homes.desk.ok("kill", "swarm/long")
    homes.wait_state("long", "cancelled")
    home.ok("swarm", "leave")


def test_the_end_of_a_log_is_shown_harmless_as_another_machine_wrote_it(homes):
    home = homes.hive("a")
    command = r"printf 'one\n\033]0;title\007\033[2Jtwo\342\200\256\nthree'"
    home.ok("run", "--on", "any", "--name", "hostile", command)
    homes.wait_state("hostile", "done")
    assert home.ok("logs", "swarm/hostile") == "one\ntwo\nthree\n"
    assert home.ok("logs", "swarm/hostile", "--tail", "2") == "two\nthree\n"
    assert home.ok("logs", "swarm/hostile", "--tail", "0") == ""
    assert home.ok("logs", "swarm/hostile", "--grep", "^t", "--tail", "1") == "three\n"
    assert "\x1b]0;title\x07" in home.ok("logs", "swarm/hostile", "--raw")
    assert "--since" in home.refused("logs", "swarm/hostile", "--since", "1h", code="invalid", exit_code=2)


def test_where_the_log_of_a_post_that_runs_is_seen_is_said(homes):
    there, other = homes.hive("a"), homes.hive("b", "--slots", "0")
    name = homes.name("a")
    homes.desk.ok("run", "--on", "any", "--name", "long", "sleep 600")
    homes.wait_state("long", "claimed")
    assert other("logs", "swarm/long").stderr == (
        f"long runs on {name}: the swarm has the end of its log once it has ended. As it runs, where {name} is a named"
        f" hive: overmind hive add {name} HOST\n"
    )
    Path(other.home, "config.toml").write_text(f'[hives.{name}]\nssh = "nowhere.invalid"\n')
    assert other("logs", "swarm/long").stderr == (
        f"long runs on {name}. See its log as it runs: overmind -H {name} logs long\n"
    )
    assert there("logs", "swarm/long").stderr == (
        f"long runs on {name}, this hive. See its log as it runs: overmind logs long\n"
    )
    said = other.refused("attach", "swarm/long", code="invalid", exit_code=2)
    assert said == f"long runs on {name}, where this can be done: overmind -H {name} attach long\n"
    Path(other.home, "config.toml").unlink()
    said = other.refused("info", "swarm/long", code="invalid", exit_code=2)
    assert said == (
        f"info is done at the hive that runs it. long runs on {name}."
        f" Name that hive first: overmind hive add {name} HOST\n"
    )
    other.refused("attach", "swarm/nosuch", code="not_found")
    homes.desk.ok("kill", "swarm/long")
