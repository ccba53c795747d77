"""Reviews of quests in a person's own folder, with real git: each shows what changed since its attempt began."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import asynccontextmanager
from unittest import mock

import pytest

from overmind_core.domain.settings import QueueSettings
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.landing import quest_work
from overmind_core.missions.environment import TRUE_FOR
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world
from tests.kit.repositories import AUTHOR, Repository

SHARED = "Its folder is shared: "


class Shop:
    """One home, and a checkout with edits of a person's."""

    def __init__(self, tmp_path):
        self.home = Home(str(tmp_path / "home"))
        self.keeper = ScriptedKeeper(self.home)
        self.code = Repository(str(tmp_path / "shop"))
        self.code.commit("first", {"a": "1\n", "b": "1\n"})
        self.code.write({"a": "1\nmine\n", "notes": "mine\n"})
        self.environment = {**world(str(tmp_path / "bin"), "claude"), **AUTHOR}

    @asynccontextmanager
    async def daemon(self):
        """A supervisor; at the end of the block it is gone as after `kill -9`."""
        async with supervising(self.home, self.keeper, settings=Settings(queue=QueueSettings(backoff=0.1))) as inside:
            self.inside = inside
            yield inside

    async def add(self, name="work", **how):
        quest = {"title": name, "command": "true", "review": "person", **how}
        added = await self.inside.ask("quest_add", quests=[quest], cwd=self.code.folder, env=self.environment)
        return added["quests"][0]["id"]

    async def runs(self, quest, attempt=1):
        await until(lambda: f"{quest}.{attempt}" in self.keeper.held, f"attempt {attempt} of {quest} runs")

    async def reviewed(self, quest, attempt=1, **files):
        """Have an attempt write files and end well; return its question and what is shown there."""
        await self.runs(quest, attempt)
        self.code.write(files)
        self.keeper.exit(f"{quest}.{attempt}")
        return await self.asked(quest)

    async def asked(self, quest):
        await until(lambda: str(self.inside.app.quest_registry.live[quest].status) == "review", "it is reviewed")
        inbox = await self.inside.ask("inbox")
        (one,) = [one for one in inbox if one["about"]["id"] == quest]
        assert one["subject"]["into"] is None
        return one["question"], one["subject"]["lines"][1:]

    def states(self, quest):
        return f"{self.home.root}/files/{quest}/states"

    def keeps_states(self, quest):
        return os.path.isdir(self.states(quest))

    def given(self, mission, name):
        """The lines of a file that a mission is to read."""
        with open(f"{self.home.root}/files/{mission}/in/{name}", encoding="utf-8") as file:
            return file.read().splitlines()

    def attempts(self, quest):
        found = self.inside.app.quest_registry.get(quest)
        assert found is not None
        assert found.queue is not None
        return found.queue.tries


def story(tmp_path, scenario):
    shop = Shop(tmp_path)
    try:
        return in_process.run(scenario(shop))
    finally:
        shop.keeper.close()


def files(lines):
    """The files of a question."""
    return lines[: lines.index("")] if "" in lines else lines


@pytest.mark.parametrize("edit", [{"new": "evil\n"}, {"work": "evil\n"}], ids=["another file", "a shown one"])
def test_what_was_not_shown_is_not_accepted(tmp_path, edit):
    shop = Shop(tmp_path)

    async def whole():
        async with shop.daemon():
            quest = await shop.add()
            first, _ = await shop.reviewed(quest, work="good\n")
            shop.code.write(edit)
            with pytest.raises(OvermindError, match="has changed since this work was shown") as refused:
                await shop.inside.ask("answer", question=first, behaviour="allow")
            assert refused.value.code == "changed"
            second, lines = await shop.asked(quest)
            assert second > first
            assert any(line.startswith(f"{next(iter(edit))} has changed") for line in lines)
            shop.code.git("add", "-A")  # that changes no file
            await shop.inside.ask("answer", question=second, behaviour="allow")
            await until(lambda: quest not in shop.inside.app.quest_registry.live, "it is accepted")

    try:
        in_process.run(whole())
    finally:
        shop.keeper.close()


