"""What agents cost: counted once per turn, over restarts and deaths, and limited."""

from __future__ import annotations

import glob
import json
import os
from datetime import UTC, datetime

import pytest

from tests.kit import claude
from tests.kit.agents import LEAVE
from tests.kit.attached import Attached
from tests.kit.killing import kill_supervisor

pytestmark = pytest.mark.shared_home

AGAIN = ("--restart", "always", "--backoff", "1ms")


def true_cost(agents, mission):
    """What the program's own result lines say: US dollars, turns of the model."""
    usd, turns = 0.0, 0
    for line in agents.om.raw("logs", mission, "--raw").decode().splitlines():
        if '"type":"result"' in line:
            result = json.loads(line)
            usd += sum(model["costUSD"] for model in result["model_usage_since_last_result"].values())
            turns += result["num_turns"]
    return usd, turns


def assert_true(agents, mission):
    usd, turns = true_cost(agents, mission)
    info = agents.om.info(mission)
    assert info["cost_usd"] == pytest.approx(usd, abs=1e-5)
    (row,) = [one for one in agents.om.json("cost", "--json") if one["key"] == mission]
    assert (row["cost_usd"], row["turns"]) == (pytest.approx(usd, abs=1e-5), turns)
    assert (row["input_tokens"], row["output_tokens"]) == (info["tokens"]["input"], info["tokens"]["output"])


def test_a_task(agents):
    mission = agents.task("hello")["id"]
    assert_true(agents, mission)
    assert agents.om.info(mission)["cost_usd"] > 0.04


def test_the_turns_of_a_session(agents):
    mission = agents.session()
    costs = [agents.om.json("send", mission, "--wait", "--json", text)["cost_usd"] for text in ("a", "b", "!long 500")]
    assert sum(costs) == pytest.approx(agents.om.info(mission)["cost_usd"], abs=1e-5)
    assert costs[2] > costs[1] > 0
    assert_true(agents, mission)


@pytest.mark.own_home
@pytest.mark.parametrize("way", ["restart", "kill", "supervisor"])
def test_over_runs(agents, way):
    mission = agents.session(*AGAIN)
    agents.say(mission, "one")
    agents.say(mission, "two")
    if way == "restart":
        agents.om.ok("restart", mission)
    elif way == "kill":
        agents.kill(mission)
        agents.again(mission)
    else:
        kill_supervisor(agents.om)
    agents.say(mission, "three")
    agents.say(mission, "four")
    assert true_cost(agents, mission)[1] == 4
    assert_true(agents, mission)


def test_each_run_of_a_task_that_fails_is_paid_for(agents):
    info = agents.task("!bash false; exit 1", "--max-turns", "1", "--allowed-tools", "Bash")
    assert info["reason"] == "max_turns"
    assert_true(agents, info["id"])


@pytest.mark.own_home
def test_sums_by_mission_day_and_label(agents):
    first = agents.task("hello", "--label", "team=red", "--label", "kind=x")
    second = agents.task("hello", "--label", "team=red")
    third = agents.task("hello", "--name", "bare")
    cents = first["cost_usd"]
    by = {row["key"]: row["cost_usd"] for row in agents.om.json("cost", "--json")}
    assert by == {one["id"]: one["cost_usd"] for one in (first, second, third)}
    by = {row["key"]: row["turns"] for row in agents.om.json("cost", "--by", "label", "--json")}
    assert by == {"team=red": 2, "kind=x": 1, "": 1}
    (day,) = agents.om.json("cost", "--by", "day", "--json")
    assert (day["key"], day["turns"]) == (datetime.now(UTC).date().isoformat(), 3)
    assert day["cost_usd"] == pytest.approx(3 * cents)
    table = agents.om.ok("cost").splitlines()
    assert table[0].split() == ["ID", "NAME", "COST", "IN", "OUT", "TURNS"]
    assert table[-1].split()[0] == "total"
    assert agents.om.json("cost", "--since", "2100-01-01T00:00:00Z", "--json") == []
    assert len(agents.om.json("cost", "--since", "1h", "--json")) == 3
    agents.om.ok("rm", third["id"])
    assert len(agents.om.json("cost", "--json")) == 3, "what a removed mission cost stays"


@pytest.mark.own_home
def test_nothing_was_spent(agents):
    agents.om.ok("start")
    assert agents.om.json("cost", "--json") == []
    raw = agents.om.finished("true")
    assert (raw["cost_usd"], raw["tokens"]) == (None, None)


def test_it_is_shown_in_wide_lists(agents):
    mission = agents.session(prompt="hello")
    agents.answer(1)
    table = agents.om.ok("ps", "--wide").splitlines()
    assert table[0].split()[-5:] == ["ACTIVITY", "COST", "CHANGED", "SOURCE", "NOW"]
    assert "$0.05" in table[1]
    assert agents.om.info(mission)["tokens"]["input"] > 12_000


# --- limits -------------------------------------------------------------------------------------------------------


def test_a_cost_limit_warns_at_80_per_cent_and_then_stops_it_for_good(agents):
    mission = agents.session("--max-cost", "0.12", *AGAIN)
    agents.say(mission, "one")
    assert agents.events(mission, "cost_warning") == []
    agents.say(mission, "two")
    (warning,) = agents.events(mission, "cost_warning")
    assert "of $0.12" in warning["text"]
    agents.say(mission, "three")
    info = agents.om.wait_status(mission, "crashed")
    assert (info["reason"], info["restart_count"]) == ("max_cost", 0)
    assert len(agents.events(mission, "cost_warning")) == 1
    assert "--- stopped: $0.15 of $0.12 spent ---" in agents.om.logs(mission)


