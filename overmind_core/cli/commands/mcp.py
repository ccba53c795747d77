"""`overmind mcp`: the operations of an orchestrator as an MCP server on standard input and output."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.table import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def mcp(args: Namespace, context: Context) -> int:
    """Serve until standard input ends."""
    del args
    from overmind_core.cli.toolserver.serve import server  # start-up: half a second, and only here

    server(context.home).run("stdio")
    return 0


COMMAND = Command(
    name="mcp",
    summary="serve missions as tools to an agent, by MCP on standard input and output",
    examples=[
        "claude mcp add overmind -- overmind mcp",
        "overmind claude run --mcp-config overmind.json --allow mcp__overmind 'divide the work'",
    ],
    notes=(
        'overmind.json: {"mcpServers":{"overmind":{"command":"overmind","args":["mcp"]}}}\n'
        "Tools: run_agent run list info logs wait result send messages interrupt stop kill. They do what the commands\n"
        "of these names do, and started inside of a mission they may do no more than its processes. No tool answers\n"
        "questions or attaches to a terminal."
    ),
    run=mcp,
)
