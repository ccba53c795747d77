"""Faults of the daemon's own in the step of a quest: the attempt fails, and a person is asked, once."""

from __future__ import annotations

from unittest import mock

import pytest

from overmind_core.kernel.config import Settings
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, idle, supervising, until, world

FAULT = ZeroDivisionError("division by zero")
NOTE = "It could not go on: ZeroDivisionError: division by zero. See daemon.log"


def story(tmp_path, scenario, **quest):
    """`scenario` with a quest whose work is about to end."""
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)

    async def play():
        async with supervising(home, keeper, settings=Settings()) as inside:
            row = {"title": "work", "command": "make", **quest}
            added = await inside.ask("quest_add", quests=[row], cwd=str(tmp_path), env=world())
            name = added["quests"][0]["id"]
            await until(lambda: f"{name}.1" in keeper.held, "it runs")
            return await scenario(inside, keeper, name)

    try:
        return in_process.run(play())
    finally:
        keeper.close()


async def failed(inside, quest):
    """What is shown of a quest once it has failed, and its only question."""
    await until(lambda: quest not in inside.app.quest_registry.live, "it has failed")
    info = await inside.ask("quest", id=quest)
    (question,) = await inside.ask("inbox")
    return info, question


STEPS = {
    "in the background": ({"outputs": ["report.md"]}, "_gather"),
    "while it is decided": ({}, "_do"),
}


@pytest.mark.parametrize("how", STEPS)
def test_a_fault_fails_the_attempt_and_is_asked_about_once(tmp_path, how):
    quest, step = STEPS[how]

    async def scenario(inside, keeper, name):
        attempts = inside.app.engine.attempts
        with mock.patch.object(attempts, step, side_effect=FAULT) as taken:
            keeper.exit(f"{name}.1")
            info, question = await failed(inside, name)
            await idle()
            assert taken.call_count == 1
        assert (info["status"], info["reason"]) == ("failed", "internal")
        assert (question["need"], question["name"]) == ("stuck", info["name"])
        assert question["subject"]["class"] == "internal"
        assert NOTE in question["subject"]["lines"]
        told = [one for one in inside.events(name) if one["type"] == "quest"][-1]
        assert (told["status"], told["by"], told["why"]) == ("failed", "engine", "internal")
        assert list(keeper.held) == [f"{name}.1"], "no other attempt"
        await inside.ask("answer", question=question["question"], behaviour="allow")
        await until(lambda: f"{name}.2" in keeper.held, "a new round")
        assert await inside.ask("inbox") == []

    story(tmp_path, scenario, **quest)


def test_work_that_runs_goes_on_and_its_end_leads_to_the_next_step(tmp_path):
    async def scenario(inside, keeper, name):
        attempts = inside.app.engine.attempts
        with mock.patch.object(attempts, "_do", side_effect=FAULT):
            attempts.consider(name)
        assert await inside.ask("inbox") == []
        keeper.exit(f"{name}.1")
        await until(lambda: name not in inside.app.quest_registry.live, "it has ended")
        return (await inside.ask("quest", id=name))["status"]

    assert story(tmp_path, scenario) == "completed"
