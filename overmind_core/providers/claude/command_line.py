"""The command line of `claude` for each way to run it, with the arguments of a person that would undo ours.

The order matters: options that take several values come first, so that none of them swallows what follows; the
person's own arguments come behind ours, and a first prompt behind `--`, which protects whatever it begins with. A name
stands for all its spellings; `--name=value` counts as `--name`.

On a terminal `claude` gets our hooks as settings. Hooks of all sources run side by side, so a person's settings files
keep theirs. `--settings` is one value, though: what a person passes by `--agent-arg --settings` is merged with ours
here.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from overmind_core.domain.agents.agent import Agent, AgentMode
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.domain.text.paragraphs import behind
from overmind_core.providers.base import Launch, LaunchRequest
from overmind_core.providers.claude import messages
from overmind_core.providers.lines import Object, list_at, object_at, read_object

ALWAYS: Mapping[str, str] = {
    "-p": "--type and --interactive choose how it runs",
    "--print": "--type and --interactive choose how it runs",
    "--input-format": "Overmind reads and writes its lines",
    "--output-format": "Overmind reads and writes its lines",
    "--verbose": "Overmind reads and writes its lines",
    "--replay-user-messages": "Overmind reads and writes its lines",
    "--permission-prompt-tool": "its questions go to `overmind inbox`",
    "--permission-prompts": "its questions go to `overmind inbox`",
    "--session-id": "Overmind chooses the conversation",
    "-r": "Overmind chooses the conversation",
    "--resume": "Overmind chooses the conversation",
    "-c": "Overmind chooses the conversation",
    "--continue": "Overmind chooses the conversation",
    "--fork-session": "Overmind chooses the conversation",
    "--resume-session-at": "Overmind chooses the conversation",
    "--from-pr": "Overmind chooses the conversation",
    "--no-session-persistence": "Overmind resumes the conversation after a crash",
    "--bg": "Overmind already runs it in the background",
    "--background": "Overmind already runs it in the background",
    "--cloud": "Overmind runs it on this machine",
    "--teleport": "Overmind runs it on this machine",
    "--desktop": "Overmind runs it on this machine",
    "--tmux": "Overmind holds its terminal",
    "-h": "it would run nothing",
    "--help": "it would run nothing",
    "-v": "it would run nothing",
    "--version": "it would run nothing",
    "--": "text after it would be a prompt; give the prompt as the command",
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

_ADDITION = "--append-system-prompt"
_ADDITIONS = frozenset({_ADDITION, f"{_ADDITION}-file"})
_SWITCHES = frozenset("pchv")
"""One-letter options without a value, which can be written together: `-pc`."""


def refusal(agent: Agent) -> str | None:
    """Name every argument of the person's that collides, and why; None when there is none."""
    found = [reason for argument in agent.arguments for name in _names(argument) if (reason := _reason(name, agent))]
    return "; ".join(dict.fromkeys(found)) or None


def notes_refusal(agent: Agent) -> str | None:
    """Why the agent can't be given notes: the program takes one addition to its system prompt, and it has one."""
    theirs = [name for argument in agent.arguments for name in _names(argument) if name in _ADDITIONS]
    return f"--agent-arg {theirs[0]} takes their place" if theirs else None


def _reason(name: str, agent: Agent) -> str | None:
    if name in ALWAYS:
        return f"--agent-arg {name} is not possible: {ALWAYS[name]}"
    option, given = WHEN_GIVEN.get(name, ("", None))
    return f"--agent-arg {name} conflicts with {option}: give only one of them" if given and given(agent) else None


def _names(argument: str) -> list[str]:
    """The options that one argument sets."""
    if argument.startswith("--") or len(argument) < len("-x"):
        return [argument.partition("=")[0]]
    if not argument.startswith("-"):
        return []
    letters = argument[1:]
    switches = next((at for at, letter in enumerate(letters) if letter not in _SWITCHES), len(letters))
    return [f"-{letter}" for letter in letters[: switches + 1]]


OPTION = "--settings"

EVENTS = (
    "SessionStart",
    "UserPromptSubmit",
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "PermissionRequest",
    "Notification",
    "Stop",
    "StopFailure",
    "SessionEnd",
)
"""The events that call our hook."""

ASKING = "PermissionRequest"
ASK_SECONDS = 7 * 24 * 3600
"""Seconds that our hook may take over a question before the program stops waiting for it; a person may be away."""
BRIEFLY = 10
"""Seconds that our hook may take over any other event."""


def settings_arguments(start: LaunchRequest) -> tuple[str, ...]:
    """`--settings` with our hooks and the person's settings in one, then the person's other arguments."""
    theirs, others = _split(start.agent.arguments)
    if not start.hook:
        return start.agent.arguments
    merged: Object = {"hooks": {event: [_entry(event, start.hook)] for event in EVENTS}}
    for value in theirs:
        merged = merge_settings(_settings(value, start.texts), merged)
    return (OPTION, json.dumps(merged, separators=(",", ":")), *others)


def settings_files(given: Sequence[str]) -> tuple[str, ...]:
    """The settings files among a person's arguments, as they are named there."""
    return tuple(value for value in _split(given)[0] if isinstance(read_object(value.encode("utf-8", "replace")), str))


def merge_settings(first: Object, second: Object) -> Object:
    """Both settings in one: objects key by key, lists one behind the other, else `second` wins."""
    merged: dict[str, Any] = dict(first)
    for key, value in second.items():
        if isinstance(value, dict):
            merged[key] = merge_settings(object_at(first, key), value)
        elif isinstance(value, list):
            merged[key] = [*list_at(first, key), *value]
        else:
            merged[key] = value
    return merged


