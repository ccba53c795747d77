"""Plans whose agents run on other hives: real homes, a real database, and supervisors that are killed."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.engines.postgres.conftest import empty_database
from tests.kit.killing import await_another, kill_both, kill_supervisor
from tests.kit.overmind import Overmind
from tests.kit.processes import of_home
from tests.kit.swarm_homes import SwarmHomes, url_of_server
from tests.kit.waiting import eventually

CHAIN = """
[agents.first]
command = "echo from here"

[agents.there]
command = 'printf 7 > "$OVERMIND_OUTPUT_DIR/number"; echo "there: ${agents.first.result}"'
outputs = ["number"]
on = "any"

[agents.also]
command = 'echo "log: ${agents.there.output}"; echo "${agents.there.number} and $PWD"'
on = { disk = "big" }
cwd = "/tmp"

[agents.last]
command = 'echo "${agents.there.result}, ${agents.also.result}, ${agents.there.exit_code}"'
"""
ONE = """
[agents.there]
command = "echo x >> {folder}/lives; {command}"
on = "any"
{keys}
"""


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


def written(folder: Path, text: str) -> str:
    path = folder / "team.toml"
    path.write_text(text)
    return str(path)


def one(folder: Path, command: str, keys: str = "") -> str:
    """A plan whose one agent runs on another hive; each of its runs is a line of `lives`."""
    return written(folder, ONE.format(folder=folder, command=command, keys=keys))


def until(gate: Path) -> str:
    """A command that ends once a file is there."""
    return f"while [ ! -e {gate} ]; do sleep .05; done"


def agents(home: Overmind, plan: str = "team") -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in home.api("plan", id=plan)["agents"]}


def wait_stage(home: Overmind, agent: str, *stages: str, timeout: float = 60.0) -> dict[str, Any]:
    """Return an agent as soon as it is at one of these stages."""

    def look() -> dict[str, Any] | None:
        found = agents(home)[agent]
        return found if found["stage"] in stages else None

    return eventually(look, timeout=timeout, what=f"{agent} is {' or '.join(stages)}") or {}


def running(home: Overmind) -> list[str]:
    return [row["name"] for row in home.ps() if row["status"] == "running"]


def lives(folder: Path) -> list[str]:
    path = folder / "lives"
    return path.read_text().splitlines() if path.exists() else []


def killed(home: Overmind) -> None:
    """Kill a supervisor, which may not be asked anything before."""
    old = home.supervisor_pid()
    os.kill(old, signal.SIGKILL)
    await_another(home, old)


def test_a_plan_goes_over_two_hives_and_back_and_values_travel(homes, tmp_path):
    homes.hive("small", "--label", "disk=small")
    homes.hive("big", "--label", "disk=big")
    desk = homes.desk
    desk.ok("apply", written(tmp_path, CHAIN))
    desk.wait_status("team", "stopped", timeout=90)
    found = agents(desk)
    assert {name: row["stage"] for name, row in found.items()} == dict.fromkeys(found, "succeeded")
    assert found["there"]["result"] == "there: from here"
    assert found["there"]["facts"] == {"number": "7"}
    assert desk.logs(found["last"]["mission"]).splitlines()[-1] == "there: from here, 7 and /tmp, 0"
    post = found["also"]["post"]
    assert (post["state"], post["hive"], found["also"]["mission"]) == ("done", homes.name("big"), None)
    assert found["last"]["post"] is None
    (run,) = [row for row in homes.homes["big"].ps("--all") if row["name"] == "team-also"]
    assert "log: there: from here" in homes.homes["big"].logs(run["id"])
    text = desk.logs("team")
    assert f"also: posted to the swarm ({post['id']})" in text
    assert f"also: started on {homes.name('big')} ({post['id']})" in text
    assert "also: succeeded after" in text


def test_a_post_that_fails_is_tried_again_and_then_fails_its_plan(homes, tmp_path):
    homes.hive("a")
    desk = homes.desk
    path = one(tmp_path, "exit 3", 'retries = 1\nbackoff = "10ms"')
    with Path(path).open("a") as file:
        file.write("[agents.sorry]\ncommand = 'echo \"${agents.there.exit_code}\"'\n")
        file.write('depends_on = [{ agent = "there", until = "failure" }]\n')
    desk.ok("apply", path)
    desk.wait_status("team", "crashed", "stopped", timeout=90)
    found = agents(desk)
    assert (found["there"]["stage"], found["there"]["exit_code"], found["there"]["attempt"]) == ("failed", 3, 2)
    assert desk.logs(found["sorry"]["mission"]).splitlines()[-1] == "3"
    assert lives(tmp_path) == ["x"] * 2
    assert [row["state"] for row in desk.json("ps", "-H", "swarm", "--all", "--json")] == ["failed"] * 2


def test_an_output_that_is_not_there_fails_the_agent_as_at_home(homes, tmp_path):
    homes.hive("a")
    homes.desk.ok("apply", one(tmp_path, "true", 'outputs = ["number"]'))
    assert wait_stage(homes.desk, "there", "failed")["reason"] == "output_missing"


def test_a_post_waits_for_a_hive_that_fits_and_the_plan_says_so(homes, tmp_path):
    desk = homes.desk
    desk.ok("apply", one(tmp_path, "true", "cpu = 0.5"))
    eventually(lambda: agents(desk)["there"]["post"]["state"] == "queued", timeout=30, what="it is queued")
    found = agents(desk)["there"]
    assert (found["stage"], found["post"]["hive"]) == ("starting", None)
    assert "there are no hives" in desk.ok("why", f"swarm/{found['post']['id']}")
    homes.hive("a")
    assert wait_stage(desk, "there", "succeeded")["post"]["hive"] == homes.name("a")


@pytest.mark.parametrize("word", ["stop", "kill"])
def test_who_ends_a_plan_ends_its_posts(homes, tmp_path, word):
    home = homes.hive("a")
    homes.desk.ok("apply", one(tmp_path, "exec sleep 1000"))
    wait_stage(homes.desk, "there", "running")
    homes.desk.ok(word, "team")
    assert homes.desk.wait_status("team", "stopped", "killed", timeout=60)
    assert agents(homes.desk)["there"]["stage"] == "cancelled"
    homes.wait_state("team-there", "cancelled")
    eventually(lambda: not running(home), timeout=30, what="nothing runs there")


def test_a_post_that_waits_is_cancelled_with_its_plan(homes, tmp_path):
    homes.desk.ok("apply", one(tmp_path, "true"))
    homes.wait_state("team-there", "queued")
    homes.desk.ok("delete", "-y", "team")
    homes.wait_state("team-there", "cancelled")
    homes.desk.wait_status("team", "stopped", "crashed", timeout=30)


def test_what_the_swarm_cancels_fails_the_agent(homes, tmp_path):
    homes.desk.ok("apply", one(tmp_path, "true"))
    homes.wait_state("team-there", "queued")
    homes.desk.ok("kill", "-H", "swarm", "team-there")
    found = wait_stage(homes.desk, "there", "failed")
    assert (found["reason"], found["exit_code"]) == ("stopped", None)


def test_a_changed_agent_ends_there_and_runs_anew(homes, tmp_path):
    homes.hive("a")
    homes.desk.ok("apply", one(tmp_path, "exec sleep 1000"))
    wait_stage(homes.desk, "there", "running")
    assert "~ there (command)" in homes.desk.ok("apply", one(tmp_path, "echo anew"))
    assert wait_stage(homes.desk, "there", "succeeded")["attempt"] == 2
    assert lives(tmp_path) == ["x"] * 2


def test_a_removed_agent_ends_there(homes, tmp_path):
    home = homes.hive("a")
    homes.desk.ok("apply", one(tmp_path, "exec sleep 1000"))
    wait_stage(homes.desk, "there", "running")
    homes.desk.ok("apply", written(tmp_path, '[agents.here]\ncommand = "true"\n'))
    eventually(lambda: not running(home), timeout=30, what="nothing runs there")
    homes.desk.wait_status("team", "stopped", timeout=30)
    homes.wait_state("team-there", "cancelled")


def test_a_supervisor_that_is_killed_while_a_post_runs_hears_of_its_end(homes, tmp_path):
    homes.hive("a")
    homes.desk.ok("apply", one(tmp_path, until(tmp_path / "go")))
    wait_stage(homes.desk, "there", "running")
    kill_supervisor(homes.desk)
    (tmp_path / "go").touch()
    assert wait_stage(homes.desk, "there", "succeeded")["attempt"] == 1
    assert lives(tmp_path) == ["x"]


def test_a_hive_whose_plans_wait_for_others_leaves_only_if_it_is_told_to(homes, tmp_path):
    desk = homes.hive("desk", "--slots", "0")
    homes.hive("a")
    desk.ok("apply", one(tmp_path, until(tmp_path / "go")))
    wait_stage(desk, "there", "running")
    said = desk.refused("swarm", "leave", code="busy")
    assert "This hive waits for work of the swarm (plan team). End that first, or have it fail with: " in said
    assert desk.ok("swarm", "leave", "--release").startswith("Left swarm ")
    assert wait_stage(desk, "there", "failed")["reason"] == "no_swarm"
    (tmp_path / "go").touch()
    homes.wait_state("team-there", "done")


def test_a_cancel_that_nobody_has_heard_of_is_told_after_a_kill(homes, way, tmp_path):
    desk = homes.hive("desk", "--slots", "0", way=way)
    home = homes.hive("a")
    desk.ok("apply", one(tmp_path, "exec sleep 1000"))
    wait_stage(desk, "there", "running")
    way.cut()
    stopping = desk.popen("stop", "team")
    wait_stage(desk, "there", "stopping")
    killed(desk)
    way.mend()
    desk.wait_status("team", "stopped", timeout=90)
    homes.wait_state("team-there", "cancelled")
    eventually(lambda: not running(home), timeout=30, what="nothing runs there")
    stopping.communicate(timeout=30)


MIXED = """
[agents.db]
command = "exec sleep 1000"
restart = "always"

