"""Quests and rituals whose work is an agent's."""

from __future__ import annotations

import pytest

from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home


def test_an_agent_is_sent_at_it_again_until_the_check_is_content(agents):
    om = agents.om
    check = "echo x >> tries; test $(wc -l < tries) -ge 2"
    words = ("--provider", "claude", "--name", "fix", "--check", check, "--retries", "3", "fix it")
    om.ok("quest", "run", *words, cwd=om.home)
    assert om.ok("quest", "wait", "fix").endswith("finished: completed (exit code 0): checked\n")
    found = om.json("quest", "info", "fix", "--json")
    assert (found["attempts"], found["provider"], found["command"]) == (2, "claude", "fix it")
    assert om.ok("quest", "logs", "fix").count("echo: fix it") == 2


def test_an_agents_run_comes_by_a_schedule(agents):
    om = agents.om
    om.ok("ritual", "create", "triage", "@every 1s", "--provider", "claude", "look around")
    eventually(lambda: "succeeded" in om.ok("ritual", "history", "triage"), what="a run has ended")
    om.ok("ritual", "delete", "triage")
    assert "echo: look around" in om.ok("quest", "logs", "triage/1")
