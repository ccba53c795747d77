"""Agents that run agents: in their shell, and with our MCP server."""

from __future__ import annotations

import json

import pytest

from tests.kit.overmind import PROGRAM

pytestmark = pytest.mark.linux

CONFIG = json.dumps({"mcpServers": {"overmind": {"command": PROGRAM[0], "args": [*PROGRAM[1:], "mcp"]}}})
PATIENCE = 60.0


@pytest.fixture
def om(om, world):
    """The command line of that person."""
    om.environment |= {**world.environment, "OVERMIND_CLAUDE_BIN": world.program}
    return om


def test_an_orchestrator_starts_an_agent_in_its_shell_and_reads_its_result(om, world):
    om.ok("run", "--orchestrator", "--type", "session", "--name", "boss", "--cwd", world.work)

    def told(command):
        return om.ok("send", "boss", "--wait", "--timeout", f"{PATIENCE}s", "--", f"!bash {command}")

    assert "Started mission " in told("overmind claude run --name worker 'sum it up'")
    assert "finished: stopped (exit code 0): succeeded" in told("overmind wait worker --timeout 50s")
    assert "echo: sum it up" in told("overmind result worker")
    assert om.info("worker")["parent"] == om.info("boss")["id"]
    assert om.json("inbox", "--json") == []


def test_the_instructions_reach_the_model(om, world, api, real):
    if not real:
        pytest.skip("only the real program asks the API")
    om.ok("run", "--orchestrator", "--name", "boss", "--wait", "--cwd", world.work, "hello")
    system = json.dumps([request.body.get("system") for request in api.requests])
    assert "# Running agents with Overmind" in system


@pytest.mark.proves("tools of servers")
def test_an_agent_without_a_shell_runs_programs_with_our_tools(om, world, real):
    if not real:
        pytest.skip("the stand-in speaks no MCP")
    om.ok("claude", "run", "--type", "session", "--name", "boss", "--cwd", world.work, "--mcp-config", CONFIG,
          "--disallowed-tools", "Bash", "--allow", "mcp__overmind")  # fmt: skip

    def told(tool, **arguments):
        prompt = f"!tool mcp__overmind__{tool} {json.dumps(arguments)}"
        return om.ok("send", "boss", "--wait", "--timeout", f"{PATIENCE}s", "--", prompt)

    assert '"name":"child"' in told("run", command="echo from a tool", name="child")
    assert "stopped" in told("wait", ids=["child"])
    assert "from a tool" in told("logs", id="child")
    assert "not_running" in told("stop", id="child")
    assert om.info("child")["parent"] == om.info("boss")["id"]
    other = om.mission("sleep 60")
    assert "forbidden" in told("kill", id=other)
    rules = {event["by"] for event in om.ndjson("events") if event["type"] == "answered"}
    assert rules == {"rule mcp__overmind"}
