"""A plan that has ended, and runs again: what was changed since, what is kept, and what a daemon knows of it later."""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.domain.missions.mission import Cause
from overmind_core.domain.plans.progress import AgentStage
from overmind_core.errors import OvermindError
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


@pytest.mark.parametrize("rerun", ["failed", "lint"])
def test_a_rerun_whose_answer_was_lost_and_that_is_asked_for_again_runs_once(story, rerun):
    async def play(inside):
        again = request(FIRST, rerun=rerun, request="once")
        first = await inside.ask("apply", **again)
        live = await inside.ask("apply", **again)
        await ended(inside, first)
        over = await inside.ask("apply", **again)
        other = await inside.ask("apply", **request(FIRST, rerun=rerun, request="another", dry_run=True))
        ends = [event for event in inside.events(first["id"]) if event["type"] == "plan_ended"]
        return live == over == first, len(ends), other["status"]

    assert story(play) == (True, 2, "planned")


def valued(variables, given, **more):
    """A request for the plan with these variables, and the names of those that the caller gave."""
    found = request(FIRST, file="/valued.toml", **more)
    return found | {"blueprint": found["blueprint"] | {"variables": variables, "given": given}}


STAGING, FILES = {"target": "the staging", "n": "1"}, {"target": "prod", "n": "1"}
VALUES = [
    # variables and which of them are given now, what is to run again, whether that is done
    (FILES, [], "failed", False),
    (FILES, [], "lint", False),
    (FILES, ["n"], ["changed", "failed"], False),
    (FILES, [], "changed", True),
    (FILES, ["target"], "failed", True),
    (STAGING, ["target"], "failed", True),
    (STAGING, [], "failed", True),
    ({"n": "1"}, [], "failed", True),
    # whoever asks does not say which were given
    (FILES, None, "failed", True),
]


@pytest.mark.parametrize(("variables", "given", "rerun", "is_done"), VALUES)
def test_a_part_runs_again_with_the_values_that_were_given_or_with_others_that_are(
    story, variables, given, rerun, is_done
):
    async def play(inside):
        first = await ended(inside, await inside.ask("apply", **valued(STAGING, ["target"])))
        try:
            await ended(inside, await inside.ask("apply", **valued(variables, given, rerun=rerun)))
        except OvermindError as error:
            return error.code, error.message.replace(first["id"], "ID")
        return None

    refused = (
        "invalid",
        "Plan ID (p) ran with other values. Give them again, or new ones: --var 'target=the staging'",
    )
    assert story(play) == (None if is_done else refused)


def test_a_part_of_a_plan_that_runs_is_not_run_again_with_values_that_nobody_gave(tmp_path):
    async def play():
        home = Home(str(tmp_path / "home"))
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            await inside.ask("apply", **valued(STAGING, ["target"]))
            await until(lambda: running(keeper), "it runs")
            with pytest.raises(OvermindError, match="ran with other values"):
                await inside.ask("apply", **valued(FILES, [], rerun="lint"))
            again = await inside.ask("apply", **valued(STAGING, ["target"], rerun="lint"))
        keeper.close()
        return again["status"]

    assert in_process.run(play()) == "changed"


def test_where_what_failed_is_not_in_the_file_any_more_that_is_told(story):
    async def play(inside):
        commands = {name: command for name, command in FIRST.items() if name != "test"}
        again = await inside.ask("apply", **request(commands, rerun="failed"))
        return again["status"], told(again)

    assert story(play) == ("unchanged", (["- test"], []))


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


def served(**more):
    """A service, two behind it that end at once, and one beside them that goes on."""

    def agent(name, command, *needs, **other):
        return {"name": name, "start": {"command": [command], "cwd": "/"}, "depends_on": list(needs), **other}

    db = agent("db", "cat", ready={"kind": "idle", "target": "5"}, service=True)
    test = agent("test", "true", {"agent": "db", "until": "ready"})
    agents = [db, test, agent("publish", "true", {"agent": "test"}), agent("docs", "cat")]
    return {"blueprint": {"name": "p", "agents": agents, "timeout": 60.0}, "cwd": "/", "file": "/p.toml",
            "env": world(), **more}  # fmt: skip


def ends_what_is_short(inside, keeper):
    def begun(fields):
        if inside.app.registry.get(fields["run"].partition(".")[0]).definition.command == "true":
            asyncio.get_running_loop().call_soon(keeper.exit, fields["run"], 0)

    keeper.on_ask["spawn"] = begun


