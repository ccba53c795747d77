"""Quests over real homes of a swarm, on a bare remote: who needs whom, what is handed on, and landing once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psycopg
import pytest

from tests.engines.postgres.conftest import empty_database
from tests.kit.overmind import Overmind
from tests.kit.proxy import Proxy
from tests.kit.repositories import Repository
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually

IDENTITY = "[user]\n\tname = Ada\n\temail = ada@example.com\n"


class Shop:
    """A bare remote, and a person's clone of it in which quests are posted."""

    def __init__(self, tmp_path: Path) -> None:
        self.remote = str(tmp_path / "shop.git")
        self.code = Repository(str(tmp_path / "shop"))
        self.code.commit("first", {"app.py": "one\n"})
        self.code.git("init", "-q", "--bare", "-b", "main", self.remote)
        self.code.git("remote", "add", "origin", self.remote)
        self.code.git("push", "-q", "-u", "origin", "main")

    def main(self, name: str) -> str:
        """Return a file as it is on the remote's main."""
        self.code.git("fetch", "-q", "origin")
        return self.code.git("show", f"origin/main:{name}")

    def subjects(self) -> list[str]:
        """Return the first lines of the commits of the remote's main that have landed, newest first."""
        self.code.git("fetch", "-q", "origin")
        return self.code.git("log", "--first-parent", "--format=%s", "origin/main").splitlines()

    def trailers(self) -> list[str]:
        """Return the quests that have landed, newest first."""
        self.code.git("fetch", "-q", "origin")
        words = "--format=%(trailers:key=Overmind-Quest,valueonly,separator=%x2C)"
        return self.code.git("log", "--first-parent", words, "origin/main").split()


@pytest.fixture
def homes(make_home):
    """A swarm of this test."""
    with empty_database() as url:
        yield SwarmHomes(url, make_home)


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def hive(homes: SwarmHomes, name: str, *words: str, way: Proxy | None = None):
    """A hive whose account can commit."""
    home = homes.hive(name, *words, way=way)
    Path(home.environment["HOME"], ".gitconfig").write_text(IDENTITY)
    return home


def add(home: Overmind, shop: Shop, title: str, *words: str, command: str) -> str:
    """Post a quest from the shop's checkout; return what is said."""
    return home.ok("quest", "add", title, "--on", *words, "--", command, cwd=shop.code.folder)


def test_what_it_waits_for_is_said_at_each_moment(homes, shop, tmp_path):
    home = hive(homes, "a", "--label", "step=one", "--slots", "1")
    gate = tmp_path / "go"
    add(home, shop, "One", "step=one", command=f"while [ ! -e {gate} ]; do sleep .05; done")
    add(home, shop, "Two", "any", "--needs", "one", command="true")
    homes.wait_state("one", "claimed")
    hive(homes, "b")
    lines = home.ok("quest", "why", "two", "-H", "swarm").splitlines()
    assert lines[0].endswith("): waits: needs one (claimed)")
    assert lines[2] == f"  {homes.name('b')}  waits: needs one (claimed)"
    assert f"{homes.name('a')} has it" in home.ok("quest", "why", "one", "-H", "swarm")
    gate.touch()
    homes.wait_state("two", "done")


def test_a_name_that_was_just_printed_is_waited_for_by_who_runs_nothing_of_it(homes, shop, tmp_path):
    hive(homes, "a", "--slots", "1")
    gate = tmp_path / "go"
    posted = homes.desk("quest", "add", "One", "--on", "any", "--", f"while [ ! -e {gate} ]; do sleep .05; done")
    row = homes.posts()["one"]
    assert posted.stdout == f"Quest queued: {row['id']} (one), in the swarm\n"
    assert posted.stderr == "Wait for it with: overmind quest wait swarm/one\n"
    assert "quest list -H swarm" in homes.desk.refused("quest", "info", "one", code="not_found")
    homes.wait_state("one", "claimed")
    assert homes.desk.ok("quest", "why", "one") == f"one ({row['id']}): {homes.name('a')} has it\n"
    with homes.desk.popen("quest", "wait", row["id"]) as waiting:
        gate.touch()
        out, _ = waiting.communicate(timeout=30)
    assert (waiting.returncode, out) == (0, f"Quest {row['id']} (one) finished on {homes.name('a')}: succeeded\n")
    add(homes.homes["a"], shop, "Bad", "any", "--retries", "0", command="exit 7")
    assert homes.desk("quest", "wait", "swarm/bad").returncode == 7
    add(homes.homes["a"], shop, "Then", "any", "--needs", "bad", command="true")
    assert homes.desk("quest", "wait", "then").returncode == 3


