"""How the mission of a plan's agent stands: one that failed is the end of its agent only where no other one follows."""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.domain.missions.mission import Definition, Mission, Status
from overmind_core.domain.missions.outcome import Outcome
from overmind_core.domain.missions.standing import WorkStanding
from overmind_core.domain.missions.status_marks import BAD_ENDS, MARKS
from overmind_core.domain.plans import progress
from overmind_core.domain.plans.blueprint import PlanAgent
from overmind_core.domain.plans.progress import AgentPost, AgentProgress, AgentStage, AttemptEnd, EndReason
from overmind_core.domain.plans.standing import standing_of
from overmind_core.domain.replacing import replace
from overmind_core.kernel.config import Settings
from overmind_core.missions import answers
from overmind_core.system.paths import Home
from overmind_core.view import missions as missions_rows
from overmind_core.view.fleet import Fleet, plan_now
from tests.kit import in_process
from tests.kit.cases import tabled
from tests.kit.in_process import ScriptedKeeper, supervising, until, world
from tests.kit.mortal import Mortal, at_each_commit

NOW = 100.0
AGENT = PlanAgent("a", {"command": ["true"]}, retries=2, backoff=8.0)
DEFINITION = Definition("p/a", "make", ("make",), "/", columns=80, rows=24, parent="00000001")


def mission(id_, status=Status.CRASHED, *, code=3, reason=None, ended_at=NOW):
    return Mission(
        id_, DEFINITION, created_at=1.0, status=status, exit_code=code, reason=reason, ended_at=ended_at
    )  # fmt: skip


def failed(node, id_, at=NOW, **end):
    """An attempt of this mission begins, and fails."""
    running = replace(progress.begun(node), stage=AgentStage.RUNNING, mission=id_, started_at=at - 1)
    return progress.ended(AGENT, running, AttemptEnd(ok=False, at=at, **({"exit_code": 3} | end)))


def running(node, id_):
    return replace(progress.begun(node), stage=AgentStage.RUNNING, mission=id_)


WAITS = failed(AgentProgress(), "a1")
LATE = failed(AgentProgress(), "a1", exit_code=143, reason="timeout")
OVER = failed(failed(WAITS, "a2"), "a3")
LEFT = progress.given_up(WAITS, progress.PLAN_ENDS)
LEFT_OUT = progress.given_up(progress.run_again(OVER), progress.PLAN_ENDS)
SUCCEEDED = progress.ended(AGENT, running(WAITS, "a2"), AttemptEnd(ok=True, at=NOW, exit_code=0))
AGAIN = WorkStanding("queued", None, "tried again: its command failed (3)", 108.0)
TRIED = WorkStanding("tried again", None, "failed (3), tried again")
STANDINGS = [
    # where the agent stands, the mission, how that stands
    (WAITS, mission("a1"), AGAIN),
    (LATE, mission("a1", code=143, reason="timeout"), ("queued", None, "tried again: it took too long", 108.0)),
    (progress.begun(WAITS), mission("a1"), TRIED),
    (progress.begun(LATE), mission("a1", code=143, reason="timeout"),
     ("tried again", None, "timed out, tried again", None)),
    (running(WAITS, "a2"), mission("a1"), TRIED),
    (running(WAITS, "a2"), mission("a2", Status.RUNNING), None),
    (SUCCEEDED, mission("a1"), TRIED),
    (SUCCEEDED, mission("a2", Status.STOPPED, code=0), None),
    (failed(WAITS, "a2"), mission("a1"), TRIED),
    (failed(WAITS, "a2"), mission("a2"), ("queued", None, "tried again: its command failed (3)", 116.0)),
    (OVER, mission("a1"), TRIED),
    (OVER, mission("a2"), TRIED),
    (OVER, mission("a3"), None),
    (progress.fresh(OVER), mission("a2"), TRIED),
    (progress.fresh(OVER), mission("a3"), None),
    # its plan runs it again
    (progress.run_again(OVER), mission("a3"), ("queued", None, "tried again: its command failed (3)", None)),
    (progress.begun(progress.run_again(OVER)), mission("a3"), TRIED),
    (progress.begun(progress.run_again(OVER)), mission("a2"), TRIED),
    (progress.run_again(SUCCEEDED), mission("a2", Status.STOPPED, code=0), None),
    (progress.begun(progress.run_again(failed(OVER, "a4", reason="stopped", exit_code=143))),
     mission("a4", Status.STOPPED, code=143), ("tried again", None, "stopped, tried again", None)),
    # it ended well, and the plan has found that it failed all the same
    (failed(failed(failed(AgentProgress(), "a1"), "a2"), "a3", exit_code=0, reason="output_missing"),
     mission("a3", Status.STOPPED, code=0),
     (None, Outcome.FAILED, "failed: it did not hand in what was asked for", None, "output_missing")),
    (failed(AgentProgress(), "a1", exit_code=0, reason="not_ready"), mission("a1", Status.STOPPED, code=0),
     ("queued", None, "tried again: it did not become ready", 108.0)),
    # nothing follows after all: it has failed for good
    (LEFT, mission("a1"), None),
    (progress.run_again(LEFT), mission("a1"), ("queued", None, "tried again: its command failed (3)", None)),
    (progress.begun(progress.run_again(LEFT)), mission("a1"), TRIED),
    (LEFT_OUT, mission("a3"), None),
    (progress.begun(progress.run_again(LEFT_OUT)), mission("a3"), None),
    # a person has started it again, or is about to
    (progress.begun(WAITS), mission("a1", Status.RUNNING), None),
    (progress.begun(WAITS), mission("a1", ended_at=NOW + 50), None),
    (WAITS, mission("b1"), None),
]  # fmt: skip


