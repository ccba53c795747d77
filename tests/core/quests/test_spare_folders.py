"""Spare folders: made for those that follow, taken by whoever begins next, and none stays for which nobody is left."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager

from overmind_core.domain.settings import QueueSettings
from overmind_core.kernel.config import Settings
from overmind_core.quests.input_folder import attempt_folders
from overmind_core.quests.spare_folders import MOST
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, idle, supervising, until, world


class Daemons:
    """One home with a queue of one slot, its keeper, and the supervisor of the moment."""

    def __init__(self, tmp_path):
        self.home = Home(str(tmp_path / "home"))
        self.keeper = ScriptedKeeper(self.home)
        self.place = os.path.join(self.home.root, "files", ".spare")

    @asynccontextmanager
    async def one(self):
        settings = Settings(queue=QueueSettings(slots=1))
        async with supervising(self.home, self.keeper, settings=settings) as self.inside:
            yield self

    async def add(self, *titles):
        quests = [{"title": title, "brief": f"do {title}", "command": "true"} for title in titles]
        added = await self.inside.ask("quest_add", quests=quests, cwd="/", env=world())
        return [one["id"] for one in added["quests"]]

    async def begun(self, quest):
        await until(lambda: f"{quest}.1" in self.keeper.held, f"{quest} runs")

    async def ends(self, quest):
        await self.begun(quest)
        self.keeper.exit(f"{quest}.1")
        await idle()

    @property
    def spare(self):
        """The spare folders, by inode."""
        names = os.listdir(self.place) if os.path.isdir(self.place) else []
        return {os.stat(os.path.join(self.place, name)).st_ino: name for name in names}

    def brief(self, quest):
        """What its attempt reads."""
        with open(os.path.join(attempt_folders(self.home, quest).inputs, "brief.md")) as file:
            return file.read()

    def inode(self, quest):
        return os.stat(os.path.join(self.home.root, "files", quest)).st_ino


def story(tmp_path, tell):
    daemons = Daemons(tmp_path)
    try:
        in_process.run(tell(daemons))
    finally:
        daemons.keeper.close()


def test_who_begins_next_takes_one_and_another_one_is_made(tmp_path):
    async def tell(daemons):
        async with daemons.one():
            first, second, third, fourth = await daemons.add("first", "second", "third", "fourth")
            await daemons.begun(first)
            await until(lambda: len(daemons.spare) == 3)
            made = daemons.spare
            await daemons.ends(first)
            await daemons.begun(second)
            assert daemons.inode(second) in made
            inputs, outputs = attempt_folders(daemons.home, second)
            assert os.listdir(inputs) == ["brief.md"]
            assert "do second" in daemons.brief(second)
            assert os.listdir(outputs) == []
            await until(lambda: len(daemons.spare) == 2)
            for quest in (second, third, fourth):
                await daemons.ends(quest)

    story(tmp_path, tell)


def test_once_nobody_follows_none_is_left(tmp_path):
    async def tell(daemons):
        async with daemons.one():
            quests = await daemons.add("first", "second", "third")
            await daemons.begun(quests[0])
            await until(lambda: len(daemons.spare) == 2)
            for quest in quests:
                await daemons.ends(quest)
            await until(lambda: not daemons.spare)
            assert sorted(os.listdir(os.path.join(daemons.home.root, "files"))) == sorted([".spare", *quests])

    story(tmp_path, tell)


def test_of_those_that_never_begin_nothing_is_left(tmp_path):
    async def tell(daemons):
        async with daemons.one():
            first, *others = await daemons.add("first", "second", "third")
            await daemons.begun(first)
            await until(lambda: len(daemons.spare) == 2)
            for quest in others:
                await daemons.inside.ask("quest_cancel", id=quest)
            await until(lambda: not daemons.spare)
            await daemons.ends(first)
            assert sorted(os.listdir(os.path.join(daemons.home.root, "files"))) == [".spare", first]

    story(tmp_path, tell)


def test_there_are_few_however_many_wait(tmp_path):
    async def tell(daemons):
        async with daemons.one():
            first, *_ = await daemons.add(*(f"number {number}" for number in range(3 * MOST)))
            await daemons.begun(first)
            await until(lambda: daemons.spare)
            await idle()
            assert len(daemons.spare) == MOST

    story(tmp_path, tell)


def test_what_a_killed_daemon_has_left_is_taken_by_nobody(tmp_path):
    async def tell(daemons):
        os.makedirs(os.path.join(daemons.place, "0", "in", "brief.md"))
        async with daemons.one():
            first, second = await daemons.add("first", "second")
            await daemons.begun(first)
            await until(lambda: os.path.isdir(os.path.join(daemons.place, "0", "out")))
            await idle()
            assert len(daemons.spare) == 1
            await daemons.ends(first)
            await daemons.begun(second)
            assert "do second" in daemons.brief(second)
            await daemons.ends(second)

    story(tmp_path, tell)


def test_where_they_are_gone_quests_begin_all_the_same(tmp_path):
    async def tell(daemons):
        async with daemons.one():
            first, second = await daemons.add("first", "second")
            await daemons.begun(first)
            await until(lambda: daemons.spare)
            os.rename(daemons.place, tmp_path / "elsewhere")
            await daemons.ends(first)
            await daemons.begun(second)
            assert os.listdir(attempt_folders(daemons.home, second).inputs) == ["brief.md"]
            await daemons.ends(second)

    story(tmp_path, tell)


def test_a_link_in_their_place_is_not_followed(tmp_path):
    async def tell(daemons):
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "kept").touch()
        os.makedirs(os.path.dirname(daemons.place))
        os.symlink(tmp_path / "elsewhere", daemons.place)
        async with daemons.one():
            first, second = await daemons.add("first", "second")
            await daemons.begun(first)
            await until(lambda: len(daemons.spare) == 1 and not os.path.islink(daemons.place))
            await daemons.ends(first)
            await daemons.ends(second)
        assert os.listdir(tmp_path / "elsewhere") == ["kept"]

    story(tmp_path, tell)
