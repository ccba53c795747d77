"""Quests whose landing waits for a person's checkout: they land soon after it is out of the way, and nobody is told of
what has gone."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from functools import partial
from unittest import mock

import pytest

from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.landing import preview
from overmind_core.landing.checkout_watch import LONGEST_SECONDS
from overmind_core.system.paths import Home
from overmind_core.view import quests as quests_rows
from overmind_core.view.board import counted
from tests.kit import in_process
from tests.kit.in_process import LoopClock, ScriptedKeeper, supervising, until, world
from tests.kit.repositories import AUTHOR, Repository

LIMIT = 2.0
"""Seconds from the end of what was in the way to the landing."""


class Shop:
    """One home and one repository, in whose checkout `a` is changed and not committed."""

    def __init__(self, tmp_path):
        self.home = Home(str(tmp_path / "home"))
        self.keeper = ScriptedKeeper(self.home)
        self.code = Repository(str(tmp_path / "shop"))
        self.code.commit("first", {"a": "1\n", "b": "1\n"})
        self.code.write({"a": "a person's\n"})
        self.looks = 0

    @asynccontextmanager
    async def daemon(self):
        look = preview.obstacle

        def counted(*arguments):
            self.looks += 1
            return look(*arguments)

        with mock.patch.object(preview, "obstacle", counted):
            async with supervising(self.home, self.keeper, settings=Settings()) as inside:
                yield inside

    def _runs(self, quest):
        return f"{quest}.1" in self.keeper.held

    async def begin(self, inside, *titles, **more):
        """Have the work of quests end that change `a`; return them once they wait."""
        quests = [{"title": title, "command": "true", "into": "main", **more} for title in titles]
        added = await inside.ask("quest_add", quests=quests, cwd=self.code.folder, env={**world(), **AUTHOR})
        ids = [one["id"] for one in added["quests"]]
        for number, quest in enumerate(ids):
            await until(partial(self._runs, quest), "it runs")
            work = Repository(self.code.path(".overmind", "worktrees", quest))
            work.write({"a": "both\n", f"own{number}": "x\n"})
            self.keeper.exit(f"{quest}.1")
        await until(lambda: all(inside.app.engine.attempts.targets.refusal(quest) for quest in ids), "they wait")
        return ids

    def clean(self):
        self.code.git("stash", "-q")

    async def verifies(self):
        """The run of the command that sees whether merged work is good."""
        spawned = self.keeper.asked["spawn"]

        def runs():
            return [one["run"] for one in spawned if one["env"]["OVERMIND_MISSION_NAME"].endswith("/verify")]

        return (await until(runs, "it is verified"))[-1]


def story(tmp_path, scenario):
    shop = Shop(tmp_path)
    try:
        return in_process.run(scenario(shop))
    finally:
        shop.keeper.close()


async def passes(seconds):
    end = LoopClock().mono() + seconds
    await until(lambda: LoopClock().mono() >= end, "time passes")


def is_over(inside, *quests):
    return not set(quests) & set(inside.app.quest_registry.live)


@pytest.mark.parametrize("waited", [1.0, 120.0])
def test_it_lands_soon_after_the_clean_up_however_long_it_has_waited(tmp_path, waited):
    async def scenario(shop):
        async with shop.daemon() as inside:
            (quest,) = await shop.begin(inside, "bye")
            assert [one["need"] for one in await inside.ask("inbox")] == ["merge"]
            await passes(waited)
            shop.clean()
            cleaned = LoopClock().mono()
            await until(lambda: is_over(inside, quest), "it has landed")
            assert LoopClock().mono() - cleaned <= LIMIT
            assert (await inside.ask("quest", id=quest))["status"] == "completed"
            assert await inside.ask("inbox") == []

    story(tmp_path, scenario)


def test_what_meets_a_conflict_of_a_stash_lands_soon_after_that_is_resolved(tmp_path):
    async def scenario(shop):
        shop.clean()
        shop.code.commit("another's", {"a": "another's\n"})
        with pytest.raises(AssertionError, match="CONFLICT"):
            shop.code.git("stash", "pop")
        async with shop.daemon() as inside:
            (quest,) = await shop.begin(inside, "bye")
            assert inside.app.engine.attempts.targets.in_the_way(quest) == "a has unresolved conflicts"
            (command,) = (await inside.ask("quest_why", id=quest))["do"]
            assert command == f"git -C {shop.code.folder} add -- a"
            shop.code.git("checkout", "--ours", "--", "a")
            shop.code.git("add", "--", "a")
            resolved = LoopClock().mono()
            await until(lambda: is_over(inside, quest), "it has landed")
            assert LoopClock().mono() - resolved <= LIMIT
            assert await inside.ask("inbox") == []

    story(tmp_path, scenario)


async def answers(ask, word):
    """Why no name answers it, and the command that does."""
    with pytest.raises(OvermindError) as refused:
        await ask("answer", id=word, behaviour="allow")
    return refused.value.message


async def why_says(ask, word):
    (named,) = (await ask("quest_why", id=word))["questions"]
    return named["text"]


async def y_opens(ask, word):
    return (quests_rows.question_of(await ask("quest", id=word), await ask("inbox")) or {})["question"]


async def stands(ask, word):
    rows, questions = counted(await ask("board")).rows, await ask("inbox")
    quests_rows.learn(rows, {}, questions)
    (card,) = [row for row in rows if word in {row["name"], row["id"]}]
    return quests_rows.standing(card)


def test_whoever_asks_by_the_name_of_one_that_waits_reaches_the_question_about_all_and_nobody_answers_it(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            ids, ask = await shop.begin(inside, "bye", "hello"), inside.ask
            (asked,) = await ask("inbox")
            number = asked["question"]
            assert asked["quests"] == ids
            command = f"overmind answer {number} allow (try again now) or deny (leave the work of all that wait for it"
            for word in ("bye", "hello", *ids):
                said = await why_says(ask, word)
                assert said.startswith(f"question {number} (merge of all that wait for main): "), said
                assert command in said
                refused = await answers(ask, word)
                assert "one answer decides about them all" in refused
                assert refused.endswith(f"Give its number: {said}")
                assert await y_opens(ask, word) == number
                assert "to land" in (line := await stands(ask, word))
                assert "y answers for all that wait: a is not committed" in line
            assert [one["question"] for one in await ask("inbox")] == [number], "nothing was answered"
            await ask("quest_cancel", id=ids[0])
            await until(lambda: is_over(inside, ids[0]), "it is over")
            assert [one["quests"] for one in await ask("inbox")] == [ids[1:]]
            assert quests_rows.question_of(await ask("quest", id=ids[0]), await ask("inbox")) is None

    story(tmp_path, scenario)


def test_who_asks_why_is_not_told_of_what_has_gone_and_it_lands_at_once(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            (quest,) = await shop.begin(inside, "bye")
            await passes(60.0)
            before = await inside.ask("quest_why", id=quest)
            assert "not committed: a." in before["text"]
            shop.clean()
            cleaned = LoopClock().mono()
            why = await inside.ask("quest_why", id=quest)
            assert (why["text"], why["do"]) == ("landing, attempt 1 of 3", [])
            await until(lambda: is_over(inside, quest), "it has landed")
            assert LoopClock().mono() - cleaned < LONGEST_SECONDS / 2

    story(tmp_path, scenario)


def test_who_asks_why_is_told_of_what_has_come_since(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            (quest,) = await shop.begin(inside, "bye")
            await passes(60.0)
            shop.clean()
            shop.code.write({"own0": "a person's\n"})
            why = await inside.ask("quest_why", id=quest)
            assert "new files: own0." in why["text"]
            assert len(await inside.ask("inbox")) == 1
            os.remove(shop.code.path("own0"))
            await until(lambda: is_over(inside, quest), "it has landed")
            assert await inside.ask("inbox") == []

    story(tmp_path, scenario)


def test_who_denies_the_question_leaves_what_is_just_tried_again_unmerged_too(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            (quest,), ask = await shop.begin(inside, "bye", verify="make test"), inside.ask
            (asked,) = await ask("inbox")
            shop.clean()
            verifying = await shop.verifies()
            await ask("answer", question=asked["question"], behaviour="deny")
            shop.keeper.exit(verifying)
            await until(lambda: is_over(inside, quest), "it is over")
            assert (await ask("quest", id=quest))["status"] == "cancelled"
            assert (shop.code.git("log", "--format=%s", "main"), await ask("inbox")) == ("first", [])
            assert quest in shop.code.git("worktree", "list")

    story(tmp_path, scenario)


@pytest.mark.parametrize(("code", "need"), [("git_failed", "merge"), ("changed", "review")])
def test_the_question_goes_away_once_the_last_landing_is_refused_for_something_else(tmp_path, code, need):
    async def scenario(shop):
        async with shop.daemon() as inside:
            (quest,) = await shop.begin(inside, "bye")
            refused = mock.AsyncMock(side_effect=OvermindError(code, "Something else.", files=["a"]))
            with mock.patch.object(inside.app.engine.attempts._lander, "land", refused):
                shop.clean()
                live = inside.app.quest_registry.live
                await until(lambda: live[quest].reason == code or live[quest].status == "review", "it is refused")
            (asked,) = await inside.ask("inbox")
            assert (asked["id"], asked["need"]) == (quest, need)

    story(tmp_path, scenario)


def test_as_long_as_no_file_changes_neither_time_nor_questions_ask_git(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            (quest,) = await shop.begin(inside, "bye")
            await passes(60.0)
            known = shop.looks
            for _ in range(5):
                assert "not committed: a." in (await inside.ask("quest_why", id=quest))["text"]
            await passes(60.0)
            assert shop.looks == known

    story(tmp_path, scenario)


def test_all_that_wait_for_one_checkout_ask_one_question_and_land_soon(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            quests = await shop.begin(inside, "bye", "cya")
            assert len(await inside.ask("inbox")) == 1
            await passes(60.0)
            shop.clean()
            for quest in quests:
                assert "not committed" not in (await inside.ask("quest_why", id=quest))["text"]
            await until(lambda: is_over(inside, quests[0]), "it has landed")
            await until(lambda: not inside.app.engine.attempts.targets.at("main", shop.code.folder), "none waits")
            assert await inside.ask("inbox") == []

    story(tmp_path, scenario)
