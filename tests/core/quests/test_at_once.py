"""Quests that began at once: a mistake of ours ends them, a full disk holds up their check, a leaving daemon waits."""

from __future__ import annotations

import asyncio
from unittest import mock

import pytest

from overmind_core.domain.missions.mission import Restart
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError
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


CHECKED = {"name": "h1", "check": "test -s never.txt"}
RUN = "overmind quest run --name h1 --cwd / --check 'test -s never.txt'"
AGAIN = "Begin it again, adding any other options, with:"


async def at_its_check(inside, keeper, name):
    """Its work has ended well; return the id of the check that runs."""
    keeper.exit(f"{name}.1")
    await until(lambda: inside.app.quest_registry.live[name].check_id, "it is checked")
    check = inside.app.quest_registry.live[name].check_id
    await until(lambda: f"{check}.1" in keeper.held, "the check runs")
    return check


async def refused(inside, command, **arguments):
    with pytest.raises(OvermindError) as error:
        await inside.ask(command, **arguments)
    return error.value.message


def test_one_that_is_over_is_not_started_again_without_its_check_and_names_what_begins_it(tmp_path):
    async def scenario(inside, keeper, name):
        check = await at_its_check(inside, keeper, name)
        during = [await refused(inside, "restart", id=one) for one in (name, check)]
        keeper.exit(f"{check}.1", code=1)
        await ended(inside, name)
        after = [await refused(inside, command, id=name) for command in ("restart", "quest_retry")]
        row = (await inside.ask("ps", ids=[name]))[0]
        return name, during, after, (row["status"], row["outcome"])

    name, during, after, stands = story(tmp_path, scenario, **CHECKED, timeout="20d")
    follows = f"The work of quest {name} (h1) has ended, and its check follows. Cancel it first: "
    assert during == [f"{follows}overmind quest cancel h1. {AGAIN} {RUN} --timeout 1728000s work"] * 2
    assert after == [
        f"Quest {name} (h1) has already failed. {AGAIN} {RUN} --timeout 1728000s work",
        f"Quest {name} (h1) began at once. {AGAIN} {RUN} --timeout 1728000s work",
    ]
    assert stands == ("stopped", "failed")


def test_one_whose_work_runs_is_started_again_and_checked(tmp_path):
    async def scenario(inside, keeper, name):
        asked = asyncio.create_task(inside.ask("restart", id=name))
        await until(lambda: inside.app.registry.get(name).status == "stopping", "it is stopped")
        keeper.exit(f"{name}.1", code=143)
        await asked
        await until(lambda: f"{name}.2" in keeper.held, "it runs again")
        keeper.exit(f"{name}.2")
        await until(lambda: inside.app.quest_registry.live[name].check_id, "it is checked")

    story(tmp_path, scenario, **CHECKED)


@pytest.mark.parametrize("check", [None, "true"])
def test_of_those_that_were_lost_only_one_without_a_check_is_started_again(tmp_path, check):
    home = Home(str(tmp_path / "home"))
    first, second = ScriptedKeeper(home), ScriptedKeeper(home, number=2)

    async def play():
        async with supervising(home, first, settings=Settings()) as inside:
            name = (await inside.ask("quest_run", command="work", cwd="/", env=world(), check=check))["id"]
            await until(lambda: f"{name}.1" in first.held, "it runs")
            first.lose()
        async with supervising(home, second, settings=Settings()) as inside:
            info = await ended(inside, name)
            offered = (await inside.ask("restart", lost=True, dry_run=True))["missions"]
            is_refused = bool(check) and await refused(inside, "restart", id=name)
        return name, info["reason"], [one["id"] for one in offered], bool(is_refused)

    try:
        name, reason, offered, is_refused = in_process.run(play())
    finally:
        first.close()
        second.close()
    assert (reason, offered, is_refused) == ("keeper_lost", [] if check else [name], bool(check))


def test_it_stands_at_its_check_in_every_answer_while_that_runs(tmp_path):
    async def scenario(inside, keeper, name):
        await at_its_check(inside, keeper, name)
        why, row = await inside.ask("quest_why", id=name), (await inside.ask("ps", ids=[name]))[0]
        return why["text"], row["quest_state"], row["outcome"], (await inside.ask("quest", id=name))["phase"]

    assert story(tmp_path, scenario, **CHECKED) == ("checking, attempt 1 of 1", "checking", None, "check")


def test_it_works_again_once_another_try_has_begun(tmp_path):
    async def scenario(inside, keeper, name):
        check = await at_its_check(inside, keeper, name)
        keeper.exit(f"{check}.1", code=1)
        await until(lambda: f"{name}.2" in keeper.held, "it is tried again")
        phases = [event.get("phase") for event in inside.events(name) if event["type"] == "quest"]
        return (await inside.ask("quest_why", id=name))["text"], phases

    said, phases = story(tmp_path, scenario, retries=1, **CHECKED)
    assert (said, phases) == ("working, attempt 2 of 2", ["work", "check", "work"])


