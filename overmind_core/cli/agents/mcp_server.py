"""The MCP server: which tools there are, under which names, and how a failure reaches the agent."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, TextContent, ToolAnnotations

from overmind_core.cli.agents.mcp_arguments import StrictTool
from overmind_core.cli.agents.mcp_calls import Calls
from overmind_core.cli.agents.mcp_memory_tools import MemoryTools
from overmind_core.cli.agents.mcp_start_tools import StartTools
from overmind_core.cli.agents.mcp_tools import ActionTools, ReadTools
from overmind_core.domain.operation import Danger
from overmind_core.domain.operations import OPERATIONS
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_core.version import VERSION

INSTRUCTIONS = """\
Runs other agents and programs as supervised missions. Start an agent for each piece of work (run_agent), wait for it
to end (wait; call it again after a timeout), read its answer (result) and its log (logs), and check the work before
you continue. A session takes messages (send) until you stop it. Missions that you start are your children: you can
look at every mission, but you can send to and end only your own descendants. Children, depth and cost are limited; a
refusal names the limit. A person answers the agents' permission questions: do other work meanwhile.
Notes of earlier work are found with recall, written with remember, and judged with outcome.
"""
OPERATION_OF = {"list": "ps", "run_agent": "run"}
"""Tool → what it asks for, where that has another name."""
HINTS = {
    Danger.NONE: ToolAnnotations(read_only_hint=True, open_world_hint=False),
    Danger.CHANGES: ToolAnnotations(read_only_hint=False, destructive_hint=False),
    Danger.ENDS_WORK: ToolAnnotations(
        read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
    ),
}
Handler = Callable[..., Awaitable[Any]]


def mcp_server(home: Home) -> MCPServer:
    """Return the server of a home's missions."""
    calls = Calls(home)
    looking, starting, acting = ReadTools(calls), StartTools(calls), ActionTools(calls)
    remembering = MemoryTools(calls)
    tools: dict[str, Handler] = {
        "run_agent": starting.run_agent,
        "run": starting.run,
        "list": looking.list_missions,
        "info": looking.info,
        "logs": looking.logs,
        "wait": looking.wait,
        "result": looking.result,
        "send": acting.send,
        "messages": looking.messages,
        "interrupt": acting.interrupt,
        "stop": acting.stop,
        "kill": acting.kill,
        "report": acting.report,
        "remember": remembering.remember,
        "recall": remembering.recall,
        "search": remembering.search,
        "outcome": remembering.outcome,
    }
    made = [_tool(name, handler) for name, handler in tools.items()]
    return MCPServer("overmind", instructions=INSTRUCTIONS, version=VERSION, log_level="WARNING", tools=made)


def _tool(name: str, handler: Handler) -> Tool:
    made = StrictTool.from_function(_with_error_results(handler), name=name, annotations=_hints(name))
    assert isinstance(made, StrictTool)
    return made.strictly()


def _hints(tool: str) -> ToolAnnotations:
    return HINTS[OPERATIONS[OPERATION_OF.get(tool, tool)].danger]


def _with_error_results(handler: Handler) -> Handler:
    """Let what the daemon refused reach the agent in its own words."""

    @functools.wraps(handler)
    async def call(*args: object, **named: object) -> Any:  # noqa: ANN401  (each tool's own)
        try:
            return await handler(*args, **named)
        except OvermindError as error:
            refusal = TextContent(type="text", text=f"Error: {error.code}: {error.message}")
            return CallToolResult(content=[refusal], is_error=True)

    return call
