"""Real homes whose requests and answers get lost on the way to the database: nothing is started twice or lost."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from tests.engines.postgres.conftest import empty_database
from tests.kit.breaths import breathing, lives
from tests.kit.killing import kill_supervisor
from tests.kit.proxy import ANSWER, REQUEST
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.torture import some
from tests.kit.waiting import eventually


def until(gate: Path) -> str:
    """Return a command that ends once a file is there."""
    return f"while [ ! -e {gate} ]; do sleep .05; done"


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


FUNCTIONS = ("claim", "exchange", "beat", "watchlist", "end", "claims_of")
"""What a hive asks; `end`: the exchange in which it tells the end."""


@pytest.mark.parametrize(
    ("what", "function"),
    [*((ANSWER, one) for one in some(FUNCTIONS, part=2)), *((REQUEST, one) for one in some(FUNCTIONS))],
)
def test_what_is_lost_on_the_way_costs_a_run_nothing(homes, way, tmp_path, function, what):
    home = homes.hive("a", way=way)
    if function == "claims_of":  # it is asked for after a claim whose answer was lost
        way.lose(ANSWER, "claim", 2)  # one of them, perhaps, when there was nothing yet
    if function != "end":
        way.lose(what, function, 2)
    homes.desk.ok("run", "--on", "any", "--name", "once", f"echo x >> {tmp_path}/begun; {until(tmp_path / 'go')}")
    if function == "end":
        eventually(lambda: homes.posts()["once"]["status"] == "running", timeout=60, what="it was told that it runs")
        function = "exchange"
        way.lose(what, function, 2)
    else:
        eventually(lambda: way.lost[function] == 2, timeout=60, what="it was lost twice")
    (tmp_path / "go").touch()
    row = homes.wait_state("once", "done", "failed", timeout=60)
    assert (row["state"], row["fence"]) == ("done", 1)
    eventually(lambda: way.lost[function] == 2, timeout=30, what="it was lost twice")
    assert (tmp_path / "begun").read_text() == "x\n"
    assert len(home.ps("--all")) == 1


def test_a_run_whose_posting_was_answered_to_nobody_is_started_once(homes, way, tmp_path):
    """A link that is cut at any moment of a repeated `run`: one start, by the same key."""
    poster = homes.hive("poster", "--slots", "0", way=way)
    homes.hive("a")
    way.lose(ANSWER, "post")
    assert poster.ok("run", "--on", "any", "--name", "once", f"echo x >> {tmp_path}/begun").startswith("Started ")
    assert way.lost["post"] == 1
    homes.wait_state("once", "done")
    assert (tmp_path / "begun").read_text() == "x\n"
    assert len(homes.posts()) == 1


def test_a_run_of_which_nobody_knows_whether_it_was_posted_is_said_to_be_that(homes, way, tmp_path):
    poster = homes.hive("poster", "--slots", "0", way=way)
    way.lose(ANSWER, "post", 100)
    said = poster.refused("run", "--on", "any", "--name", "once", "true", code="outcome_unknown")
    assert re.match(r"[0-9a-f]{8} \(once\) may have been posted, or not: ", said)
    assert said.endswith("Look with: overmind ps -H swarm --all\n")
    assert list(homes.posts()) == ["once"]


def test_a_quest_whose_posting_was_answered_to_nobody_is_posted_once(homes, way, tmp_path):
    poster = homes.hive("poster", "--slots", "0", way=way)
    homes.hive("a")
    way.lose(ANSWER, "post")
    poster.ok("quest", "add", "Once", "--on", "any", "--", f"echo x >> {tmp_path}/begun")
    assert way.lost["post"] == 1
    homes.wait_state("once", "done", "failed")
    assert (tmp_path / "begun").read_text() == "x\n"


def test_what_was_given_back_to_nobodys_knowledge_begins_no_more_where_it_was(homes, way, tmp_path):
    """Whoever could not begin it could a moment later, when another hive has it."""
    home = homes.hive("a", "--label", "first=yes", way=way)
    folder = tmp_path / "later"
    way.lose(ANSWER, "give_back", 1)
    homes.desk.ok("run", "--on", "first=yes", "--cwd", str(folder), "--name", "once", breathing(tmp_path / "lives"))
    eventually(lambda: way.lost["give_back"] == 1, timeout=30, what="the answer was lost")
    folder.mkdir()  # now it could begin
    way.cut()
    assert homes.posts()["once"]["state"] == "queued"
    way.mend()
    line = f"  {homes.name('a')}  waits: given back: "
    eventually(lambda: line in homes.desk.ok("why", "once"), timeout=40, what="it says why")
    assert home.ps("--all") == []
    assert lives(tmp_path / "lives") == []


def test_a_join_whose_answer_was_lost_is_one_session(homes, way):
    way.lose(ANSWER, "join")
    home = homes._make()
    url = way.through(homes.invited("a"))
    first = home("swarm", "join", url)
    if first.returncode:
        assert "swarm_silent" in first.stderr
        home.ok("swarm", "join", url)
    assert way.lost["join"] == 1
    with psycopg.connect(homes.url) as owner:
        found = owner.execute("select state from overmind.sessions where hive = %s", (homes.name("a"),)).fetchall()
    assert found == [("alive",)]
    homes.desk.ok("run", "--on", "any", "--name", "once", "true")
    assert homes.wait_state("once", "done")["hive"] == homes.name("a")


def test_a_daemon_that_dies_with_its_question_begins_nothing_twice(homes, way, tmp_path):
    home = homes.hive("a", way=way)
    way.lose(ANSWER, "claim", 1)
    homes.desk.ok("run", "--on", "any", "--name", "once", f"echo x >> {tmp_path}/begun")
    eventually(lambda: way.lost["claim"] == 1, timeout=30, what="the answer was lost")
    kill_supervisor(home)
    row = homes.wait_state("once", "done")
    assert row["fence"] == 1
    assert (tmp_path / "begun").read_text() == "x\n"


def test_a_slow_way_costs_time_alone(homes, way, tmp_path):
    homes.hive("a", way=way)
    way.delay = 0.2
    homes.desk.ok("run", "--on", "any", "--name", "once", f"echo x >> {tmp_path}/begun")
    assert homes.wait_state("once", "done", timeout=60)["fence"] == 1
    assert (tmp_path / "begun").read_text() == "x\n"