async def edit(inside, mission, **terms):
    known = await inside.ask("definition", id=mission)
    changed = {**known["definition"], **terms}
    return await inside.ask("redefine", id=mission, as_of=known["as_of"], definition=changed)


@pytest.mark.parametrize(
    "change", [{"restart": "always"}, {"restart": "never"}, {"max_restarts": 9}, {"max_seconds": "5s"}]
)
@pytest.mark.parametrize("by", ["update", "edit"])
def test_it_gets_no_restarts_as_it_has_retries(tmp_path, by, change):
    async def scenario(inside, keeper, name):
        with pytest.raises(OvermindError) as error:
            await (inside.ask("update", id=name, **change) if by == "update" else edit(inside, name, **change))
        await inside.ask("update", id=name, backoff="5s", timeout="1m", labels={"a": "b"})
        check = await at_its_check(inside, keeper, name)
        await inside.ask("update", id=check, name="renamed")
        with pytest.raises(OvermindError, match="belongs to quest h1, which waits for its end"):
            await inside.ask("update", id=check, restart="always")
        return error.value.message

    said = story(tmp_path, scenario, retries=2, **CHECKED)
    assert "ends on its own: it has retries in the place of restarts. Cancel it first: overmind quest cancel h1" in said
    assert said.endswith(f"by --retries N. {AGAIN} {RUN} --retries 2 work")


def test_the_run_of_a_ritual_is_told_no_option_that_its_command_lacks(tmp_path):
    async def scenario(inside, keeper, name):
        quests = inside.app.quest_registry
        quests.put(replace(quests.live[name], ritual="nightly"))
        with pytest.raises(OvermindError) as error:
            await inside.ask("update", id=name, restart="always")
        return error.value.message

    said = story(tmp_path, scenario, name="h1")
    assert said.endswith("overmind quest cancel h1. Begin it again with: overmind ritual run nightly")


@pytest.mark.parametrize("retries", [0, 2])
def test_restarts_that_an_older_daemon_has_let_it_have_can_be_taken_away(tmp_path, retries):
    async def scenario(inside, keeper, name):
        missions = inside.app.registry

        async def mended(mission):
            given = missions.get(mission).definition
            restarts = replace(given.restart, when=Restart.ALWAYS)
            missions.put(replace(missions.get(mission), definition=replace(given, restart=restarts)))
            with pytest.raises(OvermindError, match="restarts"):
                await inside.ask("update", id=mission, restart="on-failure")
            await inside.ask("update", id=mission, restart="never")

        await mended(name)
        check = await at_its_check(inside, keeper, name)
        await mended(check)
        keeper.exit(f"{check}.1")
        return (await ended(inside, name))["status"]

    assert story(tmp_path, scenario, retries=retries, **CHECKED) == "completed"


def test_one_whose_work_has_ended_keeps_the_command_that_ran_and_has_its_name_and_labels_changed(tmp_path):
    async def scenario(inside, keeper, name):
        refusals = [(await inside.ask("definition", id=name))["restart_refused"]]
        check = await at_its_check(inside, keeper, name)
        for ends in (False, True):
            if ends:
                keeper.exit(f"{check}.1", code=1)
                await ended(inside, name)
            refusals.append((await inside.ask("definition", id=name))["restart_refused"])
            with pytest.raises(OvermindError) as error:
                await edit(inside, name, command="another")
            assert error.value.message == refusals[-1]
        await edit(inside, name, name="h2", labels={"a": "b"})
        with pytest.raises(OvermindError, match="has already failed"):
            await inside.ask("update", id=name, timeout="9s")
        row, quest = (await inside.ask("ps", ids=[name]))[0], await inside.ask("quest", id=name)
        return refusals, (row["command"], quest["command"], quest["name"])

    (running, during, after), shown = story(tmp_path, scenario, **CHECKED)
    assert running is None
    assert "has ended, and its check follows" in during
    assert "has already failed" in after
    assert shown == ("work", "work", "h2")


def test_it_shows_the_command_with_which_its_newest_run_began(tmp_path):
    async def scenario(inside, keeper, name):
        await edit(inside, name, command="another")
        before = (await inside.ask("quest", id=name))["command"]
        asked = asyncio.create_task(inside.ask("restart", id=name))
        await until(lambda: inside.app.registry.get(name).status == "stopping", "it is stopped")
        keeper.exit(f"{name}.1", code=143)
        await asked
        await until(lambda: f"{name}.2" in keeper.held, "it runs again")
        keeper.exit(f"{name}.2")
        return before, (await ended(inside, name))["command"]

    assert story(tmp_path, scenario) == ("work", "another")
