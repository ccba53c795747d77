"""The commits of a plan: how an agent ended and who comes next are saved together, or neither is, whoever dies when."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise
from unittest import mock

import pytest

from overmind_core.daemon.state import State
from overmind_core.domain.plans.progress import AgentStage
from overmind_core.domain.plans.scheduler import Scheduler
from overmind_core.kernel.database import DiskFull
from overmind_core.missions.registry import decode_mission
from overmind_core.plans import store
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import WALL, LoopClock, ScriptedKeeper, supervising, until, world
from tests.kit.mortal import Mortal, at_each_commit

CHAIN = ["a", "b", "c"]
FAN = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "homes")


def blueprint(edges):
    agents = [
        {"name": name, "start": {"command": ["true"], "cwd": "/"}, "depends_on": [{"agent": one} for one in needs]}
        for name, needs in edges.items()
    ]
    return {"name": "p", "agents": agents}


def chain():
    return {name: CHAIN[:number][-1:] for number, name in enumerate(CHAIN)}


def ends_what_it_starts(keeper):
    """Every run ends as soon as its start was answered."""
    keeper.on_ask["spawn"] = lambda fields: asyncio.get_running_loop().call_soon(keeper.exit, fields["run"])


def in_the_books(home, plan):
    """Agent → where the plan stands with it, and its mission's status; as a supervisor that comes now would read it."""
    state = State.open(home.database)
    try:
        nodes = {name: store.NODE.decode(text) for name, text in state.plans.nodes(plan).items()}
        children = {one.definition.name: one for one in map(decode_mission, state.missions.live())}
        return nodes, {name.partition("/")[2]: one.status for name, one in children.items() if "/" in name}
    finally:
        state.close()


def neither_or_both(nodes, live):
    """An agent whose end is saved has been judged, and who follows it is about to start: not one without the other."""
    for before, after in pairwise(CHAIN):
        over = before in nodes and nodes[before].mission is not None and before not in live
        judged = before in nodes and nodes[before].stage is AgentStage.SUCCEEDED
        decided = after in nodes and nodes[after].stage is not AgentStage.WAITING
        begun = after in live or (after in nodes and nodes[after].mission is not None)
        assert over == judged == decided == begun, (before, nodes, live)


async def applied_until_death(home, keeper, at, request, *, saved):
    """Apply a plan below a supervisor that dies at that commit: whether it did, and the plan if it was still live."""
    ends_what_it_starts(keeper)
    async with supervising(home, keeper) as first:
        mortal = Mortal(first.app, at, saved=saved)
        asked = asyncio.create_task(first.ask("apply", **request))
        await until(lambda: mortal.dead or (asked.done() and not first.app.plans.live))
        plan = next(iter(first.app.plans.live), None)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
    return mortal.dead, plan


@pytest.mark.parametrize("saved", [False, True], ids=["before it is saved", "right after it is saved"])
@pytest.mark.parametrize("edges", [chain(), FAN], ids=["chain", "fan"])
def test_each_agent_is_started_once_whichever_of_the_commits_a_supervisor_dies_at(folder, edges, saved):
    async def dies(at):
        home = Home(f"{folder}/{at}")
        keeper = ScriptedKeeper(home)
        request = {"blueprint": blueprint(edges), "cwd": "/", "env": world(), "request": "once"}
        died, _ = await applied_until_death(home, keeper, at, request, saved=saved)
        async with supervising(home, keeper) as later:
            plan = (await later.ask("apply", **request))["id"]
            assert (await later.app.registry.ended(plan)).exit_code == 0
            found = (await later.ask("plan", id=plan))["agents"]
            told = Counter(event["agent"] for event in later.events(plan) if event["type"] == "agent_ended")
        assert {one["name"]: (one["stage"], one["attempt"]) for one in found} == dict.fromkeys(edges, ("succeeded", 1))
        assert sorted(keeper.held) == sorted(f"{one['mission']}.1" for one in found), "each agent has one run"
        assert told == Counter(list(edges)), "the log tells of each end once"
        keeper.close()
        return died

    assert in_process.run(at_each_commit(dies)) > len(edges)


@pytest.mark.parametrize("saved", [False, True], ids=["before it is saved", "right after it is saved"])
def test_an_end_and_the_decision_who_is_next_are_saved_together_or_not_at_all(folder, saved):
    async def dies(at):
        home = Home(f"{folder}/{at}")
        keeper = ScriptedKeeper(home)
        request = {"blueprint": blueprint(chain()), "cwd": "/", "env": world()}
        died, plan = await applied_until_death(home, keeper, at, request, saved=saved)
        if plan is not None:
            neither_or_both(*in_the_books(home, plan))
        keeper.close()
        return died

    assert in_process.run(at_each_commit(dies)) > len(CHAIN)


def test_an_end_that_can_t_be_saved_goes_on_in_memory_and_starts_nobody_before_it_is(folder):
    home = Home(folder)

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            plan = (await inside.ask("apply", blueprint=blueprint(chain()), cwd="/", env=world()))["id"]
            await until(lambda: inside.app.plans.live[plan].nodes["a"].stage is AgentStage.RUNNING)
            inside.app.journal.flush()
            write, full = inside.app.journal._write, True

            def refuse(changes):
                if full:
                    raise DiskFull(home.database, "full")
                write(changes)

            inside.app.journal._write = refuse  # type: ignore[method-assign]
            (first,) = keeper.held
            keeper.exit(first)
            await until(lambda: inside.app.journal.failing)
            started = len(keeper.asked["spawn"])
            await asyncio.sleep(5)
            assert len(keeper.asked["spawn"]) == started == 1
            full = False
            await until(lambda: len(keeper.held) == 2)
            for _ in CHAIN[1:]:
                await until(lambda: any(row["exit"] is None for row in keeper.held.values()))
                (run,) = (run for run, row in keeper.held.items() if row["exit"] is None)
                keeper.exit(run)
            assert (await inside.app.registry.ended(plan)).exit_code == 0
        keeper.close()
        return len(keeper.held)

    assert in_process.run(story()) == len(CHAIN)


def test_a_try_that_falls_due_while_the_plan_is_looked_at_begins(folder):
    """Each look takes longer than the pause before it, and nothing else wakes the plan."""
    home = Home(folder)
    keeper = ScriptedKeeper(home)

    def fails(fields):
        asyncio.get_running_loop().call_soon(keeper.exit, fields["run"], 3)

    keeper.on_ask["spawn"] = fails
    plan = blueprint({"a": []})
    plan["agents"][0] |= {"retries": 1, "backoff": 0.005}
    looked, step = [0], Scheduler.step

    def slow_step(scheduler, now, **how):
        looked[0] += 1
        return step(scheduler, now, **how)

    async def play():
        async with supervising(home, keeper) as inside:
            with (
                mock.patch.object(Scheduler, "step", slow_step),
                mock.patch.object(LoopClock, "wall", lambda clock: WALL + clock.mono() + 0.01 * looked[0]),
            ):
                whole = (await inside.ask("apply", blueprint=plan, cwd="/", env=world()))["id"]
                await until(lambda: whole not in inside.app.registry.live, "the plan has ended")
            return (await inside.ask("plan", id=whole))["agents"][0]["attempt"]

    try:
        assert in_process.run(play()) == 2
    finally:
        keeper.close()
