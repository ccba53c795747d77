"""Services that were lost once they were ready: whether they have served, and who runs again because of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from overmind_core.domain.missions.facts import KeeperLost
from overmind_core.domain.plans.blueprint import Blueprint, Dependency, PlanAgent, Until
from overmind_core.domain.plans.progress import HELD, PLAN_ENDS, AgentProgress, AgentStage, EndReason
from overmind_core.plans.reruns import failed, served_for_good
from overmind_core.plans.state import PlanState
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.cases import tabled
from tests.kit.in_process import ScriptedKeeper, supervising, until, world

DONE = AgentProgress(
    AgentStage.SUCCEEDED, attempt=1, mission="aaaaaaaa", ready=True, exit_code=0, started_at=1.0, ended_at=2.0
)
LOST = replace(DONE, stage=AgentStage.FAILED, exit_code=None, reason="keeper_lost")
CUT_OFF = replace(LOST, stage=AgentStage.CANCELLED, stopped=EndReason.CANCEL, reason="cancel")
COMMAND = {"command": ["true"], "cwd": "/"}
PLAN = Blueprint(
    "p",
    (
        PlanAgent("db", COMMAND, service=True),
        PlanAgent("build", COMMAND),
        PlanAgent("test", COMMAND, (Dependency("db", Until.READY), Dependency("build"))),
        PlanAgent("late", COMMAND),
    ),
)


def skipped(why):
    return AgentProgress(AgentStage.SKIPPED, reason=why)


def state(nodes):
    return PlanState("aaaaaaaa", "/p.toml", PLAN, {"db": LOST, "build": DONE, "test": DONE, "late": DONE, **nodes})


@tabled(
    ("nodes", "expected"),
    [
        ({}, set()),
        ({"db": CUT_OFF}, set()),
        ({"test": skipped("db failed")}, {"db", "test"}),
        ({"db": CUT_OFF, "test": skipped("db cancelled")}, {"db", "test"}),
        ({"test": skipped("db failed"), "late": skipped(HELD)}, {"db", "test", "late"}),
        # these did not need it
        ({"late": skipped(HELD)}, {"late"}),
        ({"late": skipped(PLAN_ENDS)}, {"late"}),
        ({"late": skipped("build succeeded")}, set()),
    ],
)
def test_a_lost_service_has_failed_where_another_agent_could_not_run_without_it(nodes, expected):
    assert failed(state(nodes), ended=True) == failed(state(nodes)) == expected


WITHOUT_TEST = replace(PLAN, agents=tuple(one for one in PLAN.agents if one.name != "test"))


@tabled(
    ("nodes", "blueprint", "again", "expected"),
    [
        ({}, PLAN, {"late"}, {"db"}),
        ({}, PLAN, {"db", "test"}, set()),
        ({"test": skipped("db failed")}, PLAN, {"late"}, set()),
        ({"test": skipped("db failed")}, WITHOUT_TEST, set(), {"db"}),
        ({"late": skipped(HELD)}, PLAN, {"build"}, set()),
        ({"late": skipped(HELD)}, PLAN, {"late"}, {"db"}),
        ({"late": skipped(PLAN_ENDS)}, PLAN, {"build"}, set()),
        ({"late": skipped("build succeeded")}, PLAN, {"build"}, {"db"}),
    ],
)
def test_a_lost_service_has_served_for_good_unless_an_agent_stays_left_out(nodes, blueprint, again, expected):
    assert served_for_good(state(nodes), blueprint, again) == expected


def request(on_failure, needs, timeout=60.0, **more):
    def agent(name, command, needs=(), **other):
        return {"name": name, "start": {"command": [command], "cwd": "/"}, "depends_on": list(needs), **other}

    db = agent("db", "cat", ready={"kind": "idle", "target": "5"}, service=True)
    agents = [db, agent("docs", "true"), agent("build", "cat"), agent("test", "true", needs)]
    blueprint = {"name": "p", "agents": agents, "timeout": timeout, "on_failure": on_failure}
    return {"blueprint": blueprint, "cwd": "/", "file": "/p.toml", "env": world(), **more}


BUILD, DB = {"agent": "build"}, {"agent": "db", "until": "ready"}


@pytest.mark.parametrize(
    ("on_failure", "needs", "again"),
    [("continue", [DB, BUILD], ["~ db runs again", "~ test runs again"]), ("stop", [BUILD], ["~ test runs again"])],
    ids=["it needs that", "it is held"],
)
def test_a_plan_with_an_agent_that_never_ran_as_a_service_was_lost_does_not_end_well(
    tmp_path, on_failure, needs, again
):
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)

    async def play():
        async with supervising(home, keeper) as inside:
            registry = inside.app.registry

            def begun(fields):
                mission = registry.get(fields["run"].partition(".")[0])
                if mission is not None and mission.definition.command == "true":
                    asyncio.get_running_loop().call_soon(keeper.exit, fields["run"], 0)

            keeper.on_ask["spawn"] = begun
            plan = (await inside.ask("apply", **request(on_failure, needs)))["id"]
            nodes = inside.app.plans.live[plan].nodes
            await until(lambda: nodes["db"].ready and nodes["docs"].stage is AgentStage.SUCCEEDED, "it is ready")
            registry.apply(registry.live[str(nodes["db"].mission)], KeeperLost())
            await until(lambda: nodes["test"].stage is AgentStage.SKIPPED, "it is left out")
            edited = await inside.ask("apply", **request(on_failure, needs, 90.0))
            keeper.exit(f"{nodes['build'].mission}.1", 0)
            codes = [(await registry.ended(plan)).exit_code]
            failing = await inside.ask("apply", **request(on_failure, needs, 90.0, rerun="failed", dry_run=True))
            await inside.ask("apply", **request(on_failure, needs, 90.0, rerun="docs"))
            codes.append((await registry.ended(plan)).exit_code)
        return edited["status"], codes, [f"{one['sign']} {one['agent']} {one['why'][0]}" for one in failing["changes"]]

    try:
        assert in_process.run(play()) == ("changed", [1, 1], again)
    finally:
        keeper.close()
