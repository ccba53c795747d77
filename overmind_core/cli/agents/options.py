"""The options of `run` that say which agent to run and how, and what they are on the socket."""

from __future__ import annotations

import os

from overmind_core.cli.command import flag, grouped, option
from overmind_core.cli.context import text_of
from overmind_core.cli.values import dollars, permission_rule, tokens, whole_number
from overmind_core.client.skill import system_prompt
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any


RAW = "raw"
"""The provider of missions that are no agents: any program."""
ORCHESTRATOR = "claude"
"""The provider of an orchestrator, unless another one is named."""
PROVIDER = option(
    "--provider", "NAME", "raw (any program; the default), claude or another agent; for an agent CMD is the prompt"
)

_AGENT = [
    option("--model", "MODEL", "the agent's model, by its program's name for it"),
    option("--allowed-tools", "TOOLS", "tools it may use unasked, in its program's syntax", repeat=True),
    option("--disallowed-tools", "TOOLS", "tools it may not use", repeat=True),
    option("--permission-mode", "MODE", "permission mode of its program, such as plan or acceptEdits"),
    option(
        "--allow",
        "RULE",
        "answer matching questions with yes, as in 'Bash(git status)' (repeatable)",
        parse=permission_rule,
        repeat=True,
    ),
    option(
        "--deny",
        "RULE",
        "answer matching questions with no; wins over --allow (repeatable)",
        parse=permission_rule,
        repeat=True,
    ),
    option("--max-turns", "N", "stop it after this many model turns; 0 = no limit (default 0)", parse=whole_number),
    option("--system-prompt", "TEXT", "replace its program's system prompt", dashes=True),
    option("--append-system-prompt", "TEXT", "append to its program's system prompt", dashes=True),
    option("--mcp-config", "FILE", "MCP servers for it: a file or JSON (repeatable)", repeat=True),
    flag("--orchestrator", "let it run agents: it gets instructions, and may run overmind commands unasked"),
    option("--agent-arg", "WORD", "pass this word to its program unchanged (repeatable)", repeat=True, dashes=True),
]
AGENT = grouped("Agents only", _AGENT)
"""Mean something for agents only."""
_LIMITS = [
    option(
        "--max-children",
        "N",
        "limit of live children, for it and each mission below it (default 10)",
        parse=whole_number,
    ),
    option("--max-depth", "N", "limit of generations below it (default 3)", parse=whole_number),
    option("--max-cost", "USD", "end all agents of its tree once they cost this much together", parse=dollars),
    option("--max-tokens", "N", "the same in tokens, such as 500k or 2M; for programs that tell them", parse=tokens),
    flag("--stall-waiting", "count waiting for a person as inactivity"),
]
_MEMORY = [
    flag("--memory", "give it notes that fit, also if it is a command; $OVERMIND_NOTES names the file"),
    flag("--no-memory", "give it no notes"),
]
MEMORY = grouped("Notes", _MEMORY)
"""Which notes a mission is given at its beginning."""
LIMITS = grouped("Limits of the mission and its children", _LIMITS)
"""Mean something for every mission."""

_TREE = ("max_children", "max_depth", "max_cost", "max_tokens")
_SAME = (
    "model", "allowed_tools", "disallowed_tools", "permission_mode", "allow", "deny", "max_turns",
    "system_prompt", "append_system_prompt",
)  # fmt: skip
"""Names that are the same on the socket."""


def given_agent(args: Namespace) -> dict[str, Any]:
    """Return what was given of `PROVIDER`, `AGENT` and `LIMITS`, by its names on the socket.

    Raises:
        UsageError: an option for agents, and no agent.
        OvermindError: `empty_command`, a task without a prompt.
    """
    limits = given_limits(args)
    if not is_agent(args):
        refuse_agent_options(args)
        return limits
    return limits | {"provider": provider_of(args), "agent": agent_options(args) | _prompt(args)}


def given_limits(args: Namespace) -> dict[str, Any]:
    """Return what was given of `LIMITS`, by its names on the socket."""
    limits = {name: value for name in _TREE if (value := getattr(args, name)) is not None}
    return limits | ({"stall_waiting": True} if args.stall_waiting else {})


def given_memory(args: Namespace) -> dict[str, str]:
    """Return what was given of `MEMORY`, by its name on the socket.

    Raises:
        UsageError: they exclude each other.
    """
    if args.memory and args.no_memory:
        raise UsageError("Give --memory or --no-memory, not both.")
    return {"notes": "auto" if args.memory else "off"} if args.memory or args.no_memory else {}


def is_agent(args: Namespace) -> bool:
    """Whether the mission is an agent."""
    return provider_of(args) not in {None, RAW}


def provider_of(args: Namespace) -> str | None:
    """Return the provider that was named; an orchestrator is Claude where none was."""
    return args.provider or (ORCHESTRATOR if args.orchestrator else None)


def refuse_agent_options(args: Namespace) -> None:
    """Refuse what means something for agents only.

    Raises:
        UsageError: some of that was given.
    """
    for one in AGENT:
        if getattr(args, one.attribute):
            raise UsageError(
                f"{one.names[0]} is only for agents, and this is a raw mission. Name an agent, such as: --provider "
                "claude"
            )


def agent_options(args: Namespace) -> dict[str, Any]:
    """Return what was given of `AGENT`, by its names on the socket."""
    given = {name: value for name in _SAME if (value := getattr(args, name)) not in (None, [])}
    if args.mcp_config:
        given["mcp_config"] = [_reachable(one) for one in args.mcp_config]
    if args.agent_arg:
        given["arguments"] = args.agent_arg
    if args.orchestrator:
        given |= {"orchestrator": True, "append_system_prompt": system_prompt(args.append_system_prompt)}
    return given


def _prompt(args: Namespace) -> dict[str, str]:
    """Return the first prompt; a session and a program for a person can do without."""
    text = text_of(args.rest)
    if text.strip():
        return {"prompt": text}
    if args.type == "session" or args.interactive:
        return {}
    raise OvermindError("empty_command", "Missing prompt. Give one, such as: overmind claude run 'fix the tests'")


def _reachable(config: str) -> str:
    """Return JSON as it is, and a path so that the agent finds it wherever it runs."""
    if config.lstrip().startswith("{"):
        return config
    return to_wire(os.path.abspath(from_wire(config)))
