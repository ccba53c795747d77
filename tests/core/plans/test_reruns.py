"""A plan that has ended, and runs again: what was changed since, what is kept, and what a daemon knows of it later."""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.domain.plans.progress import AgentStage
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world

FIRST = {"lint": "true", "build": "make", "test": "false"}


def request(commands, **more):
    agents = [
        {
            "name": name,
            "start": {"command": [command], "cwd": "/"},
            "depends_on": [{"agent": "build"}] if name == "test" else [],
        }
        for name, command in commands.items()
    ]
    return {"blueprint": {"name": "p", "agents": agents}, "cwd": "/", "file": "/p.toml", "env": world(), **more}


def ends_what_it_starts(inside, keeper):
    """Every run ends as soon as its start was answered; `false` with 1."""

    def begun(fields):
        code = int(inside.app.registry.get(fields["run"].partition(".")[0]).definition.command == "false")
        asyncio.get_running_loop().call_soon(keeper.exit, fields["run"], code)

    keeper.on_ask["spawn"] = begun


def running(keeper):
    return [run for run, held in keeper.held.items() if held["exit"] is None]


async def ended(inside, answer):
    await inside.app.registry.ended(answer["id"])
    return answer


def told(answer):
    return [f"{one['sign']} {one['agent']} {' '.join(one['why'])}".strip() for one in answer["changes"]], answer["kept"]


@pytest.fixture
def story(tmp_path):
    def run(play):
        async def whole():
            home = Home(str(tmp_path / "home"))
            keeper = ScriptedKeeper(home)
            async with supervising(home, keeper) as inside:
                ends_what_it_starts(inside, keeper)
                await ended(inside, await inside.ask("apply", **request(FIRST)))
                found = await play(inside)
            keeper.close()
            return found

        return in_process.run(whole())

    return run


CHANGES = [
    (FIRST, []),
    ({**FIRST, "lint": "ruff"}, ["~ lint command"]),
    ({"lint": "true", "build": "make", "docs": "mkdocs"}, ["+ docs", "- test"]),
]


@pytest.mark.parametrize(("commands", "changes"), CHANGES)
def test_what_was_changed_since_an_ended_plan_began_is_told_before_and_when_it_runs_again(story, commands, changes):
    async def play(inside):
        before = await inside.ask("apply", **request(commands, dry_run=True))
        return told(before), told(await ended(inside, await inside.ask("apply", **request(commands))))

    assert story(play) == ((changes, []), (changes, []))


def test_where_no_plan_of_the_file_has_run_all_is_new(story):
    async def play(inside):
        return told(await inside.ask("apply", **request({"a": "true"}, file="/other.toml", dry_run=True)))

    assert story(play) == (["+ a"], [])


def test_a_part_that_runs_again_says_what_was_changed_and_what_follows_from_that(story):
    async def play(inside):
        changed = request({**FIRST, "build": "ninja"}, rerun="changed")
        before = await inside.ask("apply", **changed, dry_run=True)
        done = await ended(inside, await inside.ask("apply", **changed))
        (last,) = [event for event in inside.events(done["id"]) if event["type"] == "plan_ended"][1:]
        return told(before), told(done), last["text"].partition(" in ")[0]

    said = (["~ build command", "~ test runs again"], ["lint"])
    assert story(play) == (said, said, "--- p: 1 succeeded, 1 failed, 1 kept")


def test_one_that_is_asked_for_runs_though_another_one_had_failed_before(story):
    async def play(inside):
        done = await ended(inside, await inside.ask("apply", **request(FIRST, rerun="lint")))
        (last,) = [event for event in inside.events(done["id"]) if event["type"] == "plan_ended"][1:]
        return last["text"], inside.app.registry.get(done["id"]).exit_code

    text, code = story(play)
    assert (text.startswith("--- p: 1 succeeded, 2 kept in "), text.endswith("; failed before: test ---")) == (
        True,
        True,
    )
    assert code == 1


def one_at_a_time(commands, **more):
    """Whatever comes behind a failure is kept from starting by it; `site` depends on `docs`."""
    limits = {"max_parallel": 1, "on_failure": more.pop("on_failure", "stop")}
    found = request(commands, **more)
    for agent in found["blueprint"]["agents"]:
        agent["depends_on"] = [{"agent": "docs"}] if agent["name"] == "site" else []
    return found | {"blueprint": found["blueprint"] | limits}


UNIT, REST = {"unit": "false"}, {"docs": "true", "site": "true"}
HELD_BACK = [
    # the plan that has ended as it is now, what of it is to run again, what became of that
    (UNIT | REST, {"rerun": "changed"}, None),
    ({"unit": "true"} | REST, {"rerun": "changed"}, ("3 succeeded", 0)),
    ({"unit": "true"} | REST, {"rerun": "unit"}, ("3 succeeded", 0)),
    (UNIT | REST, {"rerun": "unit"}, ("1 failed, 2 skipped", 1)),
    (REST, {"rerun": "changed"}, ("2 succeeded", 0)),
    (UNIT | REST, {"rerun": "changed", "on_failure": "continue"}, ("2 succeeded, 1 kept", 1)),
]


@pytest.mark.parametrize(("commands", "how", "expected"), HELD_BACK)
def test_whom_a_failure_kept_from_starting_runs_too_once_that_runs_again_or_holds_nobody(
    story, commands, how, expected
):
    async def play(inside):
        first = await ended(inside, await inside.ask("apply", **one_at_a_time(UNIT | REST, file="/held.toml")))
        again = await inside.ask("apply", **one_at_a_time(commands, file="/held.toml", **how))
        if again["status"] == "unchanged":
            return None
        await ended(inside, again)
        last = [event["text"] for event in inside.events(first["id"]) if event["type"] == "plan_ended"][-1]
        return last.partition(" in ")[0].removeprefix("--- p: "), inside.app.registry.get(again["id"]).exit_code

    assert story(play) == expected


def test_the_next_daemon_knows_which_agents_were_kept_and_a_whole_run_keeps_none(tmp_path):
    async def play():
        home = Home(str(tmp_path / "home"))
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            ends_what_it_starts(inside, keeper)
            await ended(inside, await inside.ask("apply", **request(FIRST)))
            keeper.on_ask.clear()
            plan = (await inside.ask("apply", **request(FIRST, rerun="lint")))["id"]
            await until(lambda: running(keeper), "it runs")
            (run,) = running(keeper)
        async with supervising(home, keeper) as inside:
            await until(lambda: inside.app.plans.live[plan].nodes["lint"].stage is AgentStage.RUNNING, "it knows")
            keeper.exit(run)
            await inside.app.registry.ended(plan)
            ends_what_it_starts(inside, keeper)
            await inside.ask("restart", id=plan)
            await until(lambda: plan not in inside.app.plans.live, "all of it has run")
            texts = [event["text"] for event in inside.events(plan) if event["type"] == "plan_ended"]
        keeper.close()
        return [text.partition(" in ")[0] for text in texts[1:]]

    assert in_process.run(play()) == ["--- p: 1 succeeded, 2 kept", "--- p: 2 succeeded, 1 failed"]
