"""What a headless run came to: its exit status, what failed, and the words of each end."""

from __future__ import annotations

import pytest

from overmind_core.cli.headless.outcome import (
    SHOWN_LINES,
    AgentOutcome,
    Outcome,
    PlanResult,
    Result,
    lasted,
    out_of_time,
)
from tests.kit.cases import tabled

INFO = {
    "id": "a1b2c3d4", "name": "worker", "command": "make test", "status": "stopped", "exit_code": 0, "reason": None,
    "outcome": "succeeded", "restart_count": 0, "uptime_seconds": 1.26, "started_at": "2027-01-15T08:00:00Z",
}  # fmt: skip
AGENT = {
    "name": "build", "mission": "a1b2c3d4", "stage": "succeeded", "attempt": 1, "tries": 1, "reason": None,
    "exit_code": 0, "seconds": 2.0, "started_at": None, "depends_on": [],
}  # fmt: skip


GIVEN_UP = {"reason": "restart_budget_spent", "outcome": "failed", "restart_count": 2, "max_restarts": 2,
            "max_seconds": 60.0}  # fmt: skip
OUTCOMES = {"stopped": "succeeded", "crashed": "failed", "killed": "killed"}


def ended(**how):
    asked = how.pop("asked", True)
    info = {**INFO, **how}
    return Outcome({**info, "outcome": how.get("outcome", OUTCOMES[info["status"]])}, asked=asked)


def agent(mission=None, **how):
    return AgentOutcome({**AGENT, **how}, mission)


@tabled(
    ("end", "status", "failed", "words"),
    [
        ({}, 0, False, "succeeded"),
        ({"outcome": "stopped", "exit_code": 143}, 143, True, "stopped"),
        ({"status": "crashed", "exit_code": 3, "restart_count": 2}, 3, True, "failed (3), 2 restarts"),
        ({"status": "crashed", "exit_code": 3, "restart_count": 1}, 3, True, "failed (3), 1 restart"),
        ({"status": "killed", "exit_code": None}, 137, True, "killed"),
        (
            {"status": "killed", "exit_code": None, "reason": "fenced", "outcome": "lost"},
            137,
            True,
            "lost: its lease ended: another machine may have its work",
        ),
        ({"exit_code": 3, "outcome": "stopped", "asked": False}, 3, False, "stopped"),
        ({"status": "killed", "exit_code": None, "asked": False}, 137, False, "killed"),
        ({"status": "crashed", "exit_code": 3, "asked": False}, 3, True, "failed (3)"),
        ({**GIVEN_UP}, 1, True, "failed: restarted 2 times in a minute, gave up, 2 restarts"),
        ({**GIVEN_UP, "asked": False}, 1, True, "failed: restarted 2 times in a minute, gave up, 2 restarts"),
    ],
)
def test_an_end_has_a_status_and_words_and_what_was_not_asked_for_fails_by_crashing_alone(end, status, failed, words):
    outcome = ended(**end)
    assert (outcome.exit_status, outcome.failed, outcome.words) == (status, failed, words)
    assert (outcome.skipped, outcome.detail) == ("", "make test")


def test_a_result_of_one_is_told_in_a_line_and_of_several_in_a_table():
    one = Result(3, [ended(status="crashed", exit_code=3)])
    assert (one.name, one.classname, one.noun, one.graph, one.is_listed) == ("worker", "overmind", "mission", "", False)
    assert one.last_line == "worker: failed (3), 1.3s"
    several = Result(0, [ended(), ended(name="helper", asked=False)])
    assert (several.is_listed, several.last_line) == (True, "")
    nothing = Result(1, [], "the disk is full")
    assert (nothing.name, nothing.is_listed, nothing.last_line) == ("overmind", False, "the disk is full")


def test_trouble_is_the_failure_of_what_was_asked_for_alone():
    asked, helper, crashed = (
        ended(),
        ended(name="helper", asked=False),
        ended(status="crashed", exit_code=1, asked=False),
    )
    result = Result(130, [asked, helper, crashed], "interrupted by INT")
    assert [result.failure(one) for one in result.outcomes] == [
        "interrupted by INT: succeeded", "", "failed (1)",
    ]  # fmt: skip
    assert Result(130, [asked], "interrupted by INT").last_line.endswith("1.3s (interrupted by INT)")
    assert Result(0, [asked]).failure(asked) == ""


def test_the_summary_has_what_scripts_read():
    assert Result(3, [ended(status="crashed", exit_code=3, restart_count=2)], "").as_json() == {
        "exit_code": 3,
        "trouble": None,
        "missions": [
            {
                "name": "worker", "status": "crashed", "outcome": "failed", "exit_code": 3, "reason": None,
                "restart_count": 2, "uptime_seconds": 1.26,
            },
        ],
    }  # fmt: skip
    assert Result(130, [], "interrupted by INT").as_json()["trouble"] == "interrupted by INT"