def test_a_person_s_own_edits_are_not_the_quest_s_and_what_did_nothing_says_so(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            before = shop.code.traces()
            idle, busy = await shop.add("idle"), await shop.add("busy")
            await shop.runs(busy)
            _, lines = await shop.reviewed(idle)
            assert lines == [f"{SHARED}nothing changed since attempt 1 began."]
            assert shop.code.traces() == before, "nothing of it is in the repository"
            _, lines = await shop.reviewed(busy, a="1\nmine\ntheirs\n", new="theirs\n")
            assert files(lines) == [f"{SHARED}this is what changed since attempt 1 began.", "M a +1 -0", "A new +1 -0"]
            assert "+mine" not in lines
            shown = await inside.ask("changes", id="busy")
            assert [one["path"] for one in shown["files"]] == ["a", "new"]
            assert (shown["base"], shown["note"]) == ("the start of attempt 1", lines[0])

    story(tmp_path, scenario)


def test_an_agent_that_reviews_reads_the_same(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            quest = await shop.add(review="claude")
            await shop.runs(quest)
            shop.code.write({"new": "theirs\n"})
            shop.keeper.exit(f"{quest}.1")
            await until(lambda: inside.app.quest_registry.live[quest].queue.review_id, "an agent reviews it")
            reviewer = inside.app.quest_registry.live[quest].queue.review_id
            lines = shop.given(reviewer, "changes.diff")
            assert files(lines) == [f"{SHARED}this is what changed since attempt 1 began."]
            assert lines[2:4] == ["A new +1 -0", ""]
            attempt = inside.app.quest_registry.live[quest].queue.tries[-1]
            assert attempt.shown is None, "others go on in the folder while it decides: that is no person's question"

    story(tmp_path, scenario)


def test_why_work_was_not_reviewed_names_the_reviewer_and_its_program(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            quest = await shop.add(review="claude")
            await shop.runs(quest)
            (tmp_path / "bin" / "claude").unlink()
            await asyncio.sleep(2 * TRUE_FOR)
            shop.keeper.exit(f"{quest}.1")
            await until(lambda: quest not in inside.app.quest_registry.live, "it has failed")
            why = await inside.ask("quest_why", id=quest)
            assert why["text"].startswith("its reviewer could not be started: ")
            assert "claude" in why["text"]
            assert why["do"] == ["overmind quest retry work"]

    story(tmp_path, scenario)


def test_each_attempt_is_compared_with_its_own_start(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            quest = await shop.add()
            number, _ = await shop.reviewed(quest, new="first\n")
            await inside.ask("answer", question=number, behaviour="deny", message="again")
            await shop.runs(quest, 2)
            _, lines = await shop.reviewed(quest, 2, b="second\n")
            assert files(lines) == [
                f"{SHARED}this is what changed since attempt 2 began.",
                "Changes from before attempt 2, earlier attempts included, are not shown.",
                "M b +1 -1",
            ]

    story(tmp_path, scenario)


class HeldLook:
    """A look at a folder that has come to its end, and is not answered before it may be."""

    def __init__(self, inside):
        self._lander = inside.app.engine.quest_landing
        self._look = self._lander.folder_state
        self.done, self.go = asyncio.Event(), asyncio.Event()

    async def _held(self, *arguments, **how):
        found = await self._look(*arguments, **how)
        self.done.set()
        await self.go.wait()
        return found

    def __enter__(self):
        self._patch = mock.patch.object(self._lander, "folder_state", self._held)
        self._patch.start()
        return self

    def __exit__(self, *_):
        self._patch.stop()


def test_a_daemon_that_is_killed_before_the_process_begins_is_followed_by_one_that_looks_anew(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            with HeldLook(inside) as look:
                quest = await shop.add()
                await until(look.done.is_set, "it has looked")
                assert (shop.attempts(quest)[0].folder, shop.keeper.held) == (None, {})
        shop.code.write({"notes": "mine, while no daemon ran\n"})
        async with shop.daemon():
            _, lines = await shop.reviewed(quest, new="theirs\n")
            assert files(lines) == [f"{SHARED}this is what changed since attempt 1 began.", "A new +1 -0"]
            assert list(shop.keeper.held) == [f"{quest}.1"]
            assert len(shop.attempts(quest)) == 1
        async with shop.daemon():
            assert (await shop.asked(quest))[1] == lines

    story(tmp_path, scenario)


def test_a_quest_that_is_cancelled_during_the_look_never_begins(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            with HeldLook(inside) as look:
                quest = await shop.add()
                await until(look.done.is_set, "it has looked")
                cancelled = asyncio.ensure_future(inside.ask("quest_cancel", id=quest))
                await until(lambda: inside.app.quest_registry.live[quest].cancelling, "it is being cancelled")
                look.go.set()
                await cancelled
                assert (await inside.ask("quest", id=quest))["status"] == "cancelled"
                assert shop.keeper.held == {}

    story(tmp_path, scenario)


def test_an_edit_during_the_look_before_another_attempt_is_one_of_that_attempt(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            quest = await shop.add()
            await shop.runs(quest)
            with HeldLook(inside) as look:
                shop.keeper.exit(f"{quest}.1", 1)
                await until(look.done.is_set, "it has looked")
                await inside.ask("quest_edit", id=quest, timeout="90s")
                look.go.set()
                await shop.runs(quest, 2)
            assert inside.app.registry.get(quest).definition.timeout == 90.0

    story(tmp_path, scenario)


def test_a_state_that_is_not_known_is_said_and_all_that_is_not_committed_is_shown(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            gone = await shop.add("gone")
            await shop.runs(gone)
            shutil.rmtree(shop.states(gone))
            _, lines = await shop.reviewed(gone, new="theirs\n")
            sentence, why, *shown = files(lines)
            assert sentence == f"{SHARED}this is all that is not committed there."
            assert why.startswith("Its state at the start of the attempt is not known: ")
            assert shown == ["M a +1 -0", "A new +1 -0", "A notes +1 -0"]
            note = (await inside.ask("changes", id="gone"))["note"]
            assert note == f"{sentence} {why}"

    story(tmp_path, scenario)


def test_a_folder_that_git_does_not_know_has_nothing_to_show_until_the_quest_makes_a_repository(tmp_path):
    async def scenario(shop):
        shutil.rmtree(shop.code.path(".git"))
        async with shop.daemon():
            plain, begins = await shop.add("plain"), await shop.add("begins")
            await shop.runs(begins)
            _, lines = await shop.reviewed(plain)
            assert lines == ["Its folder is in no git repository, so its changes can't be shown."]
            assert not shop.keeps_states(plain)
            shop.code.git("init", "-q", "-b", "main")
            _, lines = await shop.reviewed(begins)
            assert files(lines)[:2] == [
                f"{SHARED}this is all that is not committed there.",
                "Its state at the start of the attempt is not known: there was no git repository.",
            ]

    story(tmp_path, scenario)


@pytest.mark.parametrize(
    ("how", "recorded"),
    [
        ({}, True),
        ({"review": None}, False),
        ({"isolate": True}, False),
        ({"into": "main"}, False),
    ],
)
def test_only_a_review_of_a_shared_folder_costs_a_look_at_it(tmp_path, how, recorded):
    looks = []
    take = quest_work.folder_state

    def counted(place, objects):
        looks.append(place.folder)
        return take(place, objects)

    async def scenario(shop):
        with mock.patch.object(quest_work, "folder_state", counted):
            async with shop.daemon():
                quest = await shop.add(**how)
                await shop.runs(quest)
                assert (shop.attempts(quest)[0].folder is not None) is recorded
                assert shop.keeps_states(quest) is recorded
        assert looks == ([shop.code.folder] if recorded else [])

    story(tmp_path, scenario)


def test_what_is_kept_of_a_folder_goes_with_the_mission(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            quest = await shop.add()
            number, _ = await shop.reviewed(quest, new="theirs\n")
            await inside.ask("answer", question=number, behaviour="allow")
            await until(lambda: quest not in inside.app.quest_registry.live, "it has completed")
            shown = await inside.ask("changes", id=quest)
            assert [one["path"] for one in shown["files"]] == ["new"]
            await inside.ask("rm", id=quest)
            await until(lambda: not shop.keeps_states(quest), "nothing is left")

    story(tmp_path, scenario)
