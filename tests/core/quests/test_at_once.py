"""Quests that began at once: a mistake of ours ends them, a full disk holds up their check, a leaving daemon waits."""

from __future__ import annotations

from unittest import mock

import pytest

from overmind_core.kernel.config import Settings
from overmind_core.quests.full_disk import ROOM_SECONDS
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, idle, supervising, until, world

FAULT = ZeroDivisionError("division by zero")


def story(tmp_path, scenario, **quest):
    """`scenario` with a quest whose work runs."""
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)

    async def play():
        async with supervising(home, keeper, settings=Settings()) as inside:
            name = (await inside.ask("quest_run", command="work", cwd="/", env=world(), **quest))["id"]
            await until(lambda: f"{name}.1" in keeper.held, "it runs")
            return await scenario(inside, keeper, name)

    try:
        return in_process.run(play())
    finally:
        keeper.close()


async def ended(inside, quest):
    await until(lambda: quest not in inside.app.quest_registry.live, "it has ended")
    return await inside.ask("quest", id=quest)


@pytest.mark.parametrize("step", ["_check", "_do"])
def test_a_fault_of_ours_fails_it_and_nobody_waits_for_ever(tmp_path, step):
    async def scenario(inside, keeper, name):
        with mock.patch.object(inside.app.quests, step, side_effect=FAULT):
            keeper.exit(f"{name}.1")
            info = await ended(inside, name)
        return info["status"], info["reason"]

    assert story(tmp_path, scenario, check="true") == ("failed", "internal")


def test_a_fault_while_its_work_runs_leaves_it_to_the_end_of_that(tmp_path):
    async def scenario(inside, keeper, name):
        with mock.patch.object(inside.app.quests, "_do", side_effect=FAULT):
            inside.app.quests.consider(name)
        keeper.exit(f"{name}.1")
        return (await ended(inside, name))["status"]

    assert story(tmp_path, scenario) == "completed"


@pytest.mark.parametrize("retries", [0, 1])
def test_a_check_without_room_is_run_again_once_there_is_some(tmp_path, retries):
    async def scenario(inside, keeper, name):
        keeper.exit(f"{name}.1")
        await until(lambda: inside.app.quest_registry.live[name].check_id, "it is checked")
        check = inside.app.quest_registry.live[name].check_id
        await until(lambda: f"{check}.1" in keeper.held, "the check runs")
        with mock.patch("overmind_core.system.disk.first_full", side_effect=["/", "/", None]):
            began = in_process.LoopClock().mono()
            keeper.exit(f"{check}.1", code=2)
            await until(lambda: f"{check}.2" in keeper.held, "the check runs again")
        waited = in_process.LoopClock().mono() - began
        keeper.exit(f"{check}.2")
        info = await ended(inside, name)
        return info["status"], info["attempts"], waited

    status, attempts, waited = story(tmp_path, scenario, check="true", retries=retries)
    assert (status, attempts) == ("completed", 1)
    assert waited == pytest.approx(2 * ROOM_SECONDS, abs=3.0)


def test_one_whose_check_waits_for_room_is_cancelled_at_once(tmp_path):
    async def scenario(inside, keeper, name):
        keeper.exit(f"{name}.1")
        await until(lambda: inside.app.quest_registry.live[name].check_id, "it is checked")
        check = inside.app.quest_registry.live[name].check_id
        await until(lambda: f"{check}.1" in keeper.held, "the check runs")
        with mock.patch("overmind_core.system.disk.first_full", return_value="/"):
            keeper.exit(f"{check}.1", code=2)
            await idle()
            await inside.ask("quest_cancel", id=name)
        return (await ended(inside, name))["status"]

    assert story(tmp_path, scenario, check="true") == "cancelled"


def test_a_daemon_that_leaves_records_no_failure_and_the_next_one_does(tmp_path):
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)

    async def play():
        async with supervising(home, keeper, settings=Settings()) as inside:
            name = (await inside.ask("quest_run", command="work", cwd="/", env=world()))["id"]
            await until(lambda: f"{name}.1" in keeper.held, "it runs")
            inside.app.phase.closing = True
            keeper.exit(f"{name}.1", code=3)
            await idle()
            left = inside.app.quest_registry.live[name].status
        async with supervising(home, keeper, settings=Settings()) as inside:
            return left, (await ended(inside, name))["status"]

    try:
        assert in_process.run(play()) == ("running", "failed")
    finally:
        keeper.close()
