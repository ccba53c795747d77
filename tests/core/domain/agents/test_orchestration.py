"""What an orchestrator does unasked, and what a person must allow."""

from __future__ import annotations

import pytest

from overmind_core.domain.agents.agent import Agent
from overmind_core.domain.agents.permission import permits

CWD = "/work/project"
AGENT = Agent(
    orchestrator=True, allow=("Bash(npm test)",), allowed_tools=("Edit",), permission_mode="acceptEdits",
    mcp_config=("/etc/mcp.json",),
)  # fmt: skip
UNASKED = [
    "overmind board --by spec",
    "overmind queue",
    "overmind queue --at +2h",
    "overmind quest list --ready",
    "overmind quest why login; overmind quest wait login --timeout 1m",
    "overmind spec check login",
    "overmind learn",
    "overmind report bug 'names may be empty'",
    "overmind worktrees",
    "overmind changes api --stat",
    "overmind claude run --isolate do it",
    "overmind ps",
    "overmind ps --json 2>&1",
    "overmind ps && overmind logs api --tail 20",
    "overmind info api; overmind result api",
    "overmind wait api --timeout 100s || overmind logs api",
    "overmind send api 'please rm -rf nothing; $HOME'",
    "overmind send api - <<'EOF'\nseveral `lines`\nof $text\nEOF",
    "overmind interrupt api",
    "overmind stop api --cascade",
    "overmind kill api",
    "overmind skill",
    "overmind --help",
    "overmind run --help",
    "overmind kill --help",
    "overmind claude run 'fix the tests'",
    "overmind claude run --json --name tests --type session",
    "overmind claude run --name=tests --max-cost 1 --max-turns=20 'fix'",
    "overmind claude run -- --allow",
    "overmind claude run 'fix' --allow Bash",
    "overmind claude run - <<'EOF'\nfix\nEOF",
    "overmind run --provider claude 'fix'",
    "overmind run --orchestrator --type session 'divide'",
    "overmind run --provider codex 'fix'",
    "overmind claude run --deny 'Bash(git push:*)' fix",
    "overmind claude run --cwd api fix",
    "overmind claude run --cwd . fix",
    "overmind claude run --cwd /work/project/api fix",
    "overmind claude run --permission-mode plan fix",
    "overmind claude run --permission-mode acceptEdits fix",
    "overmind claude run --allow 'Bash(npm test)' --allowed-tools Edit --mcp-config /etc/mcp.json fix",
]
ASKED = [
    "",
    "overmind queue pause",
    "overmind queue slots 9",
    "overmind quest",
    "overmind quest add x -- rm -rf /",
    "overmind quest run ls",
    "overmind quest retry login",
    "overmind quest cancel login",
    "overmind spec accept login",
    "overmind learn accept L-1",
    "overmind",
    "ls",
    "overmind merge api",
    "overmind discard api --force",
    "overmind ps; ls",
    "overmind ps | sh",
    "overmind ps > ~/.bashrc",
    "overmind ps $(id)",
    "X=1 overmind ps",
    "./overmind ps",
    "overmind run ls",
    "overmind run 'rm -rf /'",
    "overmind run --provider raw ls",
    "overmind run --type session bash",
    "overmind run --orchestrator --provider raw ls",
    "overmind --headless run ls",
    "overmind restart api",
    "overmind shutdown -y",
    "overmind answer 7 allow",
    "overmind attach api",
    "overmind update api --name x",
    "overmind rm api",
    "overmind service install",
    "overmind claude run --allow Bash fix",
    "overmind claude run --allow 'Bash(npm test)' --allow Bash fix",
    "overmind claude run --allow=Bash fix",
    "overmind claude run --allowed-tools Bash fix",
    "overmind claude run --permission-mode bypassPermissions fix",
    "overmind claude run --permission-mode=dontAsk fix",
    "overmind claude run --agent-arg --dangerously-skip-permissions fix",
    "overmind claude run --env OVERMIND_CLAUDE_BIN=/tmp/x fix",
    "overmind claude run -e X=1 fix",
    "overmind claude run --env-file x fix",
    "overmind claude run --mcp-config '{}' fix",
    "overmind claude run --cwd / fix",
    "overmind claude run --cwd .. fix",
    "overmind claude run --cwd api/../../other fix",
    "overmind claude run --cwd /work/project2 fix",
    "overmind claude run --interactive fix",
    "overmind claude run --name",
    "overmind claude run --nam --allow",
    "overmind claude run --json=1 fix",
    "overmind claude walk",
    "overmind run --unknown --provider claude fix",
    "overmind --version --help",
    "overmind run ls --help",
    "overmind run -- --help",
]


@pytest.mark.parametrize("command", UNASKED)
def test_looking_talking_and_starting_agents_needs_nobody(command):
    assert permits(command, AGENT, CWD)


@pytest.mark.parametrize("command", ASKED)
def test_whatever_could_do_more_than_the_agent_itself_is_asked(command):
    assert not permits(command, AGENT, CWD)