def test_a_hive_goes_on_while_the_code_of_a_quest_can_not_be_fetched_and_the_quest_can_be_cancelled(homes, shop):
    home = hive(homes, "a")
    home.ok("hive", "drain", homes.name("a"))
    add(home, shop, "Slow", "any", "--into", "main", command="true")
    head = Path(shop.remote, "HEAD")
    text = head.read_text()
    head.unlink()
    os.mkfifo(head)  # whoever reads the remote stands still
    home.ok("hive", "drain", homes.name("a"), "--undo")
    homes.wait_state("slow", "claimed")

    def beats() -> int:
        with psycopg.connect(homes.url) as owner:
            ((found,),) = owner.execute("select max(beat) from overmind.sessions").fetchall()
            return int(found)

    before = beats()
    eventually(lambda: beats() >= before + 2, timeout=30)
    home.ok("run", "--on", "any", "--name", "quick", "--on-lost", "move", "--lease", "10s", "--", "true")
    homes.wait_state("quick", "done")
    assert homes.posts()["slow"]["state"] == "claimed"
    home.ok("quest", "cancel", "swarm/slow")
    homes.wait_state("slow", "cancelled")
    with head.open("w") as pipe:
        head.unlink()
        head.write_text(text)
        pipe.write(text)
    home.ok("run", "--on", "any", "--name", "after", "--", "true")
    homes.wait_state("after", "done")
    assert "slow" not in home.ok("quest", "list")


def test_two_that_land_at_once_both_land(homes, shop):
    for name in ("a", "b"):
        hive(homes, name, "--slots", "1")
    for number in range(4):
        add(homes.homes["a"], shop, f"File {number}", "any", "--into", "main", command=f"echo {number} > f{number}")
    for number in range(4):
        homes.wait_state(f"file-{number}", "done", timeout=60)
    assert [shop.main(f"f{number}") for number in range(4)] == ["0", "1", "2", "3"]
    assert sorted(shop.trailers()) == sorted(row["id"] for row in homes.posts().values())


def test_work_that_fails_its_check_is_tried_again_at_its_hive_and_its_end_is_told(homes, shop):
    home = hive(homes, "a")
    add(home, shop, "Bad", "any", "--check", "false", "--retries", "1", "--backoff", "10", command="true")
    row = homes.wait_state("bad", "failed", "done", timeout=60)
    assert (row["state"], row["attempt"], row["reason"]) == ("failed", 2, "check_failed")
    assert home.json("inbox", "--json") == []
    assert home.ok("quest", "retry", "bad", "-H", "swarm").startswith("Quest queued: ")
    homes.wait_state("bad", "failed", timeout=60)
    assert homes.posts()["bad"]["fence"] > row["fence"]


def test_a_quest_is_cancelled_wherever_it_is(homes, shop):
    home = hive(homes, "a")
    add(home, shop, "Long", "any", command="sleep 1000")
    add(home, shop, "Never", "gpu=yes", command="true")
    homes.wait_state("long", "claimed")
    homes.desk.ok("quest", "cancel", "swarm/long", "swarm/never")
    homes.wait_state("long", "cancelled")
    assert homes.posts()["never"]["state"] == "cancelled"
    eventually(lambda: not home.ok("ps", "-q"), what="nothing of it runs")  # stopped or killed, as its start has got


def test_what_is_not_on_the_remote_is_not_posted(homes, shop):
    home = hive(homes, "a")
    commit = shop.code.commit("second", {"app.py": "two\n"})
    said = home.refused("quest", "add", "Docs", "--on", "any", "--", "true", cwd=shop.code.folder, code="not_pushed")
    assert said == f"{commit[:7]} is not on origin. Push it, or name a hive: -H NAME\n"
    shop.code.git("push", "-q")
    add(home, shop, "Docs", "any", command="true")
    homes.wait_state("docs", "done")


def test_a_branch_to_land_on_that_the_remote_lacks_is_refused_at_once(homes, shop):
    home = hive(homes, "a")
    words = ("quest", "add", "Docs", "--on", "any", "--into", "next", "--allow-empty", "--", "true")
    said = home.refused(*words, cwd=shop.code.folder, code="not_pushed")
    assert said == "There is no branch 'next' on origin to land on. Push it: git push origin next\n"
    shop.code.git("push", "-q", "origin", "main:next")
    home.ok(*words, cwd=shop.code.folder)
    assert homes.wait_state("docs", "done", "failed")["state"] == "done"


def test_a_remote_is_a_path_from_the_top(homes, shop):
    home = hive(homes, "a")
    below = Path(shop.code.folder, "far")
    below.mkdir()
    (below / "shop.git").symlink_to(shop.remote)
    shop.code.git("remote", "set-url", "origin", "far/shop.git")
    add(home, shop, "Docs", "any", command="true")
    assert homes.wait_state("docs", "done", "failed")["state"] == "done"


