"""What is done for quests before their turn: it changes nothing of what they get, and nothing of it is left behind."""

from __future__ import annotations

import contextlib
import os
from contextlib import asynccontextmanager

import pytest

from overmind_core.domain.settings import QueueSettings
from overmind_core.kernel.config import Settings
from overmind_core.quests.input_folder import attempt_folders
from overmind_core.quests.look_ahead import KEPT, LookAhead
from overmind_core.quests.spare_folders import MOST, SpareFolders
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
        return await self.add_all({"title": title, "brief": f"do {title}"} for title in titles)

    async def add_all(self, quests):
        quests = [{"command": ["true"], "ref": one["title"], **one} for one in quests]
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
        found = {}
        for name in os.listdir(self.place) if os.path.isdir(self.place) else []:
            with contextlib.suppress(FileNotFoundError):  # a thread takes or removes it just now
                found[os.stat(os.path.join(self.place, name)).st_ino] = name
        return found

    def brief(self, quest):
        """What its attempt reads."""
        with open(os.path.join(attempt_folders(self.home, quest).inputs, "brief.md")) as file:
            return file.read()

    def asked(self, quest):
        """What the keeper was asked for, of its first attempt; its id is left out."""
        (found,) = (one for one in self.keeper.asked["spawn"] if one["run"] == f"{quest}.1")
        environment = {name: value.replace(quest, "ID") for name, value in found["env"].items()}
        return {**found, "run": "", "env": environment}

    def inode(self, quest):
        return os.stat(os.path.join(self.home.root, "files", quest)).st_ino


def story(tmp_path, scenario):
    daemons = Daemons(tmp_path)
    try:
        in_process.run(scenario(daemons))
    finally:
        daemons.keeper.close()


def test_who_begins_next_takes_one_and_another_one_is_made(tmp_path):
    async def scenario(daemons):
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

    story(tmp_path, scenario)


def test_once_nobody_follows_none_is_left(tmp_path):
    async def scenario(daemons):
        async with daemons.one():
            quests = await daemons.add("first", "second", "third")
            await daemons.begun(quests[0])
            await until(lambda: len(daemons.spare) == 2)
            for quest in quests:
                await daemons.ends(quest)
            await until(lambda: not daemons.spare)
            assert sorted(os.listdir(os.path.join(daemons.home.root, "files"))) == sorted([".spare", *quests])

    story(tmp_path, scenario)


def test_of_those_that_never_begin_nothing_is_left(tmp_path):
    async def scenario(daemons):
        async with daemons.one():
            first, *others = await daemons.add("first", "second", "third")
            await daemons.begun(first)
            await until(lambda: len(daemons.spare) == 2)
            for quest in others:
                await daemons.inside.ask("quest_cancel", id=quest)
            await until(lambda: not daemons.spare)
            await daemons.ends(first)
            assert sorted(os.listdir(os.path.join(daemons.home.root, "files"))) == [".spare", first]

    story(tmp_path, scenario)


def test_there_are_few_however_many_wait(tmp_path):
    async def scenario(daemons):
        async with daemons.one():
            first, *_ = await daemons.add(*(f"number {number}" for number in range(3 * MOST)))
            await daemons.begun(first)
            await until(lambda: daemons.spare)
            await idle()
            assert len(daemons.spare) == MOST

    story(tmp_path, scenario)


def test_more_are_made_once_fewer_than_half_are_left(tmp_path):
    async def scenario():
        spares, place = SpareFolders(Home(str(tmp_path))), tmp_path / "files" / ".spare"

        async def leave(count):
            while len(os.listdir(place)) > count:
                taken = await until(spares.take)
                os.rename(taken or "", tmp_path / f"taken {len(os.listdir(tmp_path))}")

        spares.want(4)
        await until(lambda: place.exists() and len(os.listdir(place)) == 4)
        await leave(2)
        left = os.listdir(place)
        spares.want(4)
        await idle()
        assert os.listdir(place) == left
        await leave(1)
        spares.want(4)
        await until(lambda: len(os.listdir(place)) == 4)

    in_process.run(scenario())


def test_what_a_killed_daemon_has_left_is_taken_by_nobody(tmp_path):
    async def scenario(daemons):
        os.makedirs(os.path.join(daemons.place, "0", "in", "brief.md"))
        async with daemons.one():
            first, second = await daemons.add("first", "second")
            await daemons.begun(first)
            await until(lambda: daemons.spare and "0" not in daemons.spare.values())
            await idle()
            assert len(daemons.spare) == 1
            assert sorted(os.listdir(os.path.dirname(daemons.place))) == [".spare", first]
            await daemons.ends(first)
            await daemons.begun(second)
            assert "do second" in daemons.brief(second)
            await daemons.ends(second)

    story(tmp_path, scenario)


