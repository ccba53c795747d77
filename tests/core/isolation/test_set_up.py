"""The run of a project's set-up, whose end is known before its start: over real books, by a keeper that is scripted."""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.domain.missions.mission import Status
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until
from tests.kit.repositories import Repository

PROJECT = "isolation:\n  setup: [make it]\n"
START = ["setup_started", "exited"]


class Shop:
    """A project that is set up by a program, and the keeper of its missions."""

    def __init__(self, folder):
        self.home = Home(str(folder / "home"))
        self.code = Repository(str(folder / "shop"))
        self.code.commit("first", {".overmind.yml": PROJECT})
        self.keeper = ScriptedKeeper(self.home)

    def supervising(self):
        return supervising(self.home, self.keeper, cwd=self.code.folder)

    async def run(self, inside):
        """Start a mission whose project is set up first; its id."""
        await inside.ask("trust", cwd=self.code.folder, env=self.code.environ)
        return await inside.run("work", isolate=True, env=self.code.environ)

    def ends(self, code, *, first):
        """Have the set-up end together with its start; `first`: the notice of its end overtakes the answer."""

        def end(fields):
            if fields["run"].endswith(".1"):
                if first:
                    self.keeper.exit(fields["run"], code)
                else:
                    asyncio.get_running_loop().call_soon(self.keeper.exit, fields["run"], code)

        self.keeper.on_ask["spawn"] = end


async def started(inside, mission, row):
    """Check that the set-up's start is on the books, and told before its end."""
    told = [event for event in inside.events(mission) if event["run"] == 1]
    assert [event["type"] for event in told if event["type"] in START] == START
    (begun,) = (event for event in told if event["type"] == "setup_started")
    assert begun["pid"] == row["pid"]
    info = await inside.ask("info", id=mission)
    assert info["started_at"] is not None
    assert info["run_started_at"] is not None
    first = info["runs"][0]
    assert first["started_at"] is not None
    run = inside.app.registry.run(f"{mission}.1")
    assert (run.pid, run.started_at, run.code) == (row["pid"], row["started"], row["exit"]["code"])


@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize("when", ["before the answer", "right behind the answer", "without an answer"])
def test_a_set_up_that_ends_as_it_begins_has_begun(tmp_path, when, code):
    async def story():
        shop = Shop(tmp_path)
        shop.ends(code, first=when != "right behind the answer")
        if when == "without an answer":
            shop.keeper.silent = {"spawn"}
        async with shop.supervising() as inside:
            mission = await shop.run(inside)
            if code:
                await inside.app.registry.ended(mission)
            else:
                await until(lambda: f"{mission}.2" in shop.keeper.held)
            await started(inside, mission, shop.keeper.held[f"{mission}.1"])
        shop.keeper.close()

    in_process.run(story())


def test_a_set_up_that_ended_while_nobody_supervised_has_begun(tmp_path):
    async def story():
        shop = Shop(tmp_path)
        shop.keeper.silent = {"spawn"}
        async with shop.supervising() as first:
            mission = await shop.run(first)
            await until(lambda: shop.keeper.held)
            first.app.journal.flush()
        shop.keeper.exit(f"{mission}.1")
        shop.keeper.silent = set()
        async with shop.supervising() as second:
            await until(lambda: second.app.registry.live[mission].status is Status.RUNNING)
            await started(second, mission, shop.keeper.held[f"{mission}.1"])
        shop.keeper.close()

    in_process.run(story())
