"""What the real programs cost at a person's prices, against the count of the stub; and limits of tokens and dollars."""

from __future__ import annotations

import os
import signal

import pytest

from tests.engines.agents.test_conformance import RESTARTED
from tests.kit.killing import kill_supervisor
from tests.kit.model_api import CACHED, OUTPUT
from tests.kit.overmind import FINAL

pytestmark = [pytest.mark.linux, pytest.mark.own_home]

INPUT_PRICE, OUTPUT_PRICE, CACHED_PRICE = 1000.0, 9000.0, 250.0
"""Dear enough that cents show."""
PRICES = f"""[prices."stub*"]
input = {INPUT_PRICE}
output = {OUTPUT_PRICE}
cached_input = {CACHED_PRICE}
[prices."gemini-2.5*"]
input = {INPUT_PRICE}
output = {OUTPUT_PRICE}
"""
NO_CACHE = {"gemini"}
"""Programs that tell nothing of the cache in this way: all that was read is told as read anew."""
OURS = ("first", "second", "third", "last", "!bash ")
"""Beginnings of our prompts."""
NAMED = {"copilot": ("--model", "stub")}
"""Programs that tell nothing of their model: its price is that of the one that a person names."""
TELL_TOKENS = ["codex", "copilot", "gemini", "qwen"]
CALL_BY_CALL = ["codex", "qwen"]


def set_prices(agents, text=PRICES):
    with open(os.path.join(agents.om.home, "config.toml"), "w", encoding="utf-8") as file:
        file.write(text)


def counted(agents):
    """US dollars of what the stub was asked for our prompts, by its own count: qwen hides what it asks for itself."""
    dollars = 0.0
    for one in agents.api.requests:
        if one.asked.tools and one.asked.texts[-1].startswith(OURS):
            cached = 0 if agents.provider in NO_CACHE else CACHED
            dollars += (one.tokens - cached) * INPUT_PRICE + cached * CACHED_PRICE + OUTPUT * OUTPUT_PRICE
    return dollars / 1_000_000


@pytest.mark.parametrize("provider", TELL_TOKENS)
def test_without_a_price_nobody_knows_what_it_cost_and_with_one_it_is_estimated(agents):
    mission = agents.session(prompt="first")
    agents.answer(1)
    info = agents.om.info(mission)
    assert (info["cost_usd"], info["cost_source"], info["cost_partial"]) == (None, None, False)
    assert "$0.00" not in agents.om.ok("ps", "--wide") + agents.om.ok("cost")
    assert agents.om.ok("cost").splitlines()[1].split()[-4] == "-"
    before = len(agents.api.requests)
    set_prices(agents)
    agents.om.ok("start", "--replace")
    other = agents.session(*NAMED.get(agents.provider, ()), prompt="second")
    agents.answer(2, timeout=60)
    agents.say(other, "third")
    del agents.api.requests[:before]
    info = agents.om.info(other)
    assert info["cost_source"] == "estimated", info["model"]
    assert info["cost_usd"] == pytest.approx(counted(agents), rel=0.01)
    shown = f"~${info['cost_usd']:.2f}"
    sums = agents.om.json("cost", "--json")
    assert [(one["cost_usd"], one["cost_source"]) for one in sums] == [(None, None), (info["cost_usd"], "estimated")]
    for words in (("ps", "--wide"), ("top", "--once"), ("cost",)):
        assert shown in agents.om.ok(*words), words
    assert f"{shown} + ?" in agents.om.ok("cost").splitlines()[-1]
    assert "at your prices" in agents.om.logs(other)


@pytest.mark.parametrize("provider", TELL_TOKENS)
def test_an_estimate_counts_each_call_once_over_a_kill_of_both_and_the_resume(agents):
    set_prices(agents)
    model = NAMED.get(agents.provider, ())
    mission = agents.session(*RESTARTED, *model, "--permission-mode", "all", prompt="first")
    agents.answer(1)
    assert "tool said:" in agents.say(mission, "!bash echo by a tool")
    pid = agents.om.pid(mission)
    kill_supervisor(agents.om)
    os.killpg(pid, signal.SIGKILL)
    agents.om.ok("start")
    agents.say(mission, "last")
    info = agents.om.info(mission)
    assert (info["cost_source"], info["cost_partial"]) == ("estimated", False)
    assert info["cost_usd"] == pytest.approx(counted(agents), rel=0.01)
    assert agents.om.json("cost", "--json")[0]["cost_usd"] == pytest.approx(info["cost_usd"])


@pytest.mark.parametrize("provider", CALL_BY_CALL)
def test_what_a_turn_had_used_that_was_killed_counts_as_far_as_it_was_told(agents):
    set_prices(agents)
    mission = agents.session(*RESTARTED, "--permission-mode", "all", prompt="first")
    agents.answer(1)
    gate = gate_of(agents)
    pid = agents.om.pid(mission)
    message = agents.post(mission, gate.prompt)
    gate.runs()
    killed = [one for one in agents.api.requests if one.asked.tools][-1]
    kill_supervisor(agents.om)
    os.killpg(pid, signal.SIGKILL)
    gate.open()
    agents.om.ok("start")
    assert agents.answer(message, timeout=60)["state"] == "answered"
    if agents.provider == "codex":  # which tells of a call once its tools are over
        agents.api.requests.remove(killed)
    info = agents.om.info(mission)
    assert (info["cost_source"], info["cost_partial"]) == ("estimated", True)
    assert info["cost_usd"] == pytest.approx(counted(agents), rel=0.01)
    assert f"~${info['cost_usd']:.2f} + ?" in agents.om.ok("ps", "--wide")


def gate_of(agents):
    """A command that lasts until the gate is opened."""
    os.makedirs(agents.folder, exist_ok=True)
    return agents.gate()


@pytest.mark.parametrize("provider", TELL_TOKENS)
def test_a_limit_of_tokens_ends_a_session_with_the_turn_that_reaches_it(agents):
    mission = agents.session("--max-tokens", "1k", prompt="first")
    info = agents.om.wait_status(mission, *FINAL, timeout=60)
    assert (info["status"], info["reason"]) == ("crashed", "max_tokens")
    assert info["tree_tokens"] > info["max_tokens"] == 1000
    assert "of 1,000 tokens used" in agents.om.logs(mission)
    assert "Raise max_tokens first" in agents.om.refused("restart", mission, code="forbidden")


@pytest.mark.parametrize("provider", CALL_BY_CALL)
@pytest.mark.parametrize("option", [("--max-tokens", "1k"), ("--max-cost", "0.01", "--model", "stub")], ids=str)
def test_a_limit_ends_a_task_within_its_turn(agents, option):
    set_prices(agents)
    gate = gate_of(agents)
    mission = agents.start(gate.prompt, "--permission-mode", "all", *option)
    info = agents.om.wait_status(mission, *FINAL, timeout=60)
    assert info["reason"] == option[0][2:].replace("-", "_")


def test_what_nobody_could_hold_is_refused_before_anything_starts(agents):
    provider = agents.provider
    said = agents.om("run", "--provider", provider, "--max-cost", "1", "--cwd", agents.work, "x")
    tokens = agents.om("run", "--type", "session", "--provider", provider, "--max-tokens", "9M", "--cwd", agents.work)
    if provider == "opencode":
        assert "--max-cost is not possible with a task of opencode" in said.stderr
        assert "--max-tokens is not possible with opencode" in tokens.stderr
        return
    assert said.returncode == 1
    assert f"--max-cost is not possible with {provider}: it does not tell what it costs. Set [prices." in said.stderr
    assert "--max-tokens" in said.stderr
    assert tokens.returncode == 0