def test_the_time_of_one_that_was_restarted_is_that_of_all_its_runs():
    times = {"started_at": "2027-01-15T08:00:00Z", "ended_at": "2027-01-15T08:00:09.500Z"}
    assert ended(**times, restart_count=2).seconds == 9.5
    assert ended(**times, restart_count=0).seconds == 1.26


@tabled(
    ("seconds", "text"),
    [(0.04, "0.0s"), (12.34, "12.3s"), (59.94, "59.9s"), (60, "1m 0s"), (312.4, "5m 12s"), (3599, "59m 59s"),
     (3600, "1h 0m"), (3725, "1h 2m"), (90_000, "25h 0m")],
)  # fmt: skip
def test_a_duration_reads_as_people_say_it(seconds, text):
    assert lasted(seconds) == text


@tabled(
    ("stage", "asked", "failed", "is_skipped"),
    [
        ("waiting", False, False, True), ("starting", True, False, False), ("running", True, False, False),
        ("succeeded", False, False, False), ("failed", True, True, False), ("skipped", False, False, True),
        ("cancelled", True, False, True),
    ],
)  # fmt: skip
def test_an_agent_is_blamed_for_its_own_failure_alone(stage, asked, failed, is_skipped):
    outcome = agent(stage=stage, exit_code=None)
    assert (outcome.asked, outcome.failed, bool(outcome.skipped)) == (asked, failed, is_skipped)


@tabled(
    ("reason", "words"),
    [
        ("cancel", "skipped: its plan stopped it"),
        ("failure", "skipped: its plan stopped it, for another agent failed"),
        ("output_missing", "skipped: it did not hand in what was asked for"),
        (None, "skipped"),
    ],
)
def test_an_agent_says_why_it_did_not_run(reason, words):
    assert agent(stage="skipped", exit_code=None, reason=reason).words == words


def test_tries_of_an_agent_count_as_restarts_beside_those_of_its_mission():
    mission = Outcome({**INFO, "restart_count": 2}, output="\n".join(map(str, range(SHOWN_LINES + 5))), dropped=7)
    third = agent(mission, attempt=3, tries=3, stage="failed", exit_code=1)
    assert (third.restarts, third.words) == (4, "failed (1), 4 restarts")
    assert (third.detail.splitlines()[0], len(third.detail.splitlines()), third.dropped) == ("5", SHOWN_LINES, 7)
    assert (agent(attempt=0, tries=0, stage="waiting").restarts, agent(seconds=None).seconds) == (0, 0.0)
    assert agent(attempt=5, tries=2).restarts == 1, "those of earlier runs of the plan are no restarts"
    silent = agent(Outcome(INFO), stage="failed")
    assert (silent.detail, agent().command) == ("make test", "")


@pytest.fixture
def plan():
    return {
        "id": "p", "name": "release", "seconds": 3.0, "counts": {"succeeded": 1, "failed": 1, "skipped": 0},
        "agents": [
            {**AGENT, "name": "build", "mission": "b"},
            {**AGENT, "name": "test", "mission": None, "stage": "skipped", "depends_on": [{"agent": "build"}]},
        ],
    }  # fmt: skip


def test_a_plan_is_told_by_its_agents_and_what_they_started_beside(plan):
    missions = [Outcome({**INFO, "id": one, "name": name}) for one, name in
                [("p", "release"), ("b", "release/build"), ("x", "helper")]]  # fmt: skip
    result = PlanResult(Result(1, missions, "timed out"), plan)
    assert [(one.name, type(one)) for one in result.outcomes] == [
        ("build", AgentOutcome), ("test", AgentOutcome), ("helper", Outcome),
    ]  # fmt: skip
    assert (result.name, result.classname, result.noun, result.is_listed) == ("release", "release", "agent", True)
    assert result.last_line == "release: 1 succeeded, 1 skipped, 3.0s (timed out)"
    assert "build" in result.graph
    assert result.outcomes[0].command == "make test"
    assert result.as_json() == {"exit_code": 1, "trouble": "timed out", "plan": plan}


@tabled(
    ("how", "words"),
    [
        ({"exit_code": 124, "reason": "timeout", "outcome": "timed out"}, "timed out"),
        ({"exit_code": 137, "reason": "stalled", "outcome": "timed out"}, "timed out: it was silent for too long"),
        ({"exit_code": 3, "reason": None, "outcome": "failed"}, "failed (3)"),
    ],
)
def test_an_agent_that_a_limit_has_ended_timed_out(how, words):
    outcome = agent(stage="failed", **how)
    assert (outcome.failed, outcome.words) == (True, words)


def test_a_service_that_its_plan_ended_was_stopped_and_nobody_is_to_blame(plan):
    service = {**AGENT, "name": "db", "exit_code": 143, "outcome": "stopped"}
    result = PlanResult(Result(0, []), {**plan, "agents": [*plan["agents"], service]})
    found = result.outcomes[-1]
    assert (found.state, found.words, found.failed, result.failure(found)) == ("stopped", "stopped", False, "")
    assert result.last_line == "release: 1 succeeded, 1 stopped, 1 skipped, 3.0s"
    assert "db<br/>stopped" in result.graph