def test_a_limit_on_turns_stops_a_session(agents):
    mission = agents.session("--max-turns", "2", *AGAIN)
    agents.say(mission, "one")
    agents.say(mission, "two")
    info = agents.om.wait_status(mission, "crashed")
    assert (info["reason"], info["restart_count"]) == ("max_turns", 0)


@pytest.mark.parametrize("amount", ["-1", "much", "1e3"])
def test_an_amount_that_is_none(agents, amount):
    assert agents.om("claude", "run", "--max-cost", amount, "hello").returncode == 2


# --- on a terminal ------------------------------------------------------------------------------------------------


@pytest.fixture
def person(agents):
    """A person who has set up the program, trusts the home and uses its key."""
    claude.settle(agents.om, agents.om.home)
    return agents


def at_terminal(person, *options):
    mission = person.session("--interactive", "--permission-mode", "manual", *options)
    person.doing(mission, "idle")
    return mission


def test_a_session_on_a_terminal_costs_what_its_program_says_when_it_ends(person):
    mission = at_terminal(person)
    answer = person.om.json("send", mission, "--wait", "--json", "hello")
    person.press(mission, b"typed by a person\r")
    info = person.until(mission, lambda info: info["tokens"]["input"] > 24_000 and info, what="the second turn counts")
    assert info["cost_usd"] == pytest.approx(2 * answer["cost_usd"], rel=0.1)
    assert answer["usage"]["input"] > 12_000
    (row,) = [one for one in person.om.json("cost", "--json") if one["key"] == mission]
    assert (row["cost_usd"], row["turns"]) == (info["cost_usd"], 2)
    with Attached(person.om, mission) as at:
        at.joined()
        at.type(b"/exit\r")
        at.end()
    person.om.wait_status(mission, "stopped")
    pattern = os.path.join(person.om.environment["HOME"], ".claude", "projects", "*", f"{info['session_id']}.jsonl")
    with open(glob.glob(pattern)[0]) as file:
        total = [one["totalCostUSD"] for one in map(json.loads, file) if one["type"] == "cost-state"][-1]
    assert person.om.info(mission)["cost_usd"] == pytest.approx(total)


def test_turns_of_a_person_in_a_handed_over_session_count_once(person):
    mission = person.session(prompt="one")
    person.answer(1)
    before = person.om.info(mission)["cost_usd"]
    with Attached(person.om, mission) as at:
        at.joined()
        person.doing(mission, "idle")
        at.type(b"typed\r")
        handed_over = person.until(mission, lambda info: info["cost_usd"] > before and info["cost_usd"])
        at.type(LEAVE)
        at.end()
    assert handed_over == pytest.approx(2 * before, rel=0.1)
    person.until(mission, lambda info: info["mode"] == "headless")
    person.say(mission, "three")
    assert person.om.info(mission)["cost_usd"] == pytest.approx(3 * before, rel=0.1)


def test_a_budget_holds_on_a_terminal_and_through_a_restart_until_a_person_raises_it(person):
    om = person.om
    mission = at_terminal(person, "--max-cost", "0.12", *AGAIN)
    for word in ("one", "two"):
        person.say(mission, word)
    assert len(person.events(mission, "cost_warning")) == 1
    person.press(mission, b"three\r")
    ended = om.wait_status(mission, "crashed")
    assert (ended["reason"], ended["restart_count"]) == ("max_cost", 0)
    assert person.heard(mission) == ["one", "two", "three"]
    said = om.refused("restart", mission, code="forbidden")
    assert "can't run again: $0.15 of $0.12 spent. Raise max_cost first: overmind edit" in said
    text = om.ok("edit", mission, "--print").replace("max_cost = 0.12", "max_cost = 0.5")
    assert om("edit", mission, "-", stdin=text).returncode == 0
    person.doing(mission, "idle")
    assert person.say(mission, "four") == "echo: four"


def test_a_budget_that_is_spent_when_its_daemon_starts_the_next_run_ends_the_mission(agents):
    """Also where nobody asks: a policy, a retry, a daemon that goes on where another died."""
    om = agents.om
    root = om.mission("sleep 100", "--max-cost", "0.06")
    one = agents.session("--parent", root, *AGAIN, "--backoff", "3s")
    two = agents.session("--parent", root)
    agents.say(one, "hello")
    agents.kill(one)
    om.wait_status(one, "restarting")
    om("send", two, "--wait", "hello")
    assert om.wait_status(one, "crashed")["reason"] == "max_cost"
    assert "can't run again" in om.refused("restart", one, code="forbidden")


def test_the_turns_of_a_session_are_not_bought_anew_by_a_restart(agents):
    mission = agents.session("--max-turns", "1")
    agents.say(mission, "one")
    agents.om.wait_status(mission, "crashed")
    said = agents.om.refused("restart", mission, code="forbidden")
    assert "1 of 1 turns used. Raise max_turns first" in said


def test_a_turn_that_died_with_its_program_is_paid_for(agents):
    mission = agents.session("--allowed-tools", "Bash", *AGAIN)
    agents.say(mission, "one")
    before = agents.om.info(mission)
    gate = agents.gate()
    agents.post(mission, gate.prompt)
    gate.runs()
    agents.kill(mission)
    after = agents.again(mission)
    assert after["cost_usd"] > before["cost_usd"] + 0.04
    assert after["tokens"]["input"] > before["tokens"]["input"] + 12_000
    gate.open()