@tabled(("node", "ended", "expected"), STANDINGS)
def test_an_attempt_that_is_tried_again_has_not_failed_for_good(node, ended, expected):
    found = standing_of(node, ended, is_live=True)
    assert found == (expected and WorkStanding(*expected))
    if found is None or found.outcome is not None:
        return
    shown = missions_rows.mark(dict(answers.row(ended, (), NOW, standing=found)))
    assert shown not in {*BAD_ENDS, *MARKS}, "no header counts it"


def test_nothing_waits_in_a_plan_that_has_ended():
    assert standing_of(WAITS, mission("a1"), is_live=False) is None
    assert standing_of(OVER, mission("a1"), is_live=False) == TRIED


@pytest.mark.parametrize("reason", [EndReason.CANCEL, EndReason.FAILURE, EndReason.REMOVED, EndReason.AGAIN])
def test_an_attempt_that_its_plan_has_ended_says_itself_how(reason):
    node = replace(running(WAITS, "a2"), stopped=reason)
    after = progress.ended(AGENT, node, AttemptEnd(ok=False, at=NOW, exit_code=143))
    assert standing_of(after, mission("a2", Status.STOPPED, code=143), is_live=True) is None


def test_the_oldest_attempts_are_forgotten_where_there_are_too_many():
    node, patient = AgentProgress(), replace(AGENT, retries=progress.MOST_TRIED + 50)
    for number in range(progress.MOST_TRIED + 20):
        begun = replace(progress.begun(node), stage=AgentStage.RUNNING, mission=f"m{number}")
        node = progress.ended(patient, begun, AttemptEnd(ok=False, at=NOW, exit_code=3))
    assert [one.mission for one in node.tried] == [f"m{20 + number}" for number in range(progress.MOST_TRIED)]


