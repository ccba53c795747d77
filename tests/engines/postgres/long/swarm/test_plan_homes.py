"""Plans whose agents run on other hives: real homes, a real database, and supervisors that are killed."""

from __future__ import annotations

import pytest

from tests.engines.postgres.conftest import empty_database
from tests.engines.postgres.swarm.test_plan_homes import agents, killed, lives, one, until, wait_stage, written
from tests.kit.proxy import ANSWER, REQUEST
from tests.kit.repositories import Repository
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually


@pytest.fixture
def homes(make_home):
    """A swarm of this test."""
    with empty_database() as url:
        yield SwarmHomes(url, make_home)


@pytest.fixture
def way(homes):
    """The way to the database of the hive that applies."""
    with homes.way() as made:
        yield made


def test_a_plan_that_runs_anew_after_a_kill_has_no_second_copy_beside_the_first(homes, tmp_path):
    """The hive gives the first one its grace, which it uses."""
    homes.hive("a")
    homes.hive("b")
    desk = homes.desk
    desk.ok("apply", one(tmp_path, "trap : TERM; while :; do sleep .05; done"))
    first = wait_stage(desk, "there", "running")["post"]
    desk.ok("kill", "team")
    desk.ok("restart", "team")
    eventually(lambda: agents(desk)["there"]["post"]["state"] == "behind", timeout=30, what="it waits for the first")
    assert agents(desk)["there"]["post"]["hive"] == first["hive"]
    second = wait_stage(desk, "there", "running")["post"]
    rows = {row["id"]: row["state"] for row in desk.json("ps", "-H", "swarm", "--all", "--json")}
    assert rows == {first["id"]: "cancelled", second["id"]: "claimed"}
    assert lives(tmp_path) == ["x"] * 2


@pytest.mark.parametrize("what", [REQUEST, ANSWER])
def test_a_supervisor_that_is_killed_before_it_knows_whether_it_has_posted_posts_once(homes, way, tmp_path, what):
    """Decided and not posted, or posted and not told: the next one finds out."""
    desk = homes.hive("desk", "--slots", "0", way=way)
    way.lose(what, "post", 1000)
    desk.ok("apply", one(tmp_path, "true"))
    eventually(lambda: way.lost["post"] > 0, timeout=30, what="it was lost")
    way.cut()
    killed(desk)
    assert agents(desk)["there"]["post"]["state"] is None
    homes.hive("a")
    way.lose(what, "post", 0)
    way.mend()
    assert wait_stage(desk, "there", "succeeded", timeout=90)["attempt"] == 1
    assert lives(tmp_path) == ["x"]
    assert len(homes.posts()) == 1


def test_a_supervisor_that_is_killed_before_it_is_told_the_end_asks_for_it(homes, way, tmp_path):
    desk = homes.hive("desk", "--slots", "0", way=way)
    homes.hive("a")
    desk.ok("apply", one(tmp_path, f"{until(tmp_path / 'go')}; echo done there"))
    wait_stage(desk, "there", "running")
    way.cut()
    (tmp_path / "go").touch()
    homes.wait_state("team-there", "done")
    assert agents(desk)["there"]["stage"] == "running"
    killed(desk)
    way.mend()
    assert wait_stage(desk, "there", "succeeded", timeout=90)["post"]["hive"] == homes.name("a")
    assert lives(tmp_path) == ["x"]


def test_an_agent_from_git_runs_there_once_its_hive_trusts_the_file(homes, tmp_path):
    shelf = Repository(str(tmp_path / "agents"))
    shelf.commit("agents", {"say.toml": '[agents.say]\ncommand = "echo said"\n'})
    shelf.git("tag", "v1")
    address = f"{shelf.folder}//say.toml@v1#say"
    home = homes.hive("a")
    homes.desk.ok("apply", written(tmp_path, f'[agents.there]\nagent = "{address}"\non = "any"\n'))

    def is_refused() -> bool:
        return "say.toml is not trusted here yet" in home.ok("why", "swarm/team-there")

    eventually(is_refused, timeout=40, what="the hive says why it gives it back")
    assert agents(homes.desk)["there"]["stage"] == "starting"
    home.ok("trust", address, "--yes")
    assert wait_stage(homes.desk, "there", "succeeded", timeout=90)["post"]["hive"] == homes.name("a")
