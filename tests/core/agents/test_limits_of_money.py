"""Limits of money and tokens that nobody could hold are refused by name, before anything starts."""

from __future__ import annotations

import pytest

from overmind_core.agents.validate import agent_of
from overmind_core.domain.agents.prices import Price, Prices
from overmind_core.domain.settings import OwnAgent
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.missions.requests import AgentArgs, Start

SETTINGS = Settings(prices=Prices({"known": Price(1.0, 2.0)}), own=(OwnAgent("acp:mine", "mine"),))
MONEY = "--max-cost is not possible with"
TOKENS = "--max-tokens is not possible with"
LATE = "it tells its tokens at the end of a turn, and a task is one turn."
REFUSED = [
    ("codex", "task", {"max_cost": 1.0}, (f'{MONEY} codex: it does not tell what it costs. Set [prices."MODEL"] in '
     "config.toml, run it with --model, or use --max-tokens.")),
    ("codex", "task", {"max_cost": 1.0, "model": "other"}, (f"{MONEY} codex: it does not tell what it costs. "
     'Set [prices."other"] in config.toml, or use --max-tokens.')),
    ("codex", "task", {"max_cost": 1.0, "model": "known"}, None), ("codex", "task", {"max_tokens": 9}, None),
    ("qwen", "session", {"max_cost": 1.0, "model": "known"}, None), ("qwen", "task", {"max_tokens": 9}, None),
    ("gemini", "session", {"max_tokens": 9}, None), ("copilot", "session", {"max_cost": 1.0, "model": "known"}, None),
    ("gemini", "task", {"max_tokens": 9}, f"{TOKENS} a task of gemini: {LATE}"),
    ("copilot", "task", {"max_cost": 1.0, "model": "known"}, f"{MONEY} a task of copilot: {LATE}"),
    ("opencode", "session", {"max_cost": 1.0}, None),
    ("opencode", "task", {"max_cost": 1.0}, f"{MONEY} a task of opencode: {LATE.replace('its tokens', 'its cost')}"),
    ("opencode", "session", {"max_tokens": 9},
     f"{TOKENS} opencode: it tells only those of the last call of each turn. Use --max-cost."),
    ("opencode", "screen", {"max_tokens": 9, "max_cost": 1.0}, None),
    ("acp:mine", "session", {"max_tokens": 9}, f"{TOKENS} acp:mine: nobody knows whether it tells its tokens."),
    ("acp:mine", "session", {"max_cost": 1.0, "model": "known"},
     f"{MONEY} acp:mine: it does not tell what it costs."),
    ("claude", "task", {"max_cost": 1.0, "max_tokens": 9}, None),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "kind", "given", "why"), REFUSED)
def test_a_limit_that_nobody_could_hold_says_what_to_do(provider, kind, given, why):
    limits = {name: value for name, value in given.items() if name != "model"}
    agent = AgentArgs(prompt="x", model=given.get("model"))
    how = {"interactive": True} if kind == "screen" else {"type": kind}
    request = Start(command="", cwd="/", provider=provider, agent=agent, **how, **limits)
    if why is None:
        assert agent_of(request, SETTINGS) is not None
        return
    with pytest.raises(OvermindError) as refused:
        agent_of(request, SETTINGS)
    assert refused.value.message == why