def test_an_attempt_counts_down_to_its_next_try_and_waits_for_its_turn_then():
    row = dict(answers.row(mission("a1"), (), NOW, standing=AGAIN))
    shown = [(missions_rows.state(row, at), missions_rows.since(row, at)) for at in (NOW, 107.5, 108.0, 200.0)]
    assert shown == [
        ("retry 8s", "retry 8s · ran for 1m"),
        ("retry 0s", "retry 0s · ran for 1m"),
        ("queued", "queued · ran for 1m"),
        ("queued", "queued · ran for 1m"),
    ]
    assert missions_rows.now_cell(row | {"now": AGAIN.text}).tone == "quiet"


def test_the_row_of_a_plan_names_the_agent_that_has_failed_for_good():
    first = dict(answers.row(mission("a1"), (), NOW, standing=TRIED)) | {"name": "p/a", "now": TRIED.text}
    last = dict(answers.row(mission("b1"), (), NOW)) | {"name": "p/b", "now": "exit 3: boom"}
    plan = {"name": "p", "type": "blueprint", "status": "crashed"}
    assert plan_now(plan, [first, last]) == "b failed: exit 3: boom"


# the whole daemon


def plan_of(*agents, **more):
    return {"name": "p", "agents": list(agents), **more}


def agent(name, **more):
    return {"name": name, "start": {"command": ["true", name], "cwd": "/"}, **more}


def fails(keeper, times):
    """The first runs fail, so many of them."""
    left = [times]

    def ends(fields):
        left[0] -= 1
        asyncio.get_running_loop().call_soon(keeper.exit, fields["run"], 3 if left[0] >= 0 else 0)

    keeper.on_ask["spawn"] = ends


async def stands(inside, plan):
    """The missions of a plan, oldest first: state, outcome, what is said of them."""
    rows = [row for row in await inside.ask("ps", all=True, wide=True) if row["parent"] == plan]
    return [(row["quest_state"], row["outcome"], row["next_try_at"] is not None, row["now"]) for row in rows]


async def failures(inside):
    return [row["name"] for row in await inside.ask("ps", outcome=["failed", "timed out", "lost"])]


def test_a_plan_tells_of_an_attempt_that_waits_and_of_one_that_was_tried_again(tmp_path):
    home = Home(str(tmp_path / "home"))

    async def story():
        keeper = ScriptedKeeper(home)
        fails(keeper, 1)
        async with supervising(home, keeper) as inside:
            request = {"blueprint": plan_of(agent("a", retries=1, backoff=8.0)), "cwd": "/", "env": world()}
            plan = (await inside.ask("apply", **request))["id"]
            await until(lambda: inside.app.plans.live[plan].nodes["a"].tried)
            waits = (await stands(inside, plan), await failures(inside))
            assert (await inside.app.registry.ended(plan)).exit_code == 0
            over = (await stands(inside, plan), await failures(inside))
            told = [(one["type"], one["tried"]) for one in inside.events(plan) if one.get("tried")]
            (first, _) = [row["id"] for row in await inside.ask("ps", all=True) if row["parent"] == plan]
        async with supervising(home, keeper) as later:
            assert (await stands(later, plan), await failures(later)) == over
        keeper.close()
        assert told == [("agent_ended", first), ("agent_started", first)]
        return waits, over

    waits, over = in_process.run(story())
    assert waits == ([("queued", None, True, "tried again: its command failed (3)")], [])
    tried = ("tried again", None, False, "failed (3), tried again")
    assert over == ([tried, (None, "succeeded", False, None)], [])


