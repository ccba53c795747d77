"""What an orchestrator may do unasked: look at missions, talk to and end its own, and start agents. Pure.

It must not get by a child what it would not get itself. So it starts agents only, as plain programs do what they like
without asking anybody; and it hands on no more rules than it has, in no folder outside of its own.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from overmind_core.domain import plainwords
from overmind_core.domain.agent import RAW

if TYPE_CHECKING:
    from overmind_core.domain.agent import Agent

NAME = "orchestrator"
"""What stands in the place of a rule when it answered."""
PROGRAM = "overmind"
LOOKS = frozenset(
    [
        *("ps", "info", "logs", "wait", "result", "messages", "top", "status", "events", "subscribe", "cost", "screen"),
        *("worktrees", "changes", "ports"),
    ]
)
ACTS = frozenset(["send", "interrupt", "stop", "kill"])
"""The daemon lets it do so to its own descendants only."""
TELLS = frozenset(["skill", "version", "help"])
HELP = (("--help",), ("run", "--help"), ("claude", "run", "--help"))
CAUTIOUS_MODES = frozenset(["default", "manual", "plan"])
"""Permission modes in which an agent asks before it acts."""

FLAGS = frozenset(["--wait", "--json", "--stall-waiting", "--clean-env", "--orchestrator", "--isolate"])
_Judge = Callable[[str, "Agent", str], bool]


def _anything(value: str, agent: Agent, cwd: str) -> bool:
    del value, agent, cwd
    return True


def _below(value: str, agent: Agent, cwd: str) -> bool:
    del agent
    there = posixpath.normpath(posixpath.join(cwd, value))
    return there == cwd or there.startswith(cwd.rstrip("/") + "/")


def _mode(value: str, agent: Agent, cwd: str) -> bool:
    del cwd
    return value in CAUTIOUS_MODES or value == agent.permission_mode


VALUES: Mapping[str, _Judge] = {
    **dict.fromkeys(
        ["--name", "--label", "--type", "--parent", "--provider", "--model", "--system-prompt",
         "--append-system-prompt", "--deny", "--disallowed-tools", "--max-turns", "--max-cost", "--max-children",
         "--max-depth", "--restart", "--max-restarts", "--max-seconds", "--backoff", "--activity-timeout", "--grace",
         "--timeout"],
        _anything,
    ),
    "--cwd": _below,
    "--permission-mode": _mode,
    "--allow": lambda value, agent, _: value in agent.allow,
    "--allowed-tools": lambda value, agent, _: value in agent.allowed_tools,
    "--mcp-config": lambda value, agent, _: value in agent.mcp_config,
}  # fmt: skip
"""Options of `run` with a value → whether it may be that one."""


def permits(command: str, agent: Agent, cwd: str) -> bool:
    """Whether a shell command does nothing but what an orchestrator may do unasked.

    Args:
        command: As the agent's shell would get it.
        agent: The orchestrator.
        cwd: Where it works.
    """
    plain = plainwords.read(command)
    return plain is not None and bool(plain.commands) and all(_one(words, agent, cwd) for words in plain.commands)


def _one(words: Sequence[str], agent: Agent, cwd: str) -> bool:
    if words[0] != PROGRAM or len(words) == 1:
        return False
    if words[1] in LOOKS | ACTS | TELLS:
        return True
    if words[1:] in HELP:
        return True
    if words[1:3] == ("claude", "run"):
        return _starts_agent(words[3:], agent, cwd, provider="claude")
    return words[1] == "run" and _starts_agent(words[2:], agent, cwd, provider=RAW)


def _starts_agent(words: Sequence[str], agent: Agent, cwd: str, *, provider: str) -> bool:
    """Whether these are options and a prompt that start an agent which can do no more than this one."""
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] not in {"-", "--"}:
        name, equals, value = words[at].partition("=")
        at += 1
        if name in FLAGS and not equals:
            provider = "claude" if name == "--orchestrator" and provider == RAW else provider
            continue
        judge = VALUES.get(name)
        if judge is None or (not equals and at == len(words)):
            return False
        if not equals:
            value = words[at]
            at += 1
        if not judge(value, agent, cwd):
            return False
        provider = value if name == "--provider" else provider
    return provider != RAW
