"""Agents with one prompt, with the real program: how each ends, and what is kept of it."""

from __future__ import annotations

import json
import os

import pytest

from tests.kit import reported_cost as true_cost
from tests.kit.processes import with_word

pytestmark = [pytest.mark.claude, pytest.mark.linux]

TOOLS = ("--allowed-tools", "Bash")
ENDINGS = [
    # prompt, options, status, reason, text of the log
    pytest.param("hello", (), "stopped", None, "echo: hello", id="ok"),
    pytest.param("!bash echo by a tool", TOOLS, "stopped", None, "⚙ Bash: echo by a tool → ok", id="a tool"),
    pytest.param("!error 400", (), "crashed", "api_error 400", "stub error 400", id="refused by the API"),
    pytest.param("!error 529", (), "crashed", "api_error 529", "stub error 529", id="overloaded"),
    pytest.param("!bash true", (*TOOLS, "--max-turns", "1"), "crashed", "max_turns", "⚙ Bash: true", id="max turns"),
]


@pytest.mark.parametrize(("prompt", "options", "status", "reason", "shown"), ENDINGS)
def test_how_it_ends(agents, prompt, options, status, reason, shown):
    info = agents.task(prompt, *options, "--restart", "on-failure", "--max-restarts", "1", "--backoff", "1ms")
    restarted = reason == "api_error 529"  # another run with the same request would be refused as well
    assert (info["status"], info["reason"]) == (status, "restart_budget_spent" if restarted else reason)
    assert len(info["runs"]) == 1 + restarted
    assert agents.om("wait", info["id"]).returncode == (status == "crashed")
    assert shown in agents.om.logs(info["id"])
    if status == "stopped":
        true_cost.assert_known(agents.om, info["id"], true_cost.by_turns(agents.om, info["id"]))


def test_without_a_login_it_is_never_started_again(agents):
    del agents.om.environment["ANTHROPIC_API_KEY"]
    info = agents.task("hello", "--restart", "always", "--backoff", "1ms")
    assert (info["status"], info["reason"], len(info["runs"])) == ("crashed", "not_logged_in", 1)
    assert "Not logged in" in agents.om.logs(info["id"])


def test_without_the_program_nothing_is_started(agents):
    del agents.om.environment["OVERMIND_CLAUDE_BIN"]
    agents.om.ok("start")
    sentence = agents.om.refused("claude", "run", "hello", code="provider_missing", env={"PATH": "/nowhere"})
    assert "npm install -g @anthropic-ai/claude-code" in sentence
    assert agents.om.ps("--all") == []


@pytest.mark.proves("task")
def test_who_waits_reads_along_and_gets_the_programs_own_result(agents, api):
    finished = agents.om("claude", "run", "--wait", "--name", "one", "--cwd", agents.work, "-", stdin="two\n'lines' 🐝")
    assert finished.returncode == 0
    assert "[human] two\n'lines' 🐝\necho: two\n'lines' 🐝\n" in finished.stdout
    assert api.texts == ["two\n'lines' 🐝"]
    assert agents.om.json("result", "one")["result"] == "echo: two\n'lines' 🐝"
    raw = agents.om.ok("logs", "one", "--raw").splitlines()
    assert [json.loads(line)["type"] for line in raw].count("result") == 1


def test_a_question_of_a_task_is_answered_from_outside(agents):
    mission = agents.start("!bash touch made", "--permission-mode", "manual")
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["summary"], asked["rule"]) == ("permission", "Bash: touch made", "Bash(touch made)")
    agents.om.ok("answer", str(asked["question"]), "allow")
    assert agents.om.wait_status(mission, "stopped")["exit_code"] == 0
    assert os.path.exists(os.path.join(agents.work, "made"))


def test_a_killed_task_leaves_no_tool(agents):
    """They run in sessions of their own."""
    gate = agents.gate()
    mission = agents.start(gate.prompt, *TOOLS)
    gate.runs()
    agents.om.ok("kill", mission)
    assert with_word(gate.command) == []
