"""A plan that is changed while it runs: who runs again, and when; also where the supervisor dies in between."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overmind_core.domain.plans.blueprint import Blueprint, Dependency, PlanAgent, Until
from overmind_core.domain.plans.progress import AgentProgress, AgentStage, EndReason
from overmind_core.plans.reruns import after_change
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
