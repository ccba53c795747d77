"""The full-screen program of a home in a real swarm of real homes, in a real PostgreSQL."""

from __future__ import annotations

import pytest

from tests.engines.postgres.conftest import empty_database
from tests.engines.postgres.swarm.test_tui import play, rows
from tests.kit.named_hives import name_hives
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually
from tests.tui.conftest import picture, question_read, until

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


def test_a_swarm_is_seen_and_worked_with(homes, tmp_path):
    homes.hive("eu1", "--label", "region=eu", "--slots", "4")
    ada = homes.hive("ada", "--slots", "0")
    (tmp_path / "team.toml").write_text(FLEET)
    ada.ok("apply", str(tmp_path / "team.toml"))
    ada.ok("run", "--on", "any", "--name", "docs", "echo written; exec sleep 1000")
    ada.ok("run", "--on", "any", "--name", "big", "--cpu", "4000", "true")
    eu1 = homes.name("eu1")

    async def scenario(app, pilot):
        await until(pilot, lambda: "2 of 2 hives · swarm 3 claimed, 1 queued" in picture(app), what="the header")
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
        await pilot.press("e", "1", "enter")
        await until(pilot, lambda: "Fleet review: 2 → 1" in picture(app), what="scaled")
        await until(pilot, lambda: rows(app)["review"]["want"] == 1, what="seen")
        app.commands.run("hives")
        await until(pilot, lambda: eu1 in rows(app), what="its hives")
        app.screen.table.select(eu1)
        await pilot.press("D")
        await until(pilot, lambda: "drain hive" in picture(app), what="asked")
        await until(pilot, lambda: app.screen.reading_delay.enough, what="read")
        await pilot.press("y")
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
        await question_read(app, pilot)
        await pilot.press("y")
        await until(pilot, lambda: "Nobody needs you." in picture(app), what="answered")

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
        await question_read(app, pilot)
        await pilot.press("y")
        await until(pilot, lambda: "Nobody needs you." in picture(app), what="answered")
        seen = app.swarm.state.answered_at
        await until(pilot, lambda: app.swarm.state.answered_at > seen, what="the swarm was asked again")
        assert not app.fleet.questions, "what the swarm still has shows nobody"

    name_hives(ada, europe=there)
    line = next(one for one in ada.ok("hive", "list").splitlines() if one.startswith("europe"))
    assert line.split()[1:3] == ["gate+swarm", "open"]
    ask("two")
    play(ada, through_the_gate)
    assert homes.wait_state("two", "done")