def _entry(event: str, hook: Sequence[str]) -> Object:
    patience = ASK_SECONDS if event == ASKING else BRIEFLY
    return {"hooks": [{"type": "command", "command": shlex.join(hook), "timeout": patience}]}


def _settings(value: str, texts: Mapping[str, str]) -> Object:
    """A value of `--settings`: JSON itself, or a file whose text was read; nothing when that is no settings."""
    found = read_object(texts.get(value, value).encode("utf-8", "replace"))
    return found if not isinstance(found, str) else {}


def _split(given: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The values of `--settings`, and the other arguments."""
    values: list[str] = []
    return values, tuple(_others(iter(given), values))


def _others(given: Iterator[str], values: list[str]) -> Iterator[str]:
    for argument in given:
        if argument == OPTION:
            values.extend(value for value in [next(given, None)] if value is not None)
        elif argument.startswith(f"{OPTION}="):
            values.append(argument.removeprefix(f"{OPTION}="))
        else:
            yield argument


LONGEST_ARGUMENT = 100_000
"""Bytes of a system prompt; Linux takes 128 KiB for one argument. A longer one goes by file."""

LINES = (
    "-p",
    "--input-format",
    "stream-json",
    "--output-format",
    "stream-json",
    "--verbose",
    "--replay-user-messages",
    "--permission-prompt-tool",
    "stdio",
)
"""Lines of JSON both ways, also for one prompt: with the prompt alone on standard input, or with standard input at its
end, the program denies what it would ask ("Tool permission request failed: Stream closed"). So the input stays open,
and whoever reads the result closes it."""


OWN_TREE = {"CLAUDE_CODE_DISABLE_AGENT_VIEW": "1"}
"""Keeps the session in its mission: else `←` in an empty prompt moves it to Claude's own daemon, under another id."""


def launch(start: LaunchRequest, program: str) -> Launch:
    """How to start it."""
    files: dict[str, str] = {}
    argv = [start.agent.program or program]
    argv += _several(start.agent)
    argv += _single(start, files)
    if start.mode is AgentMode.INTERACTIVE:
        argv += settings_arguments(start)
    else:
        argv += (*LINES, *start.agent.arguments)
    if start.first_prompt is not None and start.mode is AgentMode.INTERACTIVE:
        argv += ("--", start.first_prompt)
    return Launch(argv=tuple(argv), stdin=_stdin(start), environment=OWN_TREE, files=files)


def _several(agent: Agent) -> Iterator[str]:
    for option, values in (
        ("--mcp-config", agent.mcp_config),
        ("--add-dir", agent.folders or ()),
        ("--allowedTools", agent.allowed_tools),
        ("--disallowedTools", agent.disallowed_tools),
    ):
        for value in values:
            yield from (option, value)


def _single(start: LaunchRequest, files: dict[str, str]) -> Iterator[str]:
    agent = start.agent
    if start.fork is not None:
        yield from ("--resume", start.fork.session, "--fork-session")
        yield from ("--resume-session-at", start.fork.mark) if start.fork.mark else ()
    yield from ("--resume" if start.resume else "--session-id", start.session)
    if agent.model:
        yield from ("--model", agent.model)
    if mode := _permission_mode(start):
        yield from ("--permission-mode", mode)
    yield from _system_prompt("--system-prompt", agent.system_prompt, files)
    if start.notes is None:
        yield from _system_prompt(_ADDITION, agent.append_system_prompt, files)
    else:
        yield from _by_file(_ADDITION, behind(agent.append_system_prompt, to_wire(start.notes)), files)
    if start.mode is not AgentMode.INTERACTIVE:
        yield from _limits(agent)


def _limits(agent: Agent) -> Iterator[str]:
    """Both are options of `-p` alone; the second counts from the start of the process."""
    if agent.max_turns:
        yield from ("--max-turns", str(agent.max_turns))
    if agent.max_cost:
        yield from ("--max-budget-usd", f"{agent.max_cost:.6f}")


def _permission_mode(start: LaunchRequest) -> str | None:
    """What the person asked for.

    Unasked, a terminal keeps the program's own default, as if the person had typed `claude`. Only where a headless
    session is handed over to a terminal it must not begin to allow by itself what it has asked until then: `-p` asks,
    the program on a terminal decides ("auto").
    """
    handed_over = start.mode is AgentMode.INTERACTIVE and start.agent.home is AgentMode.HEADLESS
    return start.agent.permission_mode or ("manual" if handed_over else None)


def _system_prompt(option: str, text: str | None, files: dict[str, str]) -> Iterator[str]:
    if text is None:
        return
    if len(text.encode("utf-8", "surrogateescape")) <= LONGEST_ARGUMENT:
        yield from (option, text)
        return
    yield from _by_file(option, text, files)


def _by_file(option: str, text: str, files: dict[str, str]) -> Iterator[str]:
    name = option.removeprefix("--")
    files[name] = text
    yield from (f"{option}-file", f"{{file:{name}}}")


def _stdin(start: LaunchRequest) -> bytes | None:
    """A one-shot's prompt; a headless session gets its messages one at a time from the queue."""
    if start.mode is AgentMode.INTERACTIVE:
        return None
    return messages.prompt(start.agent.prompt or "") if start.mode is AgentMode.ONE_SHOT else b""
