"""The end of a plan: how long what cleans up has, and that no agent of an ended plan counts as one that runs."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from overmind_core.domain.missions.mission import Cause, Ending
from overmind_core.domain.missions.outcome import Outcome
from overmind_core.domain.plans.progress import (
    ACTIVE,
    AgentProgress,
    AgentStage,
    AttemptEnd,
    EndReason,
    PlanEnding,
    outcome_of,
    outlived_its_plan,
)
from overmind_core.plans.plan_run import CLEAN_UP_SECONDS, plan_ending
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.cases import tabled
from tests.kit.in_process import ScriptedKeeper, supervising, until, world

ENDINGS = [
    # cause, seconds after the grace, how it ends
    (Cause.STOP, -10.0, PlanEnding.ORDERLY),
    (Cause.TIMEOUT, 0.0, PlanEnding.ORDERLY),
    (Cause.RESTART, 0.0, PlanEnding.ORDERLY),
    (Cause.LIMIT, CLEAN_UP_SECONDS - 1, PlanEnding.ORDERLY),
    (Cause.STOP, CLEAN_UP_SECONDS + 1, PlanEnding.AT_ONCE),
    (Cause.KILL, -10.0, PlanEnding.AT_ONCE),
    (Cause.FENCED, -10.0, PlanEnding.AT_ONCE),
]


@tabled(("cause", "after", "expected"), ENDINGS)
def test_what_cleans_up_has_a_limit_and_none_after_a_kill_or_a_fence(cause, after, expected):
    ending, left = plan_ending(Ending(cause, 1000.0), 1000.0 + after)
    assert ending is expected
    assert left == (CLEAN_UP_SECONDS - after if expected is PlanEnding.ORDERLY else 0.0)


def test_a_plan_that_was_stopped_has_not_succeeded_though_all_that_ran_has(tmp_path):
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)
    work = {"name": "work", "start": {"command": ["cat"], "cwd": "/"}}
    drop = {**work, "name": "drop", "when": "always", "depends_on": [{"agent": "work"}]}

    async def play():
        async with supervising(home, keeper) as inside:
            blueprint = {"name": "p", "agents": [work, drop]}
            plan = (await inside.ask("apply", blueprint=blueprint, cwd="/", env=world()))["id"]
            (first,) = await until(lambda: list(keeper.held), "the work")
            keeper.exit(first)
            await until(lambda: len(keeper.held) == 2, "what cleans up")
            stopping = asyncio.create_task(inside.ask("stop", id=plan))
            await in_process.idle()
            keeper.exit(list(keeper.held)[-1])
            await stopping
            stages = {one["stage"] for one in (await inside.ask("plan", id=plan))["agents"]}
            return stages, (await inside.app.registry.ended(plan)).exit_code

    try:
        assert in_process.run(play()) == ({"succeeded"}, 1)
    finally:
        keeper.close()


def test_a_list_of_plans_counts_each_agent_by_how_it_ended(tmp_path):
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)
    agents = [{"name": name, "start": {"command": ["cat"], "cwd": "/"}} for name in ("good", "ended")]
    late = {"name": "late", "start": {"command": ["cat"], "cwd": "/", "timeout": "5s"}}
    behind = {"name": "behind", "start": {"command": ["cat"], "cwd": "/"}, "depends_on": [{"agent": "late"}]}

    async def play():
        async with supervising(home, keeper) as inside:
            blueprint = {"name": "p", "agents": [*agents, late, behind]}
            plan = (await inside.ask("apply", blueprint=blueprint, cwd="/", env=world()))["id"]
            await until(lambda: len(keeper.held) == 3, "all that begin at once")
            by_name = {one["name"]: one["mission"] for one in (await inside.ask("plan", id=plan))["agents"]}
            keeper.exit(f"{by_name['good']}.1", 0)
            stopping = asyncio.create_task(inside.ask("stop", id=by_name["ended"]))
            await in_process.idle()
            keeper.exit(f"{by_name['ended']}.1", 143)
            await stopping
            await asyncio.sleep(6)
            keeper.exit(f"{by_name['late']}.1", 143)
            await until(lambda: not inside.app.plans.live, "it has ended")
            (listed,) = await inside.ask("plans")
            return listed["outcomes"], listed["counts"], await inside.ask("plan", id=plan)

    try:
        listed, counts, plan = in_process.run(play())
    finally:
        keeper.close()
    assert listed == plan["outcomes"] == {"stopped": 1, "succeeded": 1, "timed out": 1}
    assert (counts["failed"], counts["skipped"]) == (2, 1)
    assert [one["outcome"] for one in plan["agents"]] == ["succeeded", "stopped", "timed out", None]


READ_AT_ITS_END = {
    # what makes that something of the agent is read once it has ended: of itself, and of who is behind it
    "its result": ({}, {"command": ["echo", "${agents.one.result}"]}),
    "its outputs": ({"outputs": ["answer"]}, {"command": ["echo"]}),
}


@pytest.mark.parametrize(("one", "two"), READ_AT_ITS_END.values(), ids=READ_AT_ITS_END)
def test_an_agent_whose_end_has_to_be_read_is_killed_together_with_its_plan(tmp_path, one, two):
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)
    agents = [
        {"name": "web", "start": {"command": ["cat"], "cwd": "/", "restart": "always"}},
        {"name": "one", "start": {"command": ["cat"], "cwd": "/"}, **one},
        {"name": "two", "start": {"cwd": "/", **two}, "depends_on": [{"agent": "one"}]},
    ]

    async def play():
        async with supervising(home, keeper) as inside:
            plan = (await inside.ask("apply", blueprint={"name": "p", "agents": agents}, cwd="/", env=world()))["id"]
            await until(lambda: len(keeper.held) == 2, "the service and one run")
            killing = asyncio.create_task(inside.ask("kill", id=plan))
            await in_process.idle()
            for run in list(keeper.held):
                keeper.exit(run, 137)
            await killing
            found = (await inside.ask("plan", id=plan))["agents"]
            return {agent["name"]: (agent["stage"], agent["outcome"]) for agent in found}, inside.events(plan)[-3:]

    try:
        agents_after, told = in_process.run(play())
    finally:
        keeper.close()
    assert agents_after == {"web": ("failed", "killed"), "one": ("failed", "killed"), "two": ("skipped", None)}
    assert "--- p: 2 killed, 1 skipped in " in next(event["text"] for event in told if event["type"] == "plan_ended")


ENDED_AT = 100.0
LEFT_ACTIVE: list[tuple[AttemptEnd | None, EndReason | None, tuple[AgentStage, Outcome | None, float]]] = [
    # how its newest attempt ended, why the plan ended that, and what the agent is in the ended plan
    (AttemptEnd(ok=False, at=99.0, reason="killed"), None, (AgentStage.FAILED, Outcome.KILLED, 99.0)),
    (AttemptEnd(ok=False, at=99.0, exit_code=3), None, (AgentStage.FAILED, Outcome.FAILED, 99.0)),
    (AttemptEnd(ok=True, at=99.0), None, (AgentStage.SUCCEEDED, Outcome.SUCCEEDED, 99.0)),
    (AttemptEnd(ok=False, at=99.0), EndReason.AGAIN, (AgentStage.FAILED, Outcome.FAILED, 99.0)),
    (AttemptEnd(ok=False, at=99.0), EndReason.DONE, (AgentStage.SUCCEEDED, Outcome.STOPPED, 99.0)),
    (AttemptEnd(ok=False, at=99.0), EndReason.CANCEL, (AgentStage.CANCELLED, Outcome.STOPPED, 99.0)),
    (AttemptEnd(ok=True, at=101.0), None, (AgentStage.CANCELLED, Outcome.STOPPED, ENDED_AT)),
    (None, None, (AgentStage.CANCELLED, Outcome.STOPPED, ENDED_AT)),
]


@tabled(("end", "stopped", "expected"), LEFT_ACTIVE)
def test_no_agent_of_a_plan_that_has_ended_is_active_or_tried_again(end, stopped, expected):
    for stage in sorted(ACTIVE):
        node = AgentProgress(stage, attempt=1, tries=1, mission="a1b2c3d4", stopped=stopped, started_at=90.0)
        after = outlived_its_plan(node, end, ENDED_AT)
        assert (after.stage, outcome_of(after), after.ended_at) == expected


OLDER = """UPDATE plan_nodes SET state = json_set(state, '$.stage', 'running', '$.reason', NULL, '$.ended_at', NULL)
    WHERE name = 'one'"""
"""What an older program has left of a killed plan."""


def _make_older(database):
    database.write(OLDER, ())


def test_what_an_older_program_left_running_in_a_killed_plan_is_what_it_is_with_the_next_daemon(tmp_path):
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)
    agents = [{"name": "one", "start": {"command": ["cat"], "cwd": "/"}, "retries": 3}]

    async def stages(inside, plan):
        (found,) = (await inside.ask("plan", id=plan))["agents"]
        counts = (await inside.ask("plans"))[0]["counts"]
        return found["stage"], found["outcome"], found["ended_at"], {name for name, count in counts.items() if count}

    async def play():
        async with supervising(home, keeper) as first:
            plan = (await first.ask("apply", blueprint={"name": "p", "agents": agents}, cwd="/", env=world()))["id"]
            await until(lambda: keeper.held, "the run")
            killing = asyncio.create_task(first.ask("kill", id=plan))
            await in_process.idle()
            keeper.exit(next(iter(keeper.held)), 137)
            await killing
            before = await stages(first, plan)
            first.app.journal.save(partial(_make_older, first.app.state.database))
            await first.app.journal.saved()
            older = await stages(first, plan)
        async with supervising(home, keeper) as second:
            return before, older, await stages(second, plan)

    try:
        before, older, after = in_process.run(play())
    finally:
        keeper.close()
    assert older[0] == "running", "the test shows what it is about"
    assert before == after
    assert (after[:2], after[3]) == (("failed", "killed"), {"failed"})
