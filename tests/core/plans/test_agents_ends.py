"""How the agents of a plan stand once their missions have ended: given up with exit code 0, or killed with the plan."""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.domain.agents.prices import Price, Prices
from overmind_core.domain.missions.mission import Status
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.system.paths import Home
from tests.kit.in_process import played, until, world


def agent(name, *needs, **start):
    start = {"command": "true", "cwd": "/", **start}
    return {"name": name, "start": start, "depends_on": [{"agent": one} for one in needs]}


async def applied(inside, *agents):
    return (await inside.ask("apply", blueprint={"name": "p", "agents": list(agents)}, cwd="/", env=world()))["id"]


def test_a_service_that_was_given_up_has_failed_though_it_exited_0_and_its_plan_with_it(tmp_path):
    async def story(inside, keeper):
        keeper.on_ask["spawn"] = lambda asked: asyncio.get_running_loop().call_soon(keeper.exit, asked["run"])
        whole = await applied(inside, agent("web", restart="always", max_restarts=2))
        await inside.app.registry.ended(whole)
        return await inside.ask("plan", id=whole), [one["text"] for one in inside.events(whole) if "text" in one]

    plan, said = played(Home(str(tmp_path / "home")), story, Settings())
    (web,) = plan["agents"]
    assert (plan["outcome"], web["stage"], web["outcome"]) == ("failed", "failed", "failed")
    assert (web["reason"], web["exit_code"]) == ("restart_budget_spent", 0)
    assert said[-2].startswith("--- web: failed (exit 0, restarted 2 times in a minute, gave up) after ")
    assert said[-1].startswith("--- p: 1 failed in ")


def test_an_agent_that_waits_for_its_restart_says_why_its_last_run_has_ended(tmp_path):
    async def story(inside, keeper):
        keeper.on_ask["purge"] = lambda asked: keeper.exit(asked["run"], -9)
        start = {"restart": "always", "max_restarts": 1, "activity_timeout": 3, "backoff": "30s"}
        whole = await applied(inside, agent("web", **start))
        live = inside.app.registry.live
        await until(lambda: any(one.status is Status.RESTARTING for one in live.values()))
        waits = await inside.ask("plan", id=whole)
        await inside.app.registry.ended(whole)
        return waits["agents"], (await inside.ask("plan", id=whole))["agents"]

    (waits,), (ended,) = played(Home(str(tmp_path / "home")), story, Settings())
    assert (waits["stage"], waits["reason"], waits["exit_code"], waits["limit_seconds"]) == (
        "running", "stalled", 137, 3.0,
    )  # fmt: skip
    assert (ended["reason"], ended["run_reason"], ended["limit_seconds"]) == ("restart_budget_spent", "stalled", 3.0)


@pytest.mark.parametrize("command", ["true", "echo ${agents.one.result}"], ids=["nobody", "who waits reads its result"])
def test_a_kill_of_a_plan_leaves_none_of_its_agents_running(tmp_path, command):
    async def story(inside, keeper):
        keeper.on_ask["purge"] = lambda asked: keeper.exit(asked["run"], -9)
        whole = await applied(inside, agent("web"), agent("one"), agent("two", "one", command=command))
        await until(lambda: len(keeper.held) == 2)
        await inside.ask("kill", id=whole)
        return await inside.ask("plan", id=whole), [one["text"] for one in inside.events(whole) if "text" in one]

    plan, said = played(Home(str(tmp_path / "home")), story, Settings())
    assert [(one["name"], one["stage"], one["outcome"]) for one in plan["agents"]] == [
        ("web", "failed", "killed"), ("one", "failed", "killed"), ("two", "skipped", None),
    ]  # fmt: skip
    assert said[-1].startswith("--- p: 2 killed, 1 skipped in ")


def test_people_read_the_command_of_an_agent_as_it_is_written_and_its_shell_reads_the_value(tmp_path):
    command = "echo 'notes:' ${agents.one.exit_code}"

    async def story(inside, keeper):
        spawned = []

        def spawn(asked):
            spawned.append(asked)
            asyncio.get_running_loop().call_soon(keeper.exit, asked["run"])

        keeper.on_ask["spawn"] = spawn
        whole = await applied(inside, agent("one"), agent("two", "one", command=command))
        await inside.app.registry.ended(whole)
        return spawned, [one for one in await inside.ask("ps", all=True) if one["name"] == "p/two"]

    spawned, (row,) = played(Home(str(tmp_path / "home")), story, Settings())
    assert row["command"] == command
    assert spawned[-1]["argv"][-1] == "echo 'notes:' \"${OVERMIND_REF_1}\""


def test_a_plan_with_a_limit_that_nobody_could_hold_is_refused_before_it_begins(tmp_path):
    environment = world(str(tmp_path / "bin"), "codex")

    def codex(model):
        return agent("ask", provider="codex", max_cost=1.0, agent={"prompt": "x", "model": model})

    async def story(inside, _keeper):
        async def apply(*agents, **how):
            blueprint = {"name": "p", "agents": list(agents)}
            return await inside.ask("apply", blueprint=blueprint, cwd="/", env=environment, **how)

        with pytest.raises(OvermindError, match=r'ask: --max-cost is not possible with codex.*prices\."dear"') as met:
            await apply(codex("dear"))
        assert (met.value.code, inside.app.registry.live) == ("invalid", {})
        later = {**codex("${agents.first.output}"), "depends_on": [{"agent": "first"}]}
        await apply(agent("first"), later)

    played(Home(str(tmp_path / "home")), story, Settings(prices=Prices({"stub": Price(1.0, 2.0)})))