@tabled(
    ("how", "ended", "state"),
    [
        ({"outcome": "stopped", "exit_code": 143}, {"a1b2c3d4"}, "timed out"),
        ({"outcome": "stopped", "exit_code": 0}, {"a1b2c3d4"}, "timed out"),
        ({"outcome": "killed", "status": "killed", "exit_code": None}, {"a1b2c3d4"}, "timed out"),
        ({"outcome": "stopped", "exit_code": 143}, set(), "stopped"),
        ({"outcome": "failed", "status": "crashed", "exit_code": 3}, {"a1b2c3d4"}, "failed"),
        ({"outcome": "succeeded", "exit_code": 0}, {"a1b2c3d4"}, "succeeded"),
        ({"outcome": "lost", "status": "killed", "reason": "keeper_lost"}, {"a1b2c3d4"}, "lost"),
    ],
)
def test_what_ran_when_the_time_of_the_whole_was_over_timed_out(how, ended, state):
    one = Outcome(out_of_time({**INFO, **how}, "a1b2c3d4", ended))
    result = Result(124, [one], "timed out after 2.0s", ended)
    assert (one.state, result.as_json()["missions"][0]["outcome"]) == (state, state)
    assert result.last_line.startswith(f"worker: {state}")
    if state == "timed out":
        assert (one.words, result.failure(one)) == ("timed out", "timed out after 2.0s")


def test_of_a_plan_whose_time_was_over_agents_are_called_stopped_as_in_its_log_and_their_failure_a_timeout(plan):
    cut = {**AGENT, "name": "cut", "mission": "c", "stage": "cancelled", "outcome": "stopped", "reason": "cancel",
           "exit_code": 143}  # fmt: skip
    waited = {**AGENT, "name": "late", "mission": None, "stage": "cancelled", "outcome": "stopped", "reason": "cancel",
              "exit_code": None}  # fmt: skip
    whole = {**plan, "outcome": "stopped", "agents": [*plan["agents"], cut, waited]}
    result = PlanResult(Result(124, [], "timed out after 1.0s", {"p", "c"}), whole)
    assert [one.state for one in result.outcomes] == ["succeeded", "skipped", "stopped", "stopped"]
    assert result.last_line == "release: 1 succeeded, 2 stopped, 1 skipped, 3.0s (timed out after 1.0s)"
    assert [result.kind(one) for one in result.outcomes[2:]] == ["timed out", "stopped"]
    told = result.as_json()["plan"]
    assert (told["outcome"], told["agents"][2]["outcome"]) == ("timed out", "stopped")


def own_end(plan, own, *agents):
    """The result of a plan that has ended like this, though nobody else has ended it."""
    mission = Outcome({**INFO, "id": "p", "name": "release", **own})
    return PlanResult(Result(mission.exit_status, [mission]), {**plan, "agents": [*plan["agents"], *agents]})


CUT = {**AGENT, "name": "cut", "mission": "c", "stage": "cancelled", "outcome": "stopped", "reason": "cancel",
       "exit_code": 143}  # fmt: skip
OWN_TIMEOUT = {"status": "crashed", "outcome": "timed out", "exit_code": 124, "reason": "timeout", "limit_seconds": 60}


def test_a_plan_whose_own_time_was_over_says_so_and_so_does_the_failure_of_agents_that_it_cut_short(plan):
    result, why = own_end(plan, OWN_TIMEOUT, CUT), "timed out: it took longer than 1 minute"
    assert [result.failure(one) for one in result.outcomes] == ["", "", why]
    assert result.last_line == f"release: 1 succeeded, 1 stopped, 1 skipped, 3.0s ({why})"
    told = result.as_json()
    assert (told["trouble"], told["plan"]["agents"][2]["outcome"]) == (why, "stopped")
    assert result.kind(result.outcomes[2]) == "timed out"


FAILED = {**AGENT, "name": "bad", "mission": "f", "stage": "failed", "outcome": "failed", "exit_code": 3}


@pytest.mark.parametrize(
    ("own", "agent", "trouble"),
    [
        ({}, {**CUT, "stage": "succeeded", "outcome": "stopped"}, ""),
        ({"status": "crashed", "outcome": "failed", "exit_code": 1}, FAILED, ""),
        ({"status": "crashed", "outcome": "failed", "exit_code": 1}, CUT, "failed (1)"),
        ({"outcome": "stopped", "exit_code": 1}, CUT, "stopped"),
        ({"outcome": "stopped", "exit_code": 1}, FAILED, "stopped"),
        (OWN_TIMEOUT, FAILED, "timed out: it took longer than 1 minute"),
    ],
)
def test_a_plan_says_what_ended_it_where_no_agent_is_to_blame(plan, own, agent, trouble):
    assert own_end(plan, own, agent).trouble == trouble
