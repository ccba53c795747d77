"""Landings and checks that the full disk keeps waiting: they are tried again until there is room."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import asynccontextmanager
from unittest import mock

import pytest

from overmind_core.domain.quests.quest import LandedWork
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.quests.full_disk import ROOM_SECONDS
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
        quest = {"title": "work", "command": "true", "into": "main", "allow_empty": True}
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


@asynccontextmanager
async def checking(shop, *, full):
    """A quest whose check has just failed, and the room that looks at the disk find, one after the other."""
    async with supervising(shop.home, shop.keeper, settings=Settings()) as inside:
        quest = {"title": "work", "command": "true", "check": "make test", "retries": 0}
        added = await inside.ask("quest_add", quests=[quest], cwd=str(shop.code.folder), env=world())
        name = added["quests"][0]["id"]
        await until(lambda: f"{name}.1" in shop.keeper.held, "it runs")
        found = ["/" if one else None for one in full]
        with mock.patch("overmind_core.system.disk.first_full", side_effect=found) as looks:
            shop.keeper.exit(f"{name}.1")
            await until(lambda: inside.app.quest_registry.live[name].check_id, "it is checked")
            check = inside.app.quest_registry.live[name].check_id
            await until(lambda: f"{check}.1" in shop.keeper.held, "the check runs")
            shop.keeper.exit(f"{check}.1", code=2)
            await until(lambda: looks.call_count, "the check has failed")
            await idle()
            yield inside, name, check


def test_a_check_without_room_costs_no_attempt_and_runs_again_once_there_is(tmp_path):
    async def scenario(shop):
        began = in_process.LoopClock().mono()
        async with checking(shop, full=[True, True, False]) as (inside, name, check):
            info = await inside.ask("quest", id=name)
            assert (info["status"], info["phase"], info["reason"]) == ("running", "check", "disk_full")
            why = await inside.ask("quest_why", id=name)
            assert why["text"] == "checking again once the disk has room, attempt 1 of 1"
            assert inside.app.line.is_needed, "it goes on by itself"
            told = [one for one in inside.events(name) if one["type"] == "quest"][-1]
            assert (told["status"], told["phase"], told["by"], told["why"]) == (
                "running", "check", "engine", "disk_full",
            )  # fmt: skip
            await until(lambda: f"{check}.2" in shop.keeper.held, "the check runs again")
            assert in_process.LoopClock().mono() - began == pytest.approx(2 * ROOM_SECONDS, abs=1.0)
            assert (await inside.ask("quest", id=name))["reason"] is None
            shop.keeper.exit(f"{check}.2")
            await until(lambda: name not in inside.app.quest_registry.live, "it is done")
            assert await inside.ask("inbox") == []
            info = await inside.ask("quest", id=name)
            return info["status"], info["attempts"]

    assert story(tmp_path, scenario) == ("completed", 1)


def test_a_check_with_room_that_fails_is_the_works_fault(tmp_path):
    async def scenario(shop):
        async with checking(shop, full=[False]) as (inside, name, _check):
            await until(lambda: name not in inside.app.quest_registry.live, "it has failed")
            info = await inside.ask("quest", id=name)
            return info["status"], info["reason"]

    assert story(tmp_path, scenario) == ("failed", "check_failed")


def test_the_next_daemon_runs_the_check_again_too(tmp_path):
    async def scenario(shop):
        async with checking(shop, full=[True]) as (_inside, name, check):
            pass
        async with supervising(shop.home, shop.keeper, settings=Settings()) as inside:
            await until(lambda: f"{check}.2" in shop.keeper.held, "the check runs again")
            shop.keeper.exit(f"{check}.2")
            await until(lambda: name not in inside.app.quest_registry.live, "it is done")
            return (await inside.ask("quest", id=name))["status"]

    assert story(tmp_path, scenario) == "completed"


def test_one_that_waits_for_room_to_be_checked_is_cancelled_at_once(tmp_path):
    async def scenario(shop):
        async with checking(shop, full=[True]) as (inside, name, check):
            assert (await inside.ask("quest_cancel", id=name))["status"] == "cancelled"
            await idle()
            return f"{check}.2" in shop.keeper.held

    assert not story(tmp_path, scenario)


def test_one_that_is_cancelled_while_it_is_recorded_that_it_can_not_land_is_cancelled(tmp_path):
    async def scenario(shop):
        async with shop.daemon(room_after=9) as inside:
            told, go_on = asyncio.Event(), asyncio.Event()
            outcomes = inside.app.engine.attempts._outcomes()
            record = outcomes.not_landed

            async def slowly(quest, error):
                told.set()
                await go_on.wait()
                await record(quest, error)

            with mock.patch.object(outcomes, "not_landed", slowly):
                quest = await shop.begin(inside)
                await told.wait()
                asked = asyncio.ensure_future(inside.ask("quest_cancel", id=quest))
                await until(lambda: inside.app.quest_registry.live[quest].cancelling, "it is to end")
                go_on.set()
                await asked
            await until(lambda: quest not in inside.app.quest_registry.live, "it has ended")
            return codes(await inside.ask("quest", id=quest))

    assert story(tmp_path, scenario) == CANCELLED_AFTER_WORK


def test_one_that_is_cancelled_just_before_its_landing_begins_is_cancelled(tmp_path):
    async def scenario(shop):
        async with shop.daemon(room_after=0) as inside:
            attempts = inside.app.engine.attempts
            begin = attempts._begin_landing

            def and_cancel(quest):
                begin(quest)
                attempts.cancel(inside.app.quest_registry.live[quest.id])

            with mock.patch.object(attempts, "_begin_landing", and_cancel):
                quest = {"title": "work", "command": "true", "into": "main", "allow_empty": True}
                added = await inside.ask("quest_add", quests=[quest], cwd=shop.code.folder, env={**world(), **AUTHOR})
                name = added["quests"][0]["id"]
                await until(lambda: f"{name}.1" in shop.keeper.held, "it runs")
                shop.keeper.exit(f"{name}.1")
                await until(lambda: name not in inside.app.quest_registry.live, "it has ended")
            return shop.tried, codes(await inside.ask("quest", id=name))

    assert story(tmp_path, scenario) == (0, CANCELLED_AFTER_WORK)


def test_one_that_had_landed_as_it_was_cancelled_is_not_said_to_be(tmp_path):
    async def scenario(shop):
        async with shop.daemon(room_after=0) as inside:
            lander = inside.app.engine.attempts._lander

            async def clears_away(_wish):
                shop.tried += 1
                await asyncio.Event().wait()

            landed = mock.Mock(return_value=LandedWork("main", "0" * 40, "1" * 40))
            with mock.patch.object(lander, "land", clears_away), mock.patch.object(lander, "landed", landed):
                quest = await shop.begin(inside)
                with pytest.raises(OvermindError) as refused:
                    await inside.ask("quest_cancel", id=quest)
            return quest, refused.value, (await inside.ask("quest", id=quest))["status"]

    quest, refused, status = story(tmp_path, scenario)
    assert refused.message == f"Quest {quest} (work) had landed already: completed, landed on main."
    assert (refused.code, status) == ("not_running", "completed")


CANCELLED_AFTER_WORK = ("cancelled", None, [0])
"""Nothing of it has failed: only its work has exited, with 0."""


def codes(info):
    """How a quest has ended, and with which exit codes it and its attempts."""
    return info["status"], info["exit_code"], [one["exit_code"] for one in info["attempt_list"]]


def test_one_that_is_cancelled_in_review_has_no_exit_code_and_its_attempt_that_of_its_work(tmp_path):
    async def scenario(shop):
        async with supervising(shop.home, shop.keeper, settings=Settings()) as inside:
            quest = {"title": "work", "command": "true", "review": "person"}
            added = await inside.ask("quest_add", quests=[quest], cwd=shop.code.folder, env={**world(), **AUTHOR})
            name = added["quests"][0]["id"]
            await until(lambda: f"{name}.1" in shop.keeper.held, "it runs")
            shop.keeper.exit(f"{name}.1")
            await until(lambda: inside.app.quest_registry.live[name].status == "review", "it is in review")
            await inside.ask("quest_cancel", id=name)
            await until(lambda: name not in inside.app.quest_registry.live, "it has ended")
            return codes(await inside.ask("quest", id=name))

    assert story(tmp_path, scenario) == CANCELLED_AFTER_WORK


@pytest.mark.parametrize("checked_by", ["check", "verify"])
def test_a_failed_check_is_told_with_the_folder_in_which_it_ran_also_once_that_is_gone(tmp_path, checked_by):
    """One of merged work ran in a folder that goes with the merge; the work has its own."""

    async def scenario(shop):
        async with supervising(shop.home, shop.keeper, settings=Settings()) as inside:
            quest = {"title": "work", "command": "true", "into": "main", "retries": 0, "allow_empty": True}
            quest |= {checked_by: "make test"}
            added = await inside.ask("quest_add", quests=[quest], cwd=shop.code.folder, env={**world(), **AUTHOR})
            name = added["quests"][0]["id"]
            await until(lambda: f"{name}.1" in shop.keeper.held, "it runs")
            if checked_by == "verify":
                shop.code.commit("second", {"b": "2\n"})  # something to merge with
                shutil.copy(os.path.join(shop.code.folder, "a"), os.path.join(work(inside, name), "c"))
            shop.keeper.exit(f"{name}.1")
            await until(lambda: beside(shop.keeper, name), "it is checked")
            (run,) = beside(shop.keeper, name)
            folder = work(inside, run.partition(".")[0])
            shop.keeper.exit(run, code=2)
            await until(lambda: name not in inside.app.quest_registry.live, "it has failed")
            (question,) = await inside.ask("inbox")
            before = await inside.ask("quest_why", id=name)
            shutil.rmtree(work(inside, name), ignore_errors=True)
            after = await inside.ask("quest_why", id=name)
            (later,) = await inside.ask("inbox")
            lines = [one["subject"]["lines"][2:] for one in (question, later)]
            return work(inside, name), folder, lines, before, after

    worktree, folder, (asked, later), before, after = story(tmp_path, scenario)
    is_merged = checked_by == "verify"
    assert (folder == worktree) is not is_merged
    assert (
        asked[:2] == [f"in {folder} (removed since)", f"its work is in {worktree}"] if is_merged else [f"in {folder}"]
    )
    assert later[0] == f"in {folder} (removed since)"
    assert before["folder"] == folder
    assert (before["folder_gone"], before["work_folder"]) == (True, worktree) or not is_merged
    assert (after["folder"], after["folder_gone"], after["work_folder"]) == (folder, True, None)


def beside(keeper, quest):
    return [run for run in keeper.held if not run.startswith(quest)]


def work(inside, name):
    return inside.app.registry.get(name).definition.cwd
