"""The missions of a plan among all others: what may be done to them while it lives."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home


@pytest.fixture
def plan(om):
    """A live plan `p`: `a` has ended, `b` runs; its id."""
    om.ok("start")
    agents = [
        {"name": "a", "start": {"command": "echo one", "cwd": "/"}},
        {"name": "b", "start": {"command": "sleep 100", "cwd": "/"}, "depends_on": [{"agent": "a"}]},
    ]
    with RawSocket.connect(om.home) as api:
        made = api.ok("apply", blueprint={"name": "p", "agents": agents}, cwd="/", env=om.environment)["id"]
    eventually(lambda: any(row["name"] == "p/b" for row in om.json("ps", "--json")), what="b runs")
    return made


def test_what_a_live_plan_may_refer_to_is_not_removed(om, plan):
    refused = om("rm", "p/a")
    assert (refused.returncode, "part of the plan p, which is still running" in refused.stderr) == (1, True)
    om.ok("prune", "-y")
    assert om.ok("logs", "a") == "one\n"
    om.ok("stop", plan)
    om.ok("prune", "-y")
    assert om.json("ps", "--all", "--json") == []


def test_killed_it_takes_along_all_that_it_has_started(om, plan):
    child = om.mission("sleep 100", "--parent", "b")
    om.ok("kill", plan)
    assert [om.info(one)["status"] for one in (plan, "b", child)] == ["killed", "killed", "killed"]
    assert [row["name"] for row in om.ps() if row["ended_at"] is None] == []


def test_what_has_no_process_is_refused_what_only_a_process_can_do(om, plan):
    for words in (["freeze", plan], ["signal", plan, "HUP"], ["attach", plan], ["send", plan, "x"], ["edit", plan]):
        refused = om(*words)
        assert refused.returncode, words
        assert "Traceback" not in refused.stderr, words
    for words in (["edit"], ["update", "--name", "other"], ["update", "--restart", "always"]):
        assert "is a plan: edit its file" in om(*words, plan).stderr, words
    om.ok("update", plan, "--label", "a=b")
    om.ok("stop", plan)
    assert om.info("b")["status"] == "stopped"


def test_an_agent_that_is_part_of_a_plan_again_runs_again_once_what_ran_of_it_has_ended(om, plan):
    without = [("c", "sleep 100")]
    _apply(om, without)
    _apply(om, [*without, ("a", "echo two"), ("b", "echo three")])
    eventually(lambda: om.info("b")["status"] == "stopped" and om.ok("logs", "b") == "three\n", what="b runs again")
    assert Counter(row["name"] for row in om.json("ps", "--all", "--json")) == {"p": 1, "p/a": 2, "p/b": 2, "p/c": 1}
    assert om.ok("logs", "a") == "two\n"
    for _ in range(10):  # whatever phase of beginning and ending they meet
        _apply(om, without)
        _apply(om, [*without, ("a", "true"), ("b", "sleep 100")])
    _apply(om, [("c", "true")])
    assert om("wait", plan, "--timeout", "20s").returncode == 0


def _apply(om, agents):
    made = [{"name": name, "start": {"command": command, "cwd": "/"}} for name, command in agents]
    with RawSocket.connect(om.home) as api:
        api.ok("apply", blueprint={"name": "p", "agents": made}, cwd="/", env=om.environment)


def test_an_agent_that_a_person_stops_has_failed(om, plan):
    om.ok("stop", "b")
    assert om("wait", plan).returncode == 1
    assert "--- b: stopped (exit 143)" in om.ok("logs", plan)


def test_an_agent_that_a_person_kills_stays_listed_below_the_plan_that_it_has_failed(om, plan):
    om.ok("kill", "b")
    assert om("wait", plan).returncode == 1
    assert listed(om) == ["p", "p/a", "p/b"]
    om.ok("kill", "a")
    assert listed(om) == ["p", "p/b"], "one that had ended is hidden by that"
    om.ok("kill", plan)
    assert listed(om) == []
    assert len(om.json("ps", "--all", "--json")) == 3


def listed(om):
    return sorted(line.split()[1] for line in om.ok("ps").splitlines()[1:])


def test_an_agent_whose_output_can_not_be_handed_on_whole_has_failed(om):
    om.ok("start")
    file = "$OVERMIND_OUTPUT_DIR/facts"
    commands = {
        "large": f'head -c 70000 /dev/zero | tr "\\0" x > "{file}"',
        "nul": f'printf "a\\0b" > "{file}"',
        "line": f'head -c 70000 /dev/zero | tr "\\0" x; echo 1 > "{file}"',
    }
    agents: list[dict[str, object]] = [
        {"name": name, "start": {"command": command, "cwd": "/", "tty": False}, "outputs": ["facts"]}
        for name, command in commands.items()
    ]
    uses = {"command": "printf %s ${agents.line.result} | wc -c", "cwd": "/"}
    agents.append({"name": "after", "start": uses, "depends_on": [{"agent": "line"}]})
    blueprint = {"name": "p", "on_failure": "continue", "agents": agents}
    with RawSocket.connect(om.home) as api:
        plan = api.ok("apply", blueprint=blueprint, cwd="/", env=om.environment)["id"]
        assert om("wait", plan).returncode == 1
        found = {one["name"]: (one["stage"], one["reason"]) for one in api.ok("plan", id=plan)["agents"]}
    assert found == {
        "large": ("failed", "output_too_large"),
        "nul": ("failed", "output_invalid"),
        "line": ("failed", "output_too_large"),
        "after": ("skipped", "line failed"),
    }
    told = "--- line: failed (result: larger than 64 KiB, the limit of an output. Pass the path of a file instead)"
    assert told in om.ok("logs", plan)


def test_a_change_is_told_in_the_log_of_the_plan(om, plan):
    agents = [
        {"name": "b", "start": {"command": "sleep 100", "cwd": "/"}, "depends_on": []},
        {"name": "c", "start": {"command": "true", "cwd": "/"}},
    ]
    with RawSocket.connect(om.home) as api:
        changed = api.ok("apply", blueprint={"name": "p", "agents": agents}, cwd="/", env=om.environment)
    assert (changed["id"], changed["status"]) == (plan, "changed")
    assert "--- changed: ~ b, + c, - a ---" in om.ok("logs", plan)
    om.ok("stop", plan)
    with RawSocket.connect(om.home) as api:
        (listed,) = api.ok("plans")
        assert (listed["total"], listed["counts"]) == (2, api.ok("plan", id=plan)["counts"])


def test_what_was_removed_is_not_handed_on_as_nothing(om):
    om.ok("start")
    uses = {"command": "echo ${agents.a.output}; exit 1", "cwd": "/"}
    agents = [
        {"name": "a", "start": {"command": "echo one", "cwd": "/"}},
        {"name": "b", "start": uses, "depends_on": [{"agent": "a"}]},
    ]
    for rerun in (None, "failed"):
        with RawSocket.connect(om.home) as api:
            api.ok("apply", blueprint={"name": "p", "agents": agents}, cwd="/", env=om.environment, rerun=rerun)
        assert om("wait", "p").returncode == 1
        om("rm", "p/a")
    assert "b: failed (The output of a was removed. Run a again, too.)" in om.ok("logs", "p")


def test_a_plan_whose_time_is_over_has_failed(om):
    om.ok("start")
    agents = [{"name": "a", "start": {"command": "sleep 100", "cwd": "/"}}]
    with RawSocket.connect(om.home) as api:
        plan = api.ok("apply", blueprint={"name": "p", "agents": agents, "timeout": 0.3}, cwd="/", env=om.environment)
    assert om("wait", plan["id"]).returncode == 124
    assert (om.info("p")["reason"], om.info("p")["exit_code"], om.info("a")["status"]) == ("timeout", 124, "stopped")