def test_an_attempt_has_failed_when_the_plan_ends_before_its_next_try(tmp_path):
    home = Home(str(tmp_path / "home"))

    async def story():
        keeper = ScriptedKeeper(home)
        fails(keeper, 9)
        async with supervising(home, keeper) as inside:
            request = {"blueprint": plan_of(agent("a", retries=5, backoff=50.0)), "cwd": "/", "env": world()}
            plan = (await inside.ask("apply", **request))["id"]
            await until(lambda: inside.app.plans.live[plan].nodes["a"].tried)
            await inside.ask("stop", id=plan)
            code = (await inside.app.registry.ended(plan)).exit_code
            (skipped,) = [one for one in inside.events(plan) if one["type"] == "agent_skipped"]
            (first,) = [row["id"] for row in await inside.ask("ps", all=True) if row["parent"] == plan]
            assert (skipped["tried"], skipped["child"]) == (first, first)
            assert skipped["text"] == "--- a: not tried again: the plan ends ---"
            (left,) = (await inside.ask("plan", id=plan))["agents"]
            assert (left["stage"], left["outcome"], left["mission"]) == ("failed", "failed", first)
            again = await inside.ask("apply", **request, rerun="failed", dry_run=True)
            assert [one["agent"] for one in again["changes"]] == ["a"]
            return await stands(inside, plan), await failures(inside), code

    shown, found, code = in_process.run(story())
    assert shown == [(None, "failed", False, "exit 3")]
    assert (found, code) == (["p/a"], 1)


def test_an_attempt_has_failed_when_its_agent_is_taken_out_of_the_plan(tmp_path):
    home = Home(str(tmp_path / "home"))

    async def story():
        keeper = ScriptedKeeper(home)

        def fails_but_b(fields):
            if fields["argv"][-1] != "b":
                asyncio.get_running_loop().call_soon(keeper.exit, fields["run"], 3)

        keeper.on_ask["spawn"] = fails_but_b
        async with supervising(home, keeper) as inside:
            a, b = agent("a", retries=5, backoff=50.0), agent("b")
            request = {"cwd": "/", "env": world(), "file": "/p.toml"}
            plan = (await inside.ask("apply", blueprint=plan_of(a, b), **request))["id"]
            await until(lambda: inside.app.plans.live[plan].nodes["a"].tried)
            await inside.ask("apply", blueprint=plan_of(b), **request)
            found = await failures(inside)
            (left,) = [one for one in inside.events(plan) if one["type"] == "agent_skipped"]
            assert left["tried"]
            assert left["text"] == "--- a: not tried again: it was taken out of the plan ---"
            return found

    assert in_process.run(story()) == ["p/a"]


@pytest.mark.parametrize("saved", [False, True], ids=["before it is saved", "right after it is saved"])
def test_each_failed_attempt_but_the_last_was_tried_again_whichever_commit_a_supervisor_dies_at(tmp_path, saved):
    request = {"blueprint": plan_of(agent("a", retries=2, backoff=0.5)), "cwd": "/", "env": world(), "request": "once"}

    async def dies(at):
        home = Home(str(tmp_path / str(at)))
        keeper = ScriptedKeeper(home)
        fails(keeper, 9)
        async with supervising(home, keeper) as first:
            mortal = Mortal(first.app, at, saved=saved)
            asked = asyncio.create_task(first.ask("apply", **request))
            await until(lambda: mortal.dead or (asked.done() and not first.app.plans.live))
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
        async with supervising(home, keeper) as later:
            plan = (await later.ask("apply", **request))["id"]
            assert (await later.app.registry.ended(plan)).exit_code == 1
            tried = ("tried again", None, False, "failed (3), tried again")
            assert await stands(later, plan) == [tried, tried, (None, "failed", False, "exit 3")]
        keeper.close()
        return mortal.dead

    assert in_process.run(at_each_commit(dies)) > 3


def test_a_plan_whose_agent_never_began_says_why_though_no_mission_does(tmp_path):
    home, gone = Home(str(tmp_path / "home")), tmp_path / "gone"

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            blueprint = plan_of({"name": "b", "start": {"command": ["true"], "cwd": str(gone)}})
            plan = (await inside.ask("apply", blueprint=blueprint, cwd="/", env=world()))["id"]
            await inside.app.registry.ended(plan)
            (row,) = [row for row in await inside.ask("ps", all=True, wide=True) if row["id"] == plan]
        keeper.close()
        return row["outcome"], row["now"]

    assert in_process.run(story()) == ("failed", "failed: b: its folder does not exist")


