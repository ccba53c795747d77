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
from tests.kit.swarm_homes import SwarmHomes
from tests.tui.conftest import later, picture, until


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
            assert "1 of 2 hives" in picture(app)
            assert "silent_since" in rows(app)["swarm/docs"]
        finally:
            os.kill(daemon, signal.SIGCONT)
        await until(pilot, lambda: "2 of 2 hives" in picture(app), what="it answers")
        await until(pilot, lambda: "silent_since" not in rows(app)["swarm/docs"], what="as before")

    play(ada, scenario)


def test_a_home_that_joins_or_leaves_while_the_program_is_open_shows_it(homes):
    homes.hive("eu1", "--slots", "1")
    ada = homes.hive("ada", "--slots", "0")
    url = homes.invited("ada")

    async def scenario(app, pilot):
        assert "HOST" not in picture(app)
        await asyncio.to_thread(ada.ok, "swarm", "join", url, "--slots", "0")
        in_it = "2 of 2 hives · swarm 0 claimed, 0 queued"
        await until(pilot, lambda: in_it in picture(app), what="it is in the swarm")
        await asyncio.to_thread(ada.ok, "swarm", "leave")
        await until(pilot, lambda: "swarm" not in picture(app), what="it is not")

    ada.ok("swarm", "leave")
    play(ada, scenario)
