"""The full-screen program of a home in a real swarm of real homes, in a real PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from overmind_core.system.paths import Home
from overmind_tui.app import OvermindApp
from overmind_tui.shell.world import World
from tests.engines.postgres.conftest import empty_database
from tests.kit.named_hives import name_hives
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually
from tests.tui.conftest import later, picture, until

FLEET = """
[agents.review]
command = "exec sleep 1000"
[fleets.review]
replicas = 2
"""


@pytest.fixture
def homes(make_home):
    """A swarm of this test."""
    with empty_database() as url:
        yield SwarmHomes(url, make_home)


def play(om, scenario, size=(120, 40)):
    """Run the program of a home, until its swarm has answered, then the scenario."""

    async def whole():
        app = OvermindApp(Home(om.home), World(om.home, 0o022, om.environment))
        app.coaching.end()
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: app.fleet.loaded, what="missions")
            if app.swarm is not None:
                swarm = app.swarm
                await until(pilot, lambda: swarm.state.answered_at, what="the swarm")
            later(app)
            await scenario(app, pilot)
        await asyncio.to_thread(app.quitting.on_exit)

    asyncio.run(whole())


def rows(app):
    """What the open table shows, by name; nothing before there is one."""
    table = getattr(app.screen, "table", None)
    return {} if table is None else {branch.row["name"]: branch.row for branch in table.branches}


def test_a_swarm_is_seen_and_worked_with(homes, tmp_path):
    homes.hive("eu1", "--label", "region=eu", "--slots", "4")
    ada = homes.hive("ada", "--slots", "0")
    (tmp_path / "team.toml").write_text(FLEET)
    ada.ok("apply", str(tmp_path / "team.toml"))
    ada.ok("run", "--on", "any", "--name", "docs", "echo written; exec sleep 1000")
    ada.ok("run", "--on", "any", "--name", "big", "--cpu", "4000", "true")
    eu1 = homes.name("eu1")

    async def scenario(app, pilot):
        await until(pilot, lambda: "hives 2/2 · swarm 3+1" in picture(app), what="the header")
        app.commands.run("swarm")
        await until(pilot, lambda: "swarm/docs" in rows(app), what="its posts")
        assert rows(app)["swarm/docs"]["hive"] == eu1
        app.commands.run("swarm /name:big")
        await until(pilot, lambda: list(rows(app)) == ["swarm/big"], what="one of them")
        await pilot.press("w")
        await until(pilot, lambda: f"{eu1}  no: cpu" in picture(app), what="why it waits")
        await pilot.press("escape")
        await pilot.press("x")
        await until(pilot, lambda: "cancel post swarm/big?" in picture(app), what="asked")
        await until(pilot, lambda: app.screen.reading_delay.enough, what="read")
        await pilot.press("y")
        await until(pilot, lambda: "cancelled swarm/big" in picture(app), what="told")
        assert homes.wait_state("big", "cancelled")
        app.commands.run("fleets")
        await until(pilot, lambda: "review" in rows(app), what="its fleet")
        await pilot.press("s", "1", "enter")
        await until(pilot, lambda: "Fleet review: 2 → 1" in picture(app), what="scaled")
        await until(pilot, lambda: rows(app)["review"]["want"] == 1, what="seen")
        app.commands.run("hives")
        await until(pilot, lambda: eu1 in rows(app), what="its hives")
        app.screen.table.select(eu1)
        await pilot.press("d")
        await until(pilot, lambda: rows(app)[eu1].get("draining"), what="it takes nothing new")
        app.commands.run("board swarm")
        await until(pilot, lambda: "DONE" in picture(app) and "swarm/big" in rows(app), what="the board")
        app.commands.run("queue swarm")
        await until(pilot, lambda: "Nothing waits." in picture(app), what="the queue")

    play(ada, scenario)


def test_a_question_of_a_post_is_one_row_and_is_answered_the_shortest_way(homes):
    """Without a gate through the swarm; with one there, and not twice."""
    there = homes.hive("eu1", "--slots", "2")
    ada = homes.hive("ada", "--slots", "0")

    def ask(name):
        ada.ok("quest", "add", "Site", "--name", name, "--on", "any", "--review", "person", "--", "true")
        eventually(lambda: ada.json("inbox", "-H", "swarm", "--json"), timeout=40, what=f"{name} asks")

    async def through_the_swarm(app, pilot):
        await until(pilot, lambda: app.fleet.questions, what="asked")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: "swarm/one" in picture(app), what="shown")
        await until(pilot, lambda: app.screen.answers.reading_delay.enough, what="read")
        await pilot.press("y")
        await until(pilot, lambda: "Nothing needs your attention." in picture(app), what="answered")

    ask("one")
    play(ada, through_the_swarm)
    assert homes.wait_state("one", "done")

    async def through_the_gate(app, pilot):
        await until(pilot, lambda: app.fleet.questions, what="asked")
        seen = app.swarm.state.answered_at
        await until(pilot, lambda: app.swarm.state.answered_at > seen + 2, what="the swarm was asked again")
        assert [one["name"] for one in app.fleet.questions] == ["europe/two"]
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: "europe/two" in picture(app), what="shown")
        await until(pilot, lambda: app.screen.answers.reading_delay.enough, what="read")
        await pilot.press("y")
        await until(pilot, lambda: "Nothing needs your attention." in picture(app), what="answered")
        seen = app.swarm.state.answered_at
        await until(pilot, lambda: app.swarm.state.answered_at > seen, what="the swarm was asked again")
        assert not app.fleet.questions, "what the swarm still has shows nobody"

    name_hives(ada, europe=there)
    line = next(one for one in ada.ok("hive", "list").splitlines() if one.startswith("europe"))
    assert line.split()[1:3] == ["gate+swarm", "open"]
    ask("two")
    play(ada, through_the_gate)
    assert homes.wait_state("two", "done")


def test_a_hive_that_stands_still_is_silent_and_its_posts_are_dimmed(homes):
    there = homes.hive("eu1", "--slots", "2")
    ada = homes.hive("ada", "--slots", "0")
    ada.ok("run", "--on", "any", "--name", "docs", "exec sleep 1000")
    daemon = there.json("status", "--json")["pid"]

    async def scenario(app, pilot):
        app.commands.run("swarm")
        await until(pilot, lambda: "swarm/docs" in rows(app), what="its post")
        os.kill(daemon, signal.SIGSTOP)
        try:
            await until(pilot, lambda: "silent" in picture(app), what="silent", tries=900)
            assert "hives 1/2" in picture(app)
            assert "silent_since" in rows(app)["swarm/docs"]
        finally:
            os.kill(daemon, signal.SIGCONT)
        await until(pilot, lambda: "hives 2/2" in picture(app), what="it answers")
        await until(pilot, lambda: "silent_since" not in rows(app)["swarm/docs"], what="as before")

    play(ada, scenario)


def test_a_home_that_joins_or_leaves_while_the_program_is_open_shows_it(homes):
    homes.hive("eu1", "--slots", "1")
    ada = homes.hive("ada", "--slots", "0")
    url = homes.invited("ada")

    async def scenario(app, pilot):
        assert "HIVE" not in picture(app)
        await asyncio.to_thread(ada.ok, "swarm", "join", url, "--slots", "0")
        await until(pilot, lambda: "hives 2/2 · swarm 0+0" in picture(app), what="it is in the swarm")
        await asyncio.to_thread(ada.ok, "swarm", "leave")
        await until(pilot, lambda: "swarm" not in picture(app), what="it is not")

    ada.ok("swarm", "leave")
    play(ada, scenario)