@pytest.mark.parametrize(("command", "how"), [("stop", "stopped"), ("kill", "killed")])
def test_a_plan_that_failed_as_somebody_ended_its_agent_names_that_and_no_service_that_it_stopped(
    tmp_path, command, how
):
    async def story(inside, keeper):
        service = agent("s", service=True)
        request = {"blueprint": plan_of(service, agent("a")), "cwd": "/", "env": world()}
        plan = (await inside.ask("apply", **request))["id"]
        await until(lambda: len(keeper.held) == 2, "both run")
        ids = {one["name"]: one["mission"] for one in (await inside.ask("plan", id=plan))["agents"]}
        asked = asyncio.create_task(inside.ask(command, id=ids["a"]))
        await in_process.idle()
        keeper.exit(f"{ids['a']}.1", 143)
        await asked
        await until(lambda: inside.app.registry.live[ids["s"]].ending is not None, "the service is stopped")
        keeper.exit(f"{ids['s']}.1", 143)
        await inside.app.registry.ended(plan)
        rows = await inside.ask("ps", all=True, wide=True)
        fleet = Fleet()
        fleet.apply(rows, (), everything=True)
        (row,) = [row for row in rows if row["id"] == plan]
        return row["outcome"], row["now"], fleet.rows[plan]["now"]

    said = f"a was {how}"
    assert in_process.played(Home(str(tmp_path / "home")), story, Settings()) == ("failed", said, said)


def test_an_agent_that_was_stopped_is_not_named_where_another_one_has_failed(tmp_path):
    async def story(inside, keeper):
        request = {"blueprint": plan_of(agent("a"), agent("b")), "cwd": "/", "env": world()}
        plan = (await inside.ask("apply", **request))["id"]
        await until(lambda: len(keeper.held) == 2, "both run")
        ids = {one["name"]: one["mission"] for one in (await inside.ask("plan", id=plan))["agents"]}
        keeper.exit(f"{ids['b']}.1", 3)
        asked = asyncio.create_task(inside.ask("stop", id=ids["a"]))
        await in_process.idle()
        keeper.exit(f"{ids['a']}.1", 143)
        await asked
        await inside.app.registry.ended(plan)
        fleet = Fleet()
        fleet.apply(rows := await inside.ask("ps", all=True, wide=True), (), everything=True)
        return next(row["now"] for row in rows if row["id"] == plan), fleet.rows[plan]["now"]

    said = in_process.played(Home(str(tmp_path / "home")), story, Settings())
    assert said == ("exit 1", "b failed: exit 3")


REASONS = {
    "never begun": (AgentProgress(AgentStage.FAILED, reason="cwd_not_found"), "failed: b: its folder does not exist"),
    "a post": (AgentProgress(AgentStage.FAILED, post=AgentPost("x", "failed"), exit_code=3), "exit 1"),
    "kept": (AgentProgress(AgentStage.FAILED, reason="cwd_not_found", kept=True), "exit 1"),
}


@pytest.mark.parametrize(("node", "now"), REASONS.values(), ids=REASONS)
def test_no_agent_that_ran_elsewhere_or_before_is_why_a_plan_has_failed(tmp_path, node, now):
    async def story(inside, keeper):
        blueprint = plan_of(agent("a"), agent("b", depends_on=[{"agent": "a"}]))
        plan = (await inside.ask("apply", blueprint=blueprint, cwd="/", env=world()))["id"]
        await until(lambda: keeper.held, "a runs")
        inside.app.plans.live[plan].put("b", node)
        keeper.exit(next(iter(keeper.held)), 3)
        await inside.app.registry.ended(plan)
        (row,) = [row for row in await inside.ask("ps", all=True, wide=True) if row["id"] == plan]
        return row["now"]

    assert in_process.played(Home(str(tmp_path / "home")), story, Settings()) == now
