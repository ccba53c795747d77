"""A plan's attempts: what ends well, what is read first, whose port it was, and when the next daemon goes on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.domain.isolation.saga import SagaPhase
from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import Cause, Definition, Ending, Mission, Status
from overmind_core.domain.plans.progress import BEHIND, AgentPost, AgentProgress, AgentStage, AttemptEnd, EndReason
from overmind_core.plans import attempts
from overmind_core.plans.attempts import AHEAD, Attempts
from tests.kit.clock import FakeClock

AGENT = SimpleNamespace(name="build", outputs=(), merge=None, ready=None, is_posted=False)
MISSION: Any = Mission(
    "a1b2c3d4", Definition("release/build", "true", ("true",), "/", columns=80, rows=24), created_at=0.0,
    status=Status.STOPPED, exit_code=0, ended_at=7.0,
)  # fmt: skip


def made(**parts) -> Any:
    return SimpleNamespace(**parts)


class Plan:
    """A plan with one agent, `build`, whose parts do what a test says; what is reported stands in `reported`."""

    def __init__(
        self, mission=MISSION, *, agent=None, node=None, results=(), run=None, closing=False, live=(), saga=None
    ):
        self.reported: list[Any] = []
        self.began: list[str] = []
        self.asked: list[tuple[Mission, EndAsked]] = []
        self.state = made(
            id="p", agents={"build": SimpleNamespace(**vars(AGENT) | (agent or {}))},
            nodes={"build": node or AgentProgress(AgentStage.RUNNING, attempt=1, mission="a1b2c3d4")}, results=results,
        )  # fmt: skip
        registry: Any = SimpleNamespace(
            get=lambda _: mission, newest_run=lambda _: run, live={one.id: one for one in live},
            apply_if_legal=self.ask,
        )  # fmt: skip
        unused: Any = SimpleNamespace()
        records = {} if saga is None else {MISSION.id: SimpleNamespace(saga=saga)}
        us: Any = self
        self.attempts: Any = Attempts(
            self.state, us, clock=FakeClock(wall=100.0), phase=made(closing=closing), tasks=us,
            registry=registry, environments=made(of=lambda _: "environment"),
            workspace=made(records=records), observer=unused, starter=us, values=unused, outputs=unused,
            swarm=unused, watch=unused,
        )  # fmt: skip

    def ask(self, mission, fact, *, urgent):
        assert urgent
        self.asked.append((mission, fact))

    def start(self, work):
        self.began.append(work.__qualname__.rpartition(".")[2])
        work.close()
        return SimpleNamespace(add_done_callback=lambda _: None, cancel=lambda: None)

    def spec_ahead(self, *_):
        return "spec"

    def on_start(self, name, number, mission):
        self.reported.append(("start", name, number, mission.id))

    def on_ready(self, name, mission):
        self.reported.append(("ready", name, mission))

    def on_end(self, name, end, explained=""):
        self.reported.append(("end", name, end, explained))

    def schedule(self):
        self.reported.append("schedule")


def run(reason):
    return SimpleNamespace(reason=reason)


def end(**how):
    return AttemptEnd(**{"ok": True, "at": 7.0, "exit_code": 0, "reason": None} | how)


ENDS: dict[str, Any] = {
    "well": (MISSION, None, end()),
    "well, with a run of its own": (MISSION, run(None), end()),
    "badly": (replace(MISSION, status=Status.CRASHED, exit_code=3), run(None), end(ok=False, exit_code=3)),
    "a person stopped it": (
        replace(MISSION, ended_by=Cause.STOP), run(Cause.STOP), end(ok=False, reason="stopped"),
    ),
    "a person stopped it while it waited for its restart": (
        replace(MISSION, exit_code=3, reason="restart_cancelled"), run(None),
        end(ok=False, exit_code=3, reason="stopped"),
    ),
    "a person stopped it, and it failed": (
        replace(MISSION, status=Status.CRASHED, exit_code=1, reason="x"), run(Cause.STOP),
        end(ok=False, exit_code=1, reason="x"),
    ),
    "killed": (
        replace(MISSION, status=Status.KILLED, exit_code=None, reason="killed"), run(Cause.KILL),
        end(ok=False, exit_code=None, reason="killed"),
    ),
    "nobody knows when": (replace(MISSION, ended_at=None), None, end(at=100.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_an_attempt_ends_well_only_by_itself(name):
    mission, newest, expected = ENDS[name]
    plan = Plan(mission, run=newest)
    assert plan.attempts.conclude_now("build", mission)
    assert plan.reported == [("end", "build", expected, "")]


READ_FIRST: dict[str, Any] = {
    "nothing": ({}, {}, False),
    "others refer to its result": ({"results": {"build"}}, {}, True),
    "others refer to somebody's result": ({"results": {"test"}}, {}, False),
    "it has outputs": ({"agent": {"outputs": ("site",)}}, {}, True),
    "its merge was well": ({"agent": {"merge": object()}}, {}, False),
    "its merge was refused": ({"agent": {"merge": object()}}, {"status": Status.CRASHED}, True),
    "its command failed": ({}, {"status": Status.CRASHED}, False),
    "nobody knows whether it was ready": ({"agent": {"ready": object()}}, {}, True),
    "it was ready": (
        {"agent": {"ready": object()}, "node": AgentProgress(AgentStage.RUNNING, mission="a1b2c3d4", ready=True)}, {},
        False,
    ),
    "the plan stopped it before": (
        {"agent": {"ready": object()}, "node": AgentProgress(AgentStage.STOPPING, stopped=EndReason.CANCEL)}, {}, False,
    ),
    "it failed before it was ready": ({"agent": {"ready": object()}}, {"status": Status.CRASHED}, False),
}  # fmt: skip


@pytest.mark.parametrize("name", READ_FIRST)
def test_an_end_is_told_at_once_unless_something_is_read_first(name):
    how, mission, is_read = READ_FIRST[name]
    plan = Plan(**how)
    assert plan.attempts.conclude_now("build", replace(MISSION, **mission)) is not is_read
    assert bool(plan.reported) is not is_read


@pytest.mark.parametrize("definition", [{"isolated": True}, {"provider": "claude"}])
def test_the_end_of_what_has_more_to_be_done_for_follows_its_commit(definition):
    plan = Plan()
    mission = replace(MISSION, definition=replace(MISSION.definition, **definition))
    assert not plan.attempts.conclude_now("build", mission)
    assert plan.reported == []


STOPPING = AgentProgress(AgentStage.STOPPING, attempt=1, mission="a1b2c3d4")
RUNS = replace(MISSION, status=Status.RUNNING, ended_at=None)
CHECKS: dict[str, Any] = {
    "it is gone": (
        None, None, [("end", "build", end(ok=False, at=100.0, exit_code=None, reason="removed"), ""), "schedule"],
        [], [],
    ),
    "it has ended": (MISSION, None, [("end", "build", end(), ""), "schedule"], [], []),
    "it ended before anybody could look": (
        MISSION, AgentProgress(AgentStage.STARTING, attempt=2, mission="a1b2c3d4"),
        [("start", "build", 2, "a1b2c3d4")], [], [],
    ),
    "it runs": (RUNS, AgentProgress(AgentStage.RUNNING, mission="a1b2c3d4", ready=True), ["schedule"], [], []),
    "it is not ready yet": (RUNS, None, ["schedule"], ["_probe"], []),
    "it is to end": (RUNS, STOPPING, ["schedule"], [], [Cause.STOP]),
    "it ends already": (replace(RUNS, ending=Ending(Cause.STOP, 0.0)), STOPPING, ["schedule"], [], []),
    "only its run ends": (
        replace(RUNS, ending=Ending(Cause.RESTART, 0.0)), STOPPING, ["schedule"], [], [Cause.STOP],
    ),
    "it starts": (RUNS, AgentProgress(AgentStage.STARTING, mission="a1b2c3d4"), ["schedule"], [], []),
}  # fmt: skip


@pytest.mark.parametrize("name", CHECKS)
def test_what_a_daemon_does_about_an_attempt_that_it_finds(name):
    mission, node, reported, began, asked = CHECKS[name]
    plan = Plan(mission, node=node)
    plan.attempts.check("build")
    assert (plan.reported, plan.began) == (reported, began)
    assert [fact.cause for _, fact in plan.asked] == asked


PREPARING: dict[str, Any] = {
    "nothing of its own": (None, {}, True, False),
    "a project without isolation": (SagaPhase.FORWARD, {}, False, False),
    "it is prepared": (SagaPhase.DONE, {"status": Status.PREPARING}, True, True),
    "it starts": (SagaPhase.DONE, {"status": Status.STARTING}, True, True),
    "it ran": (SagaPhase.DONE, {}, True, False),
    "it could not be prepared": (SagaPhase.UNDONE, {"status": Status.CRASHED}, True, True),
}


@pytest.mark.parametrize("name", PREPARING)
def test_a_mission_that_ran_was_prepared(name):
    phase, mission, isolated, expected = PREPARING[name]
    plan = Plan(saga=None if phase is None else SimpleNamespace(phase=phase))
    definition = replace(MISSION.definition, isolated=isolated)
    assert plan.attempts.is_preparing(replace(MISSION, definition=definition, **mission)) is expected


@pytest.mark.parametrize(
    ("closing", "live", "goes_on"),
    [
        (False, {}, False),
        (True, None, False),
        (True, {}, True),
        (True, {"ending": Ending(Cause.STOP, 0.0)}, False),
    ],
)
def test_the_next_daemon_goes_on_only_with_a_plan_that_lives_on(closing, live, goes_on):
    plan = Plan(closing=closing, live=[] if live is None else [replace(RUNS, id="p", **live)])
    assert plan.attempts._goes_on_later is goes_on


EXPLAINED: dict[str, Any] = {
    "nothing to say": ({}, None, ""),
    "its set-up failed": ({"reason": "setup_failed"}, None, "setup_failed; see: overmind logs release/build"),
    "what it was to have of its own": (
        {"reason": "no_ports"}, SimpleNamespace(error="no_ports", message="all are taken"), "no_ports: all are taken",
    ),
    "an earlier preparation": ({"reason": "x"}, SimpleNamespace(error="no_ports", message="all are taken"), ""),
    "a preparation that was well": ({"reason": "x"}, SimpleNamespace(error=None, message=""), ""),
    "not ready": ({"reason": "not_ready"}, None, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPLAINED)
def test_an_end_says_why_where_more_is_known(name):
    mission, saga, words = EXPLAINED[name]
    assert Plan(saga=saga).attempts._explained(replace(MISSION, **mission)) == words


def test_why_it_was_not_ready_is_said_once_and_it_is_ended_with_that_reason():
    plan = Plan(live=[RUNS])
    plan.attempts._unready[MISSION.id] = "it stays silent"
    plan.attempts._not_ready(MISSION, "it stays silent")
    ((mission, fact),) = plan.asked
    assert (mission, fact.cause, fact.reason) == (RUNS, Cause.LIMIT, "not_ready")
    assert fact.text == "--- not ready: it stays silent ---"
    late = replace(MISSION, reason="not_ready")
    assert plan.attempts._explained(late) == "not ready: it stays silent"
    assert plan.attempts._explained(late) == ""


def test_what_had_its_time_and_is_gone_is_not_asked_to_end():
    plan = Plan()
    plan.attempts._not_ready(MISSION, "it stays silent")
    assert plan.asked == []


def test_whoever_listens_before_the_start_is_somebody_else(monkeypatch):
    plan = Plan()
    listens = True

    async def is_occupied(_probe):
        return listens

    monkeypatch.setattr(attempts, "is_occupied", is_occupied)
    asyncio.run(plan.attempts._look_at_port("build", None))
    assert plan.attempts._occupied == {"build"}
    listens = False
    asyncio.run(plan.attempts._look_at_port("build", None))
    assert plan.attempts._occupied == set()


def test_what_is_worked_out_ahead_is_of_so_many_agents_and_of_each_once():
    plan = Plan()
    for number in range(AHEAD + 2):
        plan.state.agents[f"a{number}"] = plan.state.agents["build"]
        plan.state.nodes[f"a{number}"] = plan.state.nodes["build"]
        plan.attempts.look_ahead(f"a{number}")
    assert list(plan.attempts._ahead) == [f"a{number}" for number in range(2, AHEAD + 2)]
    vars(plan)["spec_ahead"] = lambda *_: "another"
    plan.attempts.look_ahead("a2")
    assert plan.attempts._ahead["a2"][1] == "spec"
    plan.attempts.forget_ahead()
    assert plan.attempts._ahead == {}


def test_a_post_that_nobody_has_posted_ends_at_once():
    plan = Plan()
    plan.attempts.end_post("build", AgentPost("x", BEHIND))
    assert plan.reported == [("end", "build", end(ok=False, at=100.0, exit_code=None, reason="cancelled"), "")]


def test_a_refusal_is_found_in_the_last_line_of_a_log():
    plan = Plan()

    async def log_text(_):
        return "Merging …\nError: conflicts: a.py was changed by both. \n\n"

    plan.attempts._outputs = SimpleNamespace(log_text=log_text)
    found = asyncio.run(plan.attempts._refusal(MISSION))
    assert (found[1], found[2]) == ("conflicts", "a.py was changed by both.")
