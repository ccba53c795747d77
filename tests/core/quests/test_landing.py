"""Landings that the full disk keeps waiting: this daemon and the next try them again until there is room."""

from __future__ import annotations

from contextlib import asynccontextmanager
from unittest import mock

import pytest

from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.quests.attempts import ROOM_SECONDS
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, idle, supervising, until, world
from tests.kit.repositories import AUTHOR, Repository

FULL = OvermindError("disk_full", "The disk is full: unable to write loose object file.")


class Shop:
    """One home, one repository, and a landing that meets a full disk."""

    def __init__(self, tmp_path):
        self.home = Home(str(tmp_path / "home"))
        self.keeper = ScriptedKeeper(self.home)
        self.code = Repository(str(tmp_path / "shop"))
        self.code.commit("first", {"a": "1\n"})
        self.tried = 0

    @asynccontextmanager
    async def daemon(self, *, room_after):
        """A supervisor in which there is room once a landing was tried so often."""
        async with supervising(self.home, self.keeper, settings=Settings()) as inside:
            lander = inside.app.engine.attempts._lander
            land = lander.land

            async def refused(wish):
                self.tried += 1
                if self.tried <= room_after:
                    raise FULL
                return await land(wish)

            with mock.patch.object(lander, "land", refused):
                yield inside

    async def begin(self, inside):
        """Have the work of a quest end, and its landing be refused."""
        quest = {"title": "work", "command": "true", "into": "main"}
        environment = {**world(), **AUTHOR}
        added = await inside.ask("quest_add", quests=[quest], cwd=self.code.folder, env=environment)
        name = added["quests"][0]["id"]
        await until(lambda: f"{name}.1" in self.keeper.held, "it runs")
        self.keeper.exit(f"{name}.1")
        await until(lambda: self.tried, "it has come to land")
        return name


def story(tmp_path, scenario):
    shop = Shop(tmp_path)
    try:
        return in_process.run(scenario(shop))
    finally:
        shop.keeper.close()


@pytest.mark.parametrize("times", [1, 3])
def test_a_landing_is_tried_again_by_itself_until_there_is_room_and_asked_about_once(tmp_path, times):
    async def scenario(shop):
        async with shop.daemon(room_after=times) as inside:
            quest = await shop.begin(inside)
            await idle()
            info = await inside.ask("quest", id=quest)
            assert (info["status"], info["phase"], info["reason"]) == ("running", "landing", "disk_full")
            assert inside.app.line.is_needed, "it goes on by itself"
            (question,) = await inside.ask("inbox")
            began = in_process.LoopClock().mono()
            await until(lambda: quest not in inside.app.quest_registry.live, "it has landed")
            assert in_process.LoopClock().mono() - began == pytest.approx(times * ROOM_SECONDS, abs=1.0)
            assert (await inside.ask("quest", id=quest))["status"] == "completed"
            assert await inside.ask("inbox") == []
            asked = [one for one in inside.events(quest) if one["type"] == "asked"]
            return [one["question"] for one in asked], question["question"]

    asked, number = story(tmp_path, scenario)
    assert asked == [number]


def test_the_next_daemon_tries_again_too(tmp_path):
    async def scenario(shop):
        async with shop.daemon(room_after=1) as inside:
            quest = await shop.begin(inside)
            await idle()
        async with shop.daemon(room_after=1) as inside:
            await until(lambda: quest not in inside.app.quest_registry.live, "it has landed")
            assert await inside.ask("inbox") == []
            return (await inside.ask("quest", id=quest))["status"]

    assert story(tmp_path, scenario) == "completed"


def test_one_that_a_person_leaves_at_that_is_not_tried_again(tmp_path):
    async def scenario(shop):
        async with shop.daemon(room_after=9) as inside:
            quest = await shop.begin(inside)
            await idle()
            (question,) = await inside.ask("inbox")
            await inside.ask("answer", question=question["question"], behaviour="deny")
            await idle()
            return shop.tried, (await inside.ask("quest", id=quest))["status"]

    assert story(tmp_path, scenario) == (1, "failed")