def test_where_they_are_gone_quests_begin_all_the_same(tmp_path):
    async def scenario(daemons):
        async with daemons.one():
            first, second = await daemons.add("first", "second")
            await daemons.begun(first)
            await until(lambda: daemons.spare)
            os.rename(daemons.place, tmp_path / "elsewhere")
            await daemons.ends(first)
            await daemons.begun(second)
            assert os.listdir(attempt_folders(daemons.home, second).inputs) == ["brief.md"]
            await daemons.ends(second)

    story(tmp_path, scenario)


def test_a_link_in_their_place_is_not_followed(tmp_path):
    async def scenario(daemons):
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

    story(tmp_path, scenario)


@pytest.fixture
def taken(monkeypatch):
    """What was known of each quest, by its name, when its turn came."""
    found = {}
    take = LookAhead.take

    def seen(self, quest):
        found[quest.name] = take(self, quest)
        return found[quest.name]

    monkeypatch.setattr(LookAhead, "take", seen)
    return found


CHAIN = [
    {"title": "first"},
    {"title": "second", "needs": ["first"], "brief": "do it", "env_set": {"MODE": "fast"}},
    {"title": "third", "needs": ["second"], "outputs": ["report.json"]},
]


async def played(daemons, quests):
    """Let each begin and end, one after the other; return what was asked for, and what they read."""
    async with daemons.one():
        ids = await daemons.add_all(quests)
        for quest in ids:
            await daemons.ends(quest)
        return [(daemons.asked(quest), daemons.brief(quest)) for quest in ids]


def test_what_was_known_ahead_is_what_would_have_been_found_out(tmp_path, taken, monkeypatch):
    async def scenario(daemons):
        found.append(await played(daemons, CHAIN))

    found: list[object] = []
    (tmp_path / "one").mkdir()
    story(tmp_path / "one", scenario)
    assert [taken[name] is not None for name in ("first", "second", "third")] == [False, True, True]
    monkeypatch.setattr(LookAhead, "take", lambda *_: None)
    (tmp_path / "two").mkdir()
    story(tmp_path / "two", scenario)
    ahead, without = (str(one).replace("/one/", "/two/") for one in found)
    assert ahead == without


@pytest.mark.parametrize(
    "edit",
    [{"brief": "do it well"}, {"title": "Another"}, {"command": ["false"]}, {"name": "renamed"}, {"priority": "high"}],
    ids=lambda edit: next(iter(edit)),
)
def test_an_edit_between_the_look_and_the_start_counts(tmp_path, taken, edit):
    async def scenario(daemons):
        async with daemons.one():
            first, second = await daemons.add_all(CHAIN[:2])
            await daemons.begun(first)
            await until(lambda: daemons.spare)  # it was looked ahead
            await daemons.inside.ask("quest_edit", id=second, **edit)
            await daemons.ends(first)
            await daemons.begun(second)
            asked, brief = daemons.asked(second), daemons.brief(second)
            name = edit.get("name", "second")
            assert asked["argv"] == tuple(edit.get("command", ["true"]))
            assert asked["env"]["OVERMIND_MISSION_NAME"] == name
            assert edit.get("brief", "do it") in brief
            assert edit.get("title", "second") in brief
            assert taken[name] is None or taken[name].quest.name == name
            await daemons.ends(second)

    story(tmp_path, scenario)


def test_one_that_is_to_read_what_another_hands_in_is_not_known_ahead(tmp_path, taken):
    async def scenario(daemons):
        async with daemons.one():
            first, second = await daemons.add_all([{"title": "first"}, {"title": "second", "needs": ["first"]}])
            third = await daemons.add("third")
            await daemons.inside.ask("quest_edit", id=second, needs=["first"], outputs=["found.json"])
            (last,) = await daemons.add_all([{"title": "last", "needs": ["second"]}])
            await daemons.ends(first)
            await daemons.begun(second)
            os.mknod(os.path.join(attempt_folders(daemons.home, second).outputs, "found.json"))
            for quest in (second, *third, last):
                await daemons.ends(quest)
            inputs = attempt_folders(daemons.home, last).inputs
            assert os.listdir(os.path.join(inputs, "needs", "second")) == ["found.json"]
            assert taken["last"] is None
            assert taken["third"] is not None

    story(tmp_path, scenario)


def test_few_are_known_ahead_however_many_wait(tmp_path, taken):
    async def scenario(daemons):
        async with daemons.one():
            first, *_ = await daemons.add(*(f"number {number}" for number in range(3 * KEPT)))
            await daemons.begun(first)
            await until(lambda: daemons.spare)
            looked = daemons.inside.app.engine.attempts._work()._ahead._known
            assert len(looked) == KEPT

    story(tmp_path, scenario)


def test_of_one_that_never_begins_nothing_is_made(tmp_path):
    async def scenario(daemons):
        async with daemons.one():
            first, second = await daemons.add("first", "second")
            await daemons.begun(first)
            await until(lambda: daemons.spare)
            await daemons.inside.ask("quest_cancel", id=second)
            await daemons.ends(first)
            assert second not in os.listdir(os.path.join(daemons.home.root, "files"))
            assert second not in daemons.inside.app.registry.live

    story(tmp_path, scenario)
