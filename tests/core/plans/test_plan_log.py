"""What the log of a plan says of an agent's end: its outcome, and why, in words."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from overmind_core.domain.plans.blueprint import PlanAgent
from overmind_core.domain.plans.progress import AgentProgress, AgentStage, EndReason, word_of
from overmind_core.plans.log_lines import ended, over
from tests.kit.cases import tabled

ENDS = [
    # exit code, reason, what is said
    (3, None, "failed (exit 3) after 2.0 s"),
    (3, "restart_budget_spent", "failed (exit 3, restarted 2 times in a minute, gave up) after 2.0 s"),
    (124, "timeout", "timed out (exit 124) after 2.0 s"),
    (137, "stalled", "timed out (exit 137) after 2.0 s"),
    (None, None, "failed (killed) after 2.0 s"),
    (None, "killed", "killed after 2.0 s"),
    (143, "stopped", "stopped (exit 143) after 2.0 s"),
    (None, "keeper_lost", "lost (the program that held it, or the machine, went away) after 2.0 s"),
]


def plan_of(nodes: Any) -> Any:
    return SimpleNamespace(name="ci", given_variables={}, agents=[SimpleNamespace(name=name) for name in nodes])


@tabled(("code", "reason", "said"), ENDS)
def test_an_end_is_told_in_words(code, reason, said):
    begun = AgentProgress(AgentStage.RUNNING, mission="a1b2c3d4", started_at=1.0)
    after = AgentProgress(
        AgentStage.FAILED, mission="a1b2c3d4", started_at=1.0, ended_at=3.0, exit_code=code, reason=reason
    )
    assert ended(PlanAgent("a", {"max_restarts": 2}), begun, after).text == f"--- a: {said} ---"


LIMITED = [
    ("restart_budget_spent", "failed (exit 3, restarted 2 times in 30 seconds, gave up) after 2.0 s"),
    ("timeout", "timed out (exit 3, it took longer than 1 second) after 2.0 s"),
    ("stalled", "timed out (exit 3, it was silent for 1 second) after 2.0 s"),
]


@tabled(("reason", "said"), LIMITED)
def test_an_end_names_the_limit_that_made_it(reason, said):
    begun = AgentProgress(AgentStage.RUNNING, mission="a1b2c3d4", started_at=1.0)
    after = AgentProgress(
        AgentStage.FAILED, mission="a1b2c3d4", started_at=1.0, ended_at=3.0, exit_code=3, reason=reason, limit=1.0
    )
    agent = PlanAgent("a", {"max_restarts": 2, "max_seconds": "30s"})
    assert ended(agent, begun, after).text == f"--- a: {said} ---"


def test_an_end_says_what_a_limit_means_for_what_is_to_be_restarted():
    begun = AgentProgress(AgentStage.RUNNING, mission="a1b2c3d4", started_at=1.0)
    late = AgentProgress(AgentStage.FAILED, started_at=1.0, ended_at=3.0, exit_code=124, reason="timeout", limit=1.0)
    spent = replace(late, exit_code=137, reason="restart_budget_spent", run_reason="stalled")
    agent = PlanAgent("a", {"restart": "on-failure", "max_restarts": 2})
    said = "timed out (exit 124, it took longer than 1 second, after which it is not restarted) after 2.0 s"
    assert ended(agent, begun, late).text == f"--- a: {said} ---"
    said = "failed (exit 137, restarted 2 times in a minute, gave up: it was silent for 1 second) after 2.0 s"
    assert ended(agent, begun, spent).text == f"--- a: {said} ---"


@tabled(("stopped", "said"), [(EndReason.CANCEL, "stopped"), (EndReason.FAILURE, "stopped"),
                              (EndReason.REMOVED, "stopped")])  # fmt: skip
def test_whom_the_plan_has_ended_is_stopped(stopped, said):
    begun = AgentProgress(AgentStage.STOPPING, mission="a1b2c3d4", stopped=stopped)
    after = AgentProgress(AgentStage.CANCELLED, mission="a1b2c3d4", stopped=stopped, reason=stopped.value)
    assert ended(PlanAgent("a", {}), begun, after).text == f"--- a: {said} ---"


def test_the_last_line_counts_a_service_that_the_plan_ended_as_stopped():
    nodes = {
        "db": AgentProgress(AgentStage.SUCCEEDED, stopped=EndReason.DONE),
        "build": AgentProgress(AgentStage.SUCCEEDED),
        "slow": AgentProgress(AgentStage.FAILED, reason="timeout"),
        "bad": AgentProgress(AgentStage.FAILED, exit_code=1),
        "last": AgentProgress(AgentStage.SKIPPED),
        "cut": AgentProgress(AgentStage.CANCELLED, stopped=EndReason.FAILURE),
    }
    blueprint: Any = SimpleNamespace(
        name="ci", given_variables={}, agents=[SimpleNamespace(name=name) for name in nodes]
    )
    said = "--- ci: 1 succeeded, 2 stopped, 1 failed, 1 timed out, 1 skipped in 2.0 s; failed: slow, bad ---"
    assert over(blueprint, nodes, 2.0).text == said


def test_the_last_line_counts_only_what_ran_and_how_many_were_kept():
    nodes = {
        "lint": AgentProgress(AgentStage.SUCCEEDED),
        "unit": AgentProgress(AgentStage.SUCCEEDED, kept=True),
        "db": AgentProgress(AgentStage.SUCCEEDED, stopped=EndReason.DONE, kept=True),
        "docs": AgentProgress(AgentStage.FAILED, kept=True),
    }
    blueprint: Any = SimpleNamespace(
        name="ci", given_variables={}, agents=[SimpleNamespace(name=name) for name in nodes]
    )
    said = over(blueprint, nodes, 2.1)
    assert said.text == "--- ci: 1 succeeded, 3 kept in 2.1 s; failed before: docs ---"
    assert said.failed == ("docs",)


def test_the_last_line_names_those_for_which_a_plan_fails_that_was_stopped_before():
    nodes = {
        "a": AgentProgress(AgentStage.SUCCEEDED),
        "b": AgentProgress(AgentStage.CANCELLED, stopped=EndReason.FAILURE, kept=True),
        "c": AgentProgress(AgentStage.FAILED, kept=True),
        "d": AgentProgress(AgentStage.CANCELLED, stopped=EndReason.FAILURE),
    }
    blueprint: Any = SimpleNamespace(
        name="ci", given_variables={}, agents=[SimpleNamespace(name=name) for name in nodes]
    )
    said = "--- ci: 1 succeeded, 1 stopped, 2 kept in 2.0 s; failed before: c; stopped before: b ---"
    assert over(blueprint, nodes, 2.0).text == said


LOST = [
    (
        "keeper_lost",
        False,
        "/shop/ci.toml",
        "; failed: b; go on with: overmind apply /shop/ci.toml --name ci --rerun failed",
    ),
    ("keeper_lost", False, "-", "; failed: b; go on with: overmind restart ci"),
    ("keeper_lost", True, "/shop/ci.toml", "; failed before: b"),
    (None, False, "/shop/ci.toml", "; failed: b"),
]


@tabled(("reason", "kept", "file", "end"), LOST)
def test_the_last_line_names_the_command_that_goes_on_where_an_agent_was_lost_with_its_keeper(reason, kept, file, end):
    nodes = {"b": AgentProgress(AgentStage.FAILED, reason=reason, kept=kept)}
    blueprint: Any = SimpleNamespace(
        name="ci", given_variables={}, agents=[SimpleNamespace(name=name) for name in nodes]
    )
    word = "kept" if kept else word_of(nodes["b"])
    assert over(blueprint, nodes, 2.0, file).text == f"--- ci: 1 {word} in 2.0 s{end} ---"