async def end_all_that_runs(inside, keeper, asking):
    """What was asked to end does so, one after the other."""
    while not asking.done():
        await asyncio.sleep(1)
        for run in running(keeper):
            mission = inside.app.registry.live.get(run.partition(".")[0])
            if mission is not None and mission.ending is not None:
                keeper.exit(run, 143)
    await asking


ENDS_OF_ALL = {
    "stop": lambda inside, plan: inside.ask("stop", id=plan),
    "kill": lambda inside, plan: inside.ask("kill", id=plan),
    "stop --cascade": lambda inside, plan: inside.ask("stop", id=plan, cascade=True),
    "stop --all, or a shutdown": lambda inside, _plan: inside.app.missions.end_all(Cause.STOP, None),
    "its timeout": lambda inside, plan: inside.app.registry.ended(plan),
    "the loss of its keeper": None,
}


@pytest.mark.parametrize("way", ENDS_OF_ALL)
def test_a_service_that_ended_as_its_plan_did_has_not_failed_and_nothing_behind_it_runs_again(tmp_path, way):
    home = Home(str(tmp_path / "home"))

    async def cut_off(keeper):
        async with supervising(home, keeper) as inside:
            ends_what_is_short(inside, keeper)
            plan = (await inside.ask("apply", **served()))["id"]
            nodes = inside.app.plans.live[plan].nodes
            await until(lambda: nodes["publish"].stage is AgentStage.SUCCEEDED, "all behind the service is done")
            if end := ENDS_OF_ALL[way]:
                await end_all_that_runs(inside, keeper, asyncio.ensure_future(end(inside, plan)))
                await inside.app.registry.ended(plan)
            inside.app.journal.flush()
        return plan

    async def play():
        first = ScriptedKeeper(home)
        plan = await cut_off(first)
        first.close()
        keeper = first if ENDS_OF_ALL[way] else ScriptedKeeper(home, number=2)
        async with supervising(home, keeper) as inside:
            await inside.app.registry.ended(plan)
            ends_what_is_short(inside, keeper)
            before = told(await inside.ask("apply", **served(rerun="failed", dry_run=True)))
            again = await inside.ask("apply", **served(rerun="failed"))
            (run,) = await until(lambda: running(keeper), "it runs")
            keeper.exit(run, 0)
            mission = await inside.app.registry.ended(plan)
            (last,) = [event["text"] for event in inside.events(plan) if event["type"] == "plan_ended"][1:]
        keeper.close()
        return before, told(again), last.partition(" in ")[0], last.endswith(" s ---"), mission.exit_code

    said = (["~ docs runs again"], ["db", "test", "publish"])
    assert in_process.run(play()) == (said, said, "--- p: 1 succeeded, 3 kept", True, 0)


def test_a_service_that_a_person_stopped_alone_has_failed_and_all_behind_it_runs_again(tmp_path):
    async def play():
        home = Home(str(tmp_path / "home"))
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            ends_what_is_short(inside, keeper)
            plan = (await inside.ask("apply", **served()))["id"]
            nodes = inside.app.plans.live[plan].nodes
            await until(lambda: nodes["publish"].stage is AgentStage.SUCCEEDED, "all behind the service is done")
            stop = asyncio.ensure_future(inside.ask("stop", id=nodes["db"].mission))
            await end_all_that_runs(inside, keeper, stop)
            keeper.exit(*running(keeper))
            await inside.app.registry.ended(plan)
            found = told(await inside.ask("apply", **served(rerun="failed", dry_run=True)))
        keeper.close()
        return found

    assert in_process.run(play()) == ([f"~ {name} runs again" for name in ("db", "publish", "test")], ["docs"])


def test_a_service_of_a_plan_that_has_nothing_else_runs_again_after_it_was_stopped(tmp_path):
    alone = served()
    alone["blueprint"]["agents"] = alone["blueprint"]["agents"][:1]

    async def play():
        home = Home(str(tmp_path / "home"))
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            plan = (await inside.ask("apply", **alone))["id"]
            await until(lambda: inside.app.plans.live[plan].nodes["db"].ready, "it is ready")
            await end_all_that_runs(inside, keeper, asyncio.ensure_future(inside.ask("stop", id=plan)))
            found = told(await inside.ask("apply", **alone, rerun="failed", dry_run=True))
        keeper.close()
        return found

    assert in_process.run(play()) == (["~ db runs again"], [])
