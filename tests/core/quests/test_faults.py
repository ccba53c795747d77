"""Faults of the daemon's own in the step of a quest: the attempt fails, and a person is asked, once."""

from __future__ import annotations

from unittest import mock

import pytest

from overmind_core.domain.missions.facts import StartAsked
from overmind_core.kernel.config import Settings
from overmind_core.quests import full_disk, outcomes, service
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


async def fails_again(inside, keeper, check):
    """Somebody runs a check that has failed, and it fails once more."""
    inside.app.registry.apply(check, StartAsked())
    await until(lambda: f"{check.id}.2" in keeper.held, "it runs")
    keeper.exit(f"{check.id}.2", 1)
    await until(lambda: check.id not in inside.app.registry.live, "it has failed again")


def test_a_check_that_had_no_room_is_run_again_as_it_is_by_then(tmp_path, monkeypatch):
    async def scenario(inside, keeper, name):
        async def is_full(_mission, _home):
            return True

        async def somebody_runs_it(check, _home):
            await fails_again(inside, keeper, check)
            return False

        monkeypatch.setattr(outcomes, "had_no_room", is_full)
        monkeypatch.setattr(full_disk, "had_no_room", somebody_runs_it)
        keeper.exit(f"{name}.1")
        (run,) = await until(lambda: [one for one in keeper.held if not one.startswith(name)], "its check runs")
        keeper.exit(run, 1)
        await until(lambda: f"{run.partition('.')[0]}.3" in keeper.held, "it is run again")

    story(tmp_path, scenario, check="make test")


def test_a_check_of_a_quest_that_began_at_once_is_run_again_as_it_is_by_then_too(tmp_path, monkeypatch):
    async def scenario(inside, keeper, name):
        looks = []

        async def had_no_room(check, _home):
            looks.append(check.id)
            if len(looks) > 1:
                await fails_again(inside, keeper, check)
            return len(looks) == 1

        monkeypatch.setattr(service, "had_no_room", had_no_room)
        started = await inside.ask("quest_run", name="once", command="make", check="look", cwd="/", env=world())
        quest = started["id"]
        await until(lambda: f"{quest}.1" in keeper.held, "it runs")
        keeper.exit(f"{quest}.1")
        known = (name, quest)
        (run,) = await until(lambda: [one for one in keeper.held if not one.startswith(known)], "its check runs")
        keeper.exit(run, 1)
        await until(lambda: f"{run.partition('.')[0]}.3" in keeper.held, "it is run again")

    story(tmp_path, scenario)
