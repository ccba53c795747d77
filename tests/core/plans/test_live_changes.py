"""A plan that is changed while it runs: who runs again, and when; also where the supervisor dies in between."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overmind_core.domain.plans.blueprint import Blueprint, Dependency, OnFailure, PlanAgent, Until
from overmind_core.domain.plans.progress import HELD, AgentProgress, AgentStage, EndReason
from overmind_core.errors import OvermindError
from overmind_core.plans.reruns import after_change, after_end
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.cases import tabled
from tests.kit.in_process import ScriptedKeeper, supervising, until, world

WAITING = AgentProgress()
RUNNING = AgentProgress(AgentStage.RUNNING, attempt=1, mission="aaaaaaaa", ready=True, started_at=1.0)
DONE = replace(RUNNING, stage=AgentStage.SUCCEEDED, ended_at=2.0)
FAILED = replace(RUNNING, stage=AgentStage.FAILED, ended_at=2.0)
STOPPING = replace(RUNNING, stage=AgentStage.STOPPING, stopped=EndReason.DONE)

STAND = Blueprint(
    "p",
    (
        PlanAgent("disk", {"restart": "always"}),
        PlanAgent("db", {"restart": "always"}, (Dependency("disk", Until.READY),)),
        PlanAgent("web", {"command": "true"}, (Dependency("db", Until.READY),)),
        PlanAgent("test", {"command": "true"}, (Dependency("db", Until.READY),)),
        PlanAgent("docs", {"command": "true"}),
    ),
)
CHANGED = [
    # how they stand, what is changed, who runs again
    ({"disk": RUNNING, "db": RUNNING, "web": RUNNING, "test": DONE}, {"db"}, {"db", "web", "test"}),
    ({"disk": RUNNING, "db": RUNNING, "web": RUNNING, "test": WAITING}, {"db"}, {"db", "web"}),
    ({"disk": RUNNING, "db": RUNNING, "web": RUNNING, "test": DONE}, {"test"}, {"test"}),
    ({"disk": DONE, "db": DONE, "web": DONE, "test": DONE}, {"test"}, {"disk", "db", "test"}),
    # a service that is being ended is of no use to whoever runs again
    ({"disk": RUNNING, "db": STOPPING, "web": DONE, "test": DONE}, {"test"}, {"db", "test"}),
    ({"disk": STOPPING, "db": DONE, "web": DONE, "test": DONE}, {"test"}, {"disk", "db", "test"}),
    # nor to one that is new
    ({"disk": RUNNING, "db": STOPPING, "web": DONE}, {"test"}, {"db"}),
    # what runs on a service that begins once more is begun behind it
    ({"disk": FAILED, "db": RUNNING, "web": RUNNING, "test": DONE}, {"test"}, {"disk", "db", "web", "test"}),
    ({"disk": FAILED, "db": RUNNING, "web": DONE, "test": DONE}, {"docs"}, {"docs"}),
]


@tabled(("nodes", "changed", "again"), CHANGED)
def test_what_runs_again_after_a_change(nodes, changed, again):
    stand = {"docs": DONE, **nodes}
    assert after_change(stand, STAND, changed) == again


LEFT_OUT = AgentProgress(AgentStage.SKIPPED, reason=HELD)
BEHIND = AgentProgress(AgentStage.SKIPPED, reason="docs skipped")
FAILED_BEFORE, LEFT_OUT_BEFORE = replace(FAILED, kept=True), replace(LEFT_OUT, kept=True)
ABOUT = Blueprint(
    "p",
    (
        PlanAgent("db", {"restart": "always"}),
        PlanAgent("unit", {"command": "true"}, (Dependency("db", Until.READY),)),
        PlanAgent("lint", {"command": "true"}),
        PlanAgent("docs", {"command": "true"}),
        PlanAgent("site", {"command": "true"}, (Dependency("docs"),)),
    ),
)
STOP, CONTINUE, CANCEL = OnFailure.STOP, OnFailure.CONTINUE, OnFailure.CANCEL
HELD_BACK: list[tuple[dict[str, AgentProgress], set[str], OnFailure, set[str]]] = [
    # how they stand, what is changed, what a failure means for the others, who runs again of these three
    ({}, {"unit"}, STOP, {"unit", "docs", "site"}),
    ({}, {"unit"}, CANCEL, {"unit", "docs", "site"}),
    ({}, {"lint"}, STOP, set()),
    ({}, set(), STOP, set()),
    # another failure holds them still
    ({"lint": FAILED}, {"unit"}, STOP, {"unit"}),
    ({"lint": FAILED}, {"unit", "lint"}, STOP, {"unit", "docs", "site"}),
    # it holds nobody any more, or is gone
    ({}, set(), CONTINUE, {"docs", "site"}),
    ({"unit": DONE, "gone": FAILED}, set(), STOP, {"docs", "site"}),
    # what failed is a service that is needed once more
    ({"unit": DONE, "db": FAILED}, {"unit"}, STOP, {"unit", "docs", "site"}),
    # failures of an earlier run
    ({"unit": FAILED_BEFORE}, set(), STOP, {"docs", "site"}),
    ({"unit": FAILED_BEFORE, "docs": LEFT_OUT_BEFORE}, {"lint"}, STOP, set()),
    ({"unit": FAILED_BEFORE, "docs": LEFT_OUT_BEFORE}, {"unit"}, STOP, {"unit", "docs", "site"}),
]


@tabled(("nodes", "changed", "on_failure", "again"), HELD_BACK)
def test_whom_a_failure_kept_from_starting_runs_once_that_runs_again_or_holds_nobody(nodes, changed, on_failure, again):
    stand = {"db": DONE, "unit": FAILED, "lint": DONE, "docs": LEFT_OUT, "site": BEHIND, **nodes}
    for rule in (after_change, after_end):
        found = rule(stand, replace(ABOUT, on_failure=on_failure), changed)
        assert found & {"unit", "docs", "site"} == again, rule.__name__


def request(version):
    """A service and who needs it ready, of a version of the service."""
    service = {"command": ["cat", version], "cwd": "/", "restart": "always"}
    ready = {"kind": "idle", "target": "5"}
    agents = [
        {"name": "db", "start": service, "ready": ready},
        {"name": "a", "start": {"command": ["cat"], "cwd": "/"}, "depends_on": [{"agent": "db", "until": "ready"}]},
    ]
    return {"blueprint": {"name": "p", "agents": agents}, "cwd": "/", "file": "/p.toml", "env": world()}


def run_of(inside, keeper, agent, attempt):
    """The run of an attempt that the keeper holds, while it has not ended."""
    (plan,) = inside.app.plans.live.values()
    node = plan.nodes[agent]
    run = f"{node.mission}.1"
    return run if node.attempt == attempt and run in keeper.held and keeper.held[run]["exit"] is None else None


@pytest.mark.parametrize("survives", [True, False], ids=["one daemon", "the next daemon"])
@pytest.mark.parametrize("first", ["a", "db"])
def test_who_needs_a_changed_service_waits_until_that_is_ready_again_whichever_ends_first(tmp_path, first, survives):
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)
    runs = {}

    async def change(inside):
        await inside.ask("apply", **request("1"))
        runs["db"] = await until(lambda: run_of(inside, keeper, "db", 1), "the service runs")
        runs["a"] = await until(lambda: run_of(inside, keeper, "a", 1), "it is used")
        await inside.ask("apply", **request("2"))
        await in_process.idle()
        keeper.exit(runs.pop(first))
        await in_process.idle()

    async def go_on(inside):
        (left,) = runs.values()
        await in_process.idle()
        assert run_of(inside, keeper, "a", 2) is None, "the service that it would use is the old one"
        keeper.exit(left)
        await until(lambda: run_of(inside, keeper, "db", 2), "the service runs again")
        await in_process.idle()
        assert run_of(inside, keeper, "a", 2) is None, "the service is not ready"
        await until(lambda: run_of(inside, keeper, "a", 2), "it is used again")

    async def play():
        async with supervising(home, keeper) as inside:
            await change(inside)
            if survives:
                await go_on(inside)
        if not survives:
            async with supervising(home, keeper) as inside:
                await go_on(inside)

    in_process.run(play())
    keeper.close()


def test_an_agent_whose_mission_has_ended_and_starts_again_says_when(tmp_path):
    async def play():
        home = Home(str(tmp_path / "home"))
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            flaky = {"name": "a", "start": {"command": ["cat"], "cwd": "/", "restart": "on_failure"}}
            plan = (await inside.ask("apply", blueprint={"name": "p", "agents": [flaky]}, cwd="/", env=world()))["id"]
            first = await until(lambda: run_of(inside, keeper, "a", 1), "it runs")
            (runs,) = (await inside.ask("plan", id=plan))["agents"]
            keeper.exit(first, 9)
            await in_process.idle()
            (waits,) = (await inside.ask("plan", id=plan))["agents"]
            await until(lambda: first.replace(".1", ".2") in keeper.held, "it runs again")
            await in_process.idle()
            (again,) = (await inside.ask("plan", id=plan))["agents"]
        keeper.close()
        return [(one["stage"], one["next_restart_at"] is not None) for one in (runs, waits, again)]

    assert in_process.run(play()) == [("running", False), ("running", True), ("running", False)]


def test_a_service_that_is_being_ended_runs_again_for_a_new_agent_and_nobody_calls_that_a_change(tmp_path):
    def plan(*users):
        service = {"name": "db", "start": {"command": ["cat"], "cwd": "/", "restart": "always"}}
        needs = [{"agent": "db", "until": "started"}]
        agents = [{"name": name, "start": {"command": ["cat"], "cwd": "/"}, "depends_on": needs} for name in users]
        return {"blueprint": {"name": "p", "agents": [service, *agents]}, "cwd": "/", "file": "/p.toml", "env": world()}

    async def play():
        home = Home(str(tmp_path / "home"))
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            await inside.ask("apply", **plan("a"))
            service = await until(lambda: run_of(inside, keeper, "db", 1), "the service runs")
            keeper.exit(await until(lambda: run_of(inside, keeper, "a", 1), "it is used"))
            await in_process.idle()
            changes = (await inside.ask("apply", **plan("a", "b")))["changes"]
            assert run_of(inside, keeper, "b", 1) is None, "the service is being ended"
            keeper.exit(service)
            await until(lambda: run_of(inside, keeper, "db", 2), "the service runs again")
            await until(lambda: run_of(inside, keeper, "b", 1), "it is used again")
        keeper.close()
        return [(one["sign"], one["agent"], one["why"]) for one in changes]

    assert in_process.run(play()) == [("+", "b", []), ("~", "db", ["runs again: it is needed once more"])]


def applied_as(commands, **more):
    """A request for agents that depend on nobody, of which two run at a time."""
    agents = [{"name": name, "start": {"command": ["cat", text], "cwd": "/"}} for name, text in commands.items()]
    blueprint = {"name": "p", "agents": agents, "max_parallel": 2}
    return {"blueprint": blueprint, "cwd": "/", "file": "/p.toml", "env": world(), **more}


@pytest.mark.parametrize("rerun", [None, "failed", "unit"])
def test_whom_a_failure_kept_from_starting_runs_after_all_once_that_is_mended_while_the_plan_runs(tmp_path, rerun):
    async def play():
        home = Home(str(tmp_path / "home"))
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            plan = (await inside.ask("apply", **applied_as({"unit": "1", "long": "1", "docs": "1"})))["id"]
            keeper.exit(await until(lambda: run_of(inside, keeper, "unit", 1), "it runs"), 1)
            await until(lambda: inside.app.plans.live[plan].nodes["docs"].stage is AgentStage.SKIPPED, "it is held")
            mended = applied_as({"unit": "2" if rerun is None else "1", "long": "1", "docs": "1"}, rerun=rerun)
            changes = (await inside.ask("apply", **mended))["changes"]
            keeper.exit(await until(lambda: run_of(inside, keeper, "unit", 2), "it runs again"))
            keeper.exit(await until(lambda: run_of(inside, keeper, "docs", 1), "the other one runs"))
            keeper.exit(await until(lambda: run_of(inside, keeper, "long", 1), "as the third one does"))
            code = (await inside.app.registry.ended(plan)).exit_code
        keeper.close()
        return {one["agent"]: one["why"] for one in changes}, code

    why = "runs again" if rerun else "runs again: no failure holds it any more"
    assert in_process.run(play()) == ({"unit": ["runs again" if rerun else "command"], "docs": [why]}, 0)


def test_a_change_whose_answer_was_lost_with_the_daemon_is_not_made_again(tmp_path):
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)
    again = applied_as({"unit": "1", "long": "1"}, rerun="unit", request="once")

    async def play():
        async with supervising(home, keeper) as inside:
            await inside.ask("apply", **applied_as({"unit": "1", "long": "1"}, request="first"))
            keeper.exit(await until(lambda: run_of(inside, keeper, "unit", 1), "it runs"))
            await in_process.idle()
            first = await inside.ask("apply", **again)
            await until(lambda: run_of(inside, keeper, "unit", 2), "it runs again")
        async with supervising(home, keeper) as inside:
            second = await inside.ask("apply", **again)
            await in_process.idle()
            return first, second, inside.event_types(first["id"]).count("plan_changed")

    first, second, changes = in_process.run(play())
    keeper.close()
    assert (second, first["status"], changes) == (first, "changed", 1)


def test_one_that_still_waits_is_not_run_again_and_nothing_is_called_a_change(tmp_path):
    async def play():
        home = Home(str(tmp_path / "home"))
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            commands = {"a": "1", "b": "1", "c": "1"}
            plan = (await inside.ask("apply", **applied_as(commands)))["id"]
            await until(lambda: run_of(inside, keeper, "b", 1), "two run")
            again = applied_as(commands, rerun="c")
            answers = [await inside.ask("apply", **again, dry_run=True), await inside.ask("apply", **again)]
            told = inside.event_types(plan)
        keeper.close()
        return [one["status"] for one in answers], "plan_changed" in told

    assert in_process.run(play()) == (["unchanged", "unchanged"], False)


def test_an_ended_agent_is_run_again_by_the_plan_of_its_name_though_the_file_has_another(tmp_path):
    async def play():
        home = Home(str(tmp_path / "home"))
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            copy = applied_as({"unit": "1", "long": "1"}) | {"file": "/my ci.toml"}
            plan = (await inside.ask("apply", **copy))["id"]
            keeper.exit(await until(lambda: run_of(inside, keeper, "unit", 1), "it runs"), 1)
            await until(lambda: inside.app.plans.live[plan].nodes["unit"].stage is AgentStage.FAILED, "it has failed")
            with pytest.raises(OvermindError) as refused:
                await inside.ask("restart", id="p/unit")
        keeper.close()
        return refused.value.message

    again = "Run it again with: overmind apply '/my ci.toml' --name p --rerun failed"
    assert in_process.run(play()).endswith(f"is part of the plan p, which is still running. {again}")


def test_what_begins_after_a_change_has_the_environment_of_who_made_it(tmp_path):
    def plan(token, **more):
        return applied_as({"deploy": "${env.TOKEN}", "long": "1"}, **more) | {"env": {**world(), "TOKEN": token}}

    async def play():
        home = Home(str(tmp_path / "home"))
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            await inside.ask("apply", **plan("old"))
            keeper.exit(await until(lambda: run_of(inside, keeper, "deploy", 1), "it runs"))
            await in_process.idle()
            await inside.ask("apply", **plan("unheard"))
            await inside.ask("apply", **plan("new", rerun="deploy"))
            await until(lambda: run_of(inside, keeper, "deploy", 2), "it runs again")
        keeper.close()
        return [one["argv"][-1] for one in keeper.asked["spawn"] if one["argv"][-1] != "1"]

    assert in_process.run(play()) == ["old", "new"]
