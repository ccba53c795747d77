"""Which of a person's own arguments for `claude` would undo one of ours.

A name stands for all its spellings; `--name=value` counts as `--name`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from overmind_core.domain.agent import Agent

ALWAYS: Mapping[str, str] = {
    "-p": "how it runs is chosen by --type and --interactive",
    "--print": "how it runs is chosen by --type and --interactive",
    "--input-format": "overmind reads and writes its lines",
    "--output-format": "overmind reads and writes its lines",
    "--verbose": "overmind reads and writes its lines",
    "--replay-user-messages": "overmind reads and writes its lines",
    "--permission-prompt-tool": "its questions reach `overmind inbox`",
    "--permission-prompts": "its questions reach `overmind inbox`",
    "--session-id": "overmind chooses the conversation",
    "-r": "overmind chooses the conversation",
    "--resume": "overmind chooses the conversation",
    "-c": "overmind chooses the conversation",
    "--continue": "overmind chooses the conversation",
    "--fork-session": "overmind chooses the conversation",
    "--from-pr": "overmind chooses the conversation",
    "--no-session-persistence": "the conversation is resumed after a crash",
    "--bg": "overmind itself runs it in the background",
    "--background": "overmind itself runs it in the background",
    "--cloud": "overmind runs it on this machine",
    "--teleport": "overmind runs it on this machine",
    "--desktop": "overmind runs it on this machine",
    "--tmux": "overmind has its terminal",
    "-h": "it would run nothing",
    "--help": "it would run nothing",
    "-v": "it would run nothing",
    "--version": "it would run nothing",
    "--": "what follows would be a prompt; give the prompt as the command",
}
"""Ours in every run, and why."""

WHEN_GIVEN: Mapping[str, tuple[str, Callable[[Agent], object]]] = {
    "--model": ("--model", lambda agent: agent.model),
    "--permission-mode": ("--permission-mode", lambda agent: agent.permission_mode),
    "--max-turns": ("--max-turns", lambda agent: agent.max_turns),
    "--max-budget-usd": ("--max-cost", lambda agent: agent.max_cost),
    "--allowedTools": ("--allowed-tools", lambda agent: agent.allowed_tools),
    "--allowed-tools": ("--allowed-tools", lambda agent: agent.allowed_tools),
    "--disallowedTools": ("--disallowed-tools", lambda agent: agent.disallowed_tools),
    "--disallowed-tools": ("--disallowed-tools", lambda agent: agent.disallowed_tools),
    "--system-prompt": ("--system-prompt", lambda agent: agent.system_prompt),
    "--system-prompt-file": ("--system-prompt", lambda agent: agent.system_prompt),
    "--append-system-prompt": ("--append-system-prompt", lambda agent: agent.append_system_prompt),
    "--append-system-prompt-file": ("--append-system-prompt", lambda agent: agent.append_system_prompt),
    "--mcp-config": ("--mcp-config", lambda agent: agent.mcp_config),
}
"""Ours only when the option of `overmind run` beside it was given."""

_SWITCHES = frozenset("pchv")
"""One-letter options without a value, which can be written together: `-pc`."""


def refusal(agent: Agent) -> str | None:
    """Name every argument of the person's that collides, and why; None when there is none."""
    found = [reason for argument in agent.arguments for name in _names(argument) if (reason := _reason(name, agent))]
    return "; ".join(dict.fromkeys(found)) or None


def _reason(name: str, agent: Agent) -> str | None:
    if name in ALWAYS:
        return f"--agent-arg {name} is not possible: {ALWAYS[name]}"
    option, given = WHEN_GIVEN.get(name, ("", None))
    return f"--agent-arg {name} collides with {option}: give one of them" if given and given(agent) else None


def _names(argument: str) -> list[str]:
    """The options that one argument sets."""
    if argument.startswith("--") or len(argument) < len("-x"):
        return [argument.partition("=")[0]]
    if not argument.startswith("-"):
        return []
    letters = argument[1:]
    switches = next((at for at, letter in enumerate(letters) if letter not in _SWITCHES), len(letters))
    return [f"-{letter}" for letter in letters[: switches + 1]]
