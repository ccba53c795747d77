"""Agents in CI, where nobody can answer."""

from __future__ import annotations

import json
import os

import pytest

from tests.kit import claude

ASKING = [
    ("!bash touch made", "tool said: error: No one can approve this."),
    ("!question", "No one can answer."),
    ("!plan", "No one can approve a plan."),
]


@pytest.fixture
def agent(headless, tmp_path):
    """Run the stand-in headless with these words."""
    environment = claude.environment(claude.install(str(tmp_path)))

    def run(*words, **how):
        return headless("run", "--provider", "claude", *words, env=environment, **how)

    return run


@pytest.mark.parametrize(("prompt", "said"), ASKING)
def test_what_it_asks_is_denied_and_it_goes_on(agent, om, prompt, said):
    done = agent(prompt)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert not os.path.exists(os.path.join(om.home, "made"))


def test_what_a_rule_allows_is_done(agent, om):
    done = agent("--allow", "Bash(touch made)", "!bash touch made")
    assert (done.returncode, os.path.exists(os.path.join(om.home, "made"))) == (0, True)


def test_the_decision_is_an_event(agent, tmp_path):
    path = tmp_path / "events"
    agent("--events", str(path), "!bash touch made")
    (decided,) = [event for line in path.read_text().splitlines() if (event := json.loads(line))["type"] == "answered"]
    assert (decided["by"], decided["behaviour"]) == ("rule headless", "deny")


def test_a_session_is_refused(agent, headless):
    done = agent("--type", "session", "hello")
    assert (done.returncode, done.stderr[:15]) == (2, "Error: invalid:")
    assert headless.homes() == []
