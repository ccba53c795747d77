"""Commands for agents that run agents: their instructions, and an MCP server on standard input and output."""

from __future__ import annotations

from overmind_core.cli.command import JSON, Command, option
from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.client.skill import SKILL_DESCRIPTION, SKILL_NAME, instructions, skill_file

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace


FORMATS = ("text", "claude")


def skill(args: Namespace, context: Context) -> int:
    """Print the instructions."""
    if args.json:
        context.print(
            dumps(
                {
                    "name": SKILL_NAME,
                    "description": SKILL_DESCRIPTION,
                    "text": instructions(),
                }
            )
        )
    else:
        text = skill_file() if args.format == "claude" else instructions()
        context.print(text.rstrip("\n"))
    return 0


SKILL = Command(
    name="skill",
    options=[
        option(
            "--format", "FORMAT", "text (default), or claude (a SKILL.md with name and description)", choices=FORMATS
        ),
        JSON,
    ],
    examples=[
        "overmind skill",
        'claude --append-system-prompt "$(overmind skill)"',
        "mkdir -p .claude/skills/overmind && overmind skill --format claude > .claude/skills/overmind/SKILL.md",
    ],
    notes=(
        "The instructions cover dividing work, starting agents, waiting, checking, recording and continuing, with "
        "exact commands.\n"
        "overmind run --orchestrator starts an agent with these instructions."
    ),
    run=skill,
)


def mcp(args: Namespace, context: Context) -> int:
    """Serve until standard input ends."""
    del args
    from overmind_core.cli.agents.mcp_server import mcp_server  # start-up: half a second, and only here

    mcp_server(context.home).run("stdio")
    return 0


MCP = Command(
    name="mcp",
    examples=[
        "claude mcp add overmind -- overmind mcp",
        "overmind claude run --mcp-config overmind.json --allow mcp__overmind 'divide the work'",
    ],
    notes=(
        'overmind.json: {"mcpServers":{"overmind":{"command":"overmind","args":["mcp"]}}}\n'
        "Tools: run_agent run list info logs wait result send messages interrupt stop kill. Each does the same as "
        "the command of its name. Inside a mission, the tools have the same rights as its processes. No tool "
        "answers questions or attaches to a terminal."
    ),
    run=mcp,
)

COMMANDS = (SKILL, MCP)