def test_quests_that_need_each_other_and_a_base_are_refused(homes, shop):
    home = hive(homes, "a")
    lines = [
        {"title": "One", "command": "true", "ref": "x", "needs": ["y"]},
        {"title": "Two", "command": "true", "ref": "y", "needs": ["x"]},
    ]
    file = Path(shop.code.folder, "quests.jsonl")
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    said = home.refused("quest", "add", "-f", str(file), "--on", "any", cwd=shop.code.folder, code="cycle")
    assert "would need each other: " in said
    words = ("quest", "add", "Docs", "--on", "any", "--base", "main", "--", "true")
    said = home.refused(*words, cwd=shop.code.folder, code="invalid", exit_code=2)
    assert said.startswith("--base can't be used with --on. Write --into BRANCH: ")
    assert homes.posts() == {}


def test_how_a_quest_has_failed_and_how_to_go_on_is_said_where_it_was_posted(homes, shop):
    home = hive(homes, "a")
    add(home, shop, "Bad", "any", "--check", "echo 3 tests fail; false", "--retries", "0", command="echo worked")
    add(home, shop, "Next", "any", "--needs", "bad", command="true")
    row = homes.wait_state("bad", "failed", "done", timeout=60)
    assert (row["reason"], row["status"]) == ("check_failed", None)
    then = "See the end of its log: overmind logs swarm/bad. Go on with: overmind quest retry swarm/bad\n"
    said = home.ok("quest", "why", "swarm/bad")
    assert said == f"bad ({row['id']}): it has failed on {homes.name('a')}: its check failed. {then}"
    log = home.ok("logs", "swarm/bad")
    assert log.startswith("worked\nAttempt 1 failed: its check failed.\n")
    assert "3 tests fail" in log
    waits = home.ok("quest", "why", "swarm/next").splitlines()[0]
    assert waits.endswith("waits: needs bad (failed). Go on with: overmind quest retry swarm/bad")


def test_a_remote_that_a_hive_cannot_read_is_given_back_with_the_reason(homes, shop):
    add(homes.desk, shop, "Docs", "any", command="true")
    os.rename(shop.remote, f"{shop.remote}.away")
    hive(homes, "a")
    line = f"  {homes.name('a')}  waits: given back: {shop.remote} can't be fetched here: "
    eventually(lambda: line in homes.desk.ok("quest", "why", "docs", "-H", "swarm"), timeout=30, what="why it waits")


def test_a_question_of_a_quest_is_answered_through_the_swarm(homes, shop):
    home = hive(homes, "a")
    add(home, shop, "Reviewed", "any", "--review", "person", "--into", "main", command="echo two > app.py")
    rows = eventually(lambda: homes.desk.json("inbox", "-H", "swarm", "--json"), timeout=30, what="it is asked")
    (row,) = rows
    assert (row["name"], row["need"], row["hive"]) == ("reviewed", "review", homes.name("a"))
    shown = homes.desk.ok("inbox", "-H", "swarm")
    assert f"→ overmind answer swarm/{row['question']} allow  accept the work, and land it" in shown
    assert "into: main" not in shown
    said = homes.desk.ok("answer", f"swarm/{row['question']}", "allow")
    assert said == f"Answered question swarm/{row['question']} of reviewed: allow\n"
    homes.wait_state("reviewed", "done", timeout=30)
    assert shop.main("app.py") == "two"
    assert homes.desk.json("inbox", "-H", "swarm", "--json") == []


def test_the_swarms_queue_board_cost_and_events_show_its_posts(homes, shop):
    home = hive(homes, "a", "--slots", "1")
    add(home, shop, "Done", "any", command="true")
    homes.wait_state("done", "done")
    add(home, shop, "Later", "any", command="true")
    homes.wait_state("later", "done")
    add(home, shop, "Never", "gpu=yes", command="true")
    add(home, shop, "After", "any", "--needs", "never", "--priority", "high", command="true")
    queue = homes.desk.ok("queue", "-H", "swarm").splitlines()
    assert queue[0] == "running 0/1 · queued 2"
    assert [line.split()[2] for line in queue[2:]] == ["never", "after"]
    assert queue[2].endswith("no: 1 hive, none fits: label gpu=yes")
    assert queue[3].endswith("waits: needs never (queued)")
    columns = {one["name"]: one for one in homes.desk.json("board", "-H", "swarm", "--json")["columns"]}
    assert [card["name"] for card in columns["done"]["quests"]] == ["later", "done"]
    assert [card["name"] for card in columns["queued"]["quests"]] == ["never", "after"]
    assert "QUEUED 2" in homes.desk.ok("board", "-H", "swarm")
    assert homes.desk.json("cost", "-H", "swarm", "--json") == []
    kinds = [one["type"] for one in homes.desk.ndjson("events", "-H", "swarm")]
    assert kinds.count("post_queued") >= 3
    assert "post_done" in kinds
    assert [one["type"] for one in homes.desk.ndjson("events", "-H", "swarm", "--type", "post_done")] == [
        "post_done"
    ] * 2
    homes.desk.refused("queue", "-H", "swarm", "--at", "+2h", code="invalid", exit_code=2)