[agents.there]
command = "exec sleep 1000"
on = "any"
depends_on = [{ agent = "db", until = "started" }]
"""


def test_whoever_stops_a_plan_or_all_is_told_that_the_swarm_does_not_answer(homes, way, tmp_path):
    desk = homes.hive("desk", "--slots", "0", way=way)
    home = homes.hive("a")
    desk.ok("apply", written(tmp_path, MIXED))
    wait_stage(desk, "there", "running")
    way.cut()
    said = desk.refused("stop", "team", code="swarm_silent")
    assert said.startswith("team is being ended. The swarm's database does not answer: ")
    assert said.endswith(". Its agents on other hives are ended once the swarm answers.\n")
    assert {name: row["stage"] for name, row in agents(desk).items()} == {"db": "cancelled", "there": "stopping"}
    ended = desk("shutdown", "-y")
    assert (ended.returncode, ended.stdout) == (1, "Daemon stopped\n")
    assert ended.stderr == (
        "The swarm does not answer, so agents of team on other hives may still run. The next daemon ends them:"
        " overmind start\n"
    )
    assert running(home) == ["team-there"]
    eventually(lambda: not of_home(desk.home), timeout=30, what="nothing of the home runs")
    way.mend()
    desk.ok("start")
    desk.wait_status("team", "stopped", timeout=90)
    homes.wait_state("team-there", "cancelled")
    eventually(lambda: not running(home), timeout=30, what="nothing runs there")
    assert desk("shutdown", "-y").returncode == 0


@contextlib.contextmanager
def refused_login(homes: SwarmHomes, name: str) -> Iterator[None]:
    """The server refuses this login in the block."""
    with psycopg.connect(homes.url, autocommit=True) as owner:
        role = sql.Identifier(name)
        owner.execute(sql.SQL("alter role {} nologin").format(role))
        owner.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", (name,))
        try:
            yield
        finally:
            owner.execute(sql.SQL("alter role {} login").format(role))


@contextlib.contextmanager
def missing_database(homes: SwarmHomes, _name: str) -> Iterator[None]:
    """There is no database of that name in the block."""
    name = urlsplit(homes.url).path.strip("/")
    found, away = sql.Identifier(name), sql.Identifier(f"{name}_away")
    with psycopg.connect(url_of_server(), autocommit=True) as owner:
        owner.execute(sql.SQL("alter database {} allow_connections false").format(found))
        owner.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
        owner.execute(sql.SQL("alter database {} rename to {}").format(found, away))
        try:
            yield
        finally:
            owner.execute(sql.SQL("alter database {} rename to {}").format(away, found))
            owner.execute(sql.SQL("alter database {} allow_connections true").format(found))


@pytest.mark.parametrize(
    ("outage", "words"),
    [(refused_login, "The swarm refuses this login"), (missing_database, "There is no database")],
    ids=["refused login", "missing database"],
)
def test_a_plan_that_is_not_let_in_fails_nothing_and_posts_nothing_twice(homes, tmp_path, outage, words):
    """What a server says of a login or of its databases says nothing of a post."""
    desk = homes.hive("desk", "--slots", "0")
    homes.hive("a")
    desk.ok("apply", one(tmp_path, until(tmp_path / "go"), "retries = 2"))
    wait_stage(desk, "there", "running")
    with outage(homes, homes.name("desk")):
        eventually(lambda: desk("swarm", "status").returncode != 0, timeout=60, what="it is not let in")
        said = desk.refused("stop", "team", code="swarm_silent")
        assert said.startswith(f"team is being ended. {words}")
        assert agents(desk)["there"]["stage"] == "stopping"
    desk.wait_status("team", "stopped", timeout=120)
    homes.wait_state("team-there", "cancelled")
    assert lives(tmp_path) == ["x"]


def test_a_swarm_whose_database_is_gone_can_be_left(homes):
    desk = homes.hive("desk")
    with missing_database(homes, ""):
        said = desk.refused("swarm", "leave", code="swarm_silent")
        assert "There is no database" in said
        assert said.endswith("To leave all the same: overmind swarm leave --force\n")
        desk.ok("swarm", "leave", "--force")


def test_a_headless_run_that_is_ended_leaves_what_it_cannot_reach_to_the_next_daemon(homes, way, tmp_path):
    desk = homes.hive("desk", "--slots", "0", way=way)
    home = homes.hive("a")
    desk.ok("shutdown", "-y")
    run = desk.popen("--headless", "apply", "--home", desk.home, written(tmp_path, MIXED))
    eventually(lambda: running(home), timeout=60, what="it runs there")
    way.cut()
    run.terminate()
    run.communicate(timeout=60)
    assert run.returncode == 143
    way.mend()
    eventually(lambda: desk("start").returncode == 0, timeout=30, what="the keeper of the run has left")
    homes.wait_state("team-there", "cancelled", timeout=90)
    eventually(lambda: not running(home), timeout=30, what="nothing runs there")


def test_two_plans_of_one_name_run_at_one_hive_beside_each_other(homes, tmp_path):
    home = homes.hive("a")
    other = homes.hive("desk", "--slots", "0")
    for desk in (homes.desk, other):
        desk.ok("apply", one(tmp_path, until(tmp_path / "go")))
    eventually(lambda: len(running(home)) == 2, timeout=40, what="both run")
    (tmp_path / "go").touch()
    for desk in (homes.desk, other):
        wait_stage(desk, "there", "succeeded")


def test_a_hive_that_is_lost_fails_nothing_and_its_post_runs_anew_once_it_is_dead(homes, tmp_path):
    dying = homes.hive("a")
    first = tmp_path / "first"
    homes.desk.ok("apply", one(tmp_path, f"[ -e {first} ] || {{ touch {first}; exec sleep 1000; }}"))
    wait_stage(homes.desk, "there", "running")
    kill_both(dying)
    homes.hive("b")
    homes.desk.ok("hive", "rm", homes.name("a"), "--dead", "-y")
    found = wait_stage(homes.desk, "there", "succeeded", timeout=90)
    assert (found["attempt"], found["post"]["hive"]) == (1, homes.name("b"))
    assert lives(tmp_path) == ["x"] * 2


def test_what_is_too_large_for_the_swarm_fails_its_agent(homes, tmp_path):
    values = "\n".join(f'v{number} = "{"x" * 120_000}"' for number in range(10))
    words = ", ".join(f'"${{vars.v{number}}}"' for number in range(10))
    text = f'[vars]\n{values}\n[agents.there]\ncommand = ["echo", {words}]\non = "any"\n'
    homes.desk.ok("apply", written(tmp_path, text))
    assert wait_stage(homes.desk, "there", "failed")["reason"] == "too_large"
    assert homes.posts() == {}


def test_without_a_swarm_nothing_of_the_plan_begins(om, tmp_path):
    om.ok("start")
    path = one(tmp_path, "true")
    assert "overmind swarm join" in om.refused("apply", path, code="no_swarm")
    assert "overmind swarm join" in om.refused("apply", "--dry-run", path, code="no_swarm")
    assert om.ps("--all") == []


def test_a_login_that_may_not_post_is_refused_before_anything_begins(homes, tmp_path):
    home = homes.hive("a", role="worker")
    assert "--role operator" in home.refused("apply", one(tmp_path, "true"), code="forbidden")
    assert home.ps("--all") == []
