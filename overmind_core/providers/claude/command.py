"""The command line of `claude` for each way to run it.

The order matters: options that take several values come first, so that none of them swallows what follows; the
person's own arguments come behind ours, and a first prompt behind `--`, which protects whatever it begins with.
"""

from __future__ import annotations

from collections.abc import Iterator

from overmind_core.domain.agent import Agent, Mode
from overmind_core.providers.base import Launch, Start
from overmind_core.providers.claude import settings, speech

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


def launch(start: Start, program: str) -> Launch:
    """How to start it."""
    files: dict[str, str] = {}
    argv = [start.agent.program or program]
    argv += _several(start.agent)
    argv += _single(start, files)
    if start.mode is Mode.INTERACTIVE:
        argv += settings.arguments(start)
    else:
        argv += (*LINES, *start.agent.arguments)
    if start.first_prompt is not None and start.mode is Mode.INTERACTIVE:
        argv += ("--", start.first_prompt)
    return Launch(argv=tuple(argv), stdin=_stdin(start), files=files)


def _several(agent: Agent) -> Iterator[str]:
    for option, values in (
        ("--mcp-config", agent.mcp_config),
        ("--allowedTools", agent.allowed_tools),
        ("--disallowedTools", agent.disallowed_tools),
    ):
        for value in values:
            yield from (option, value)


def _single(start: Start, files: dict[str, str]) -> Iterator[str]:
    agent = start.agent
    yield from ("--resume" if start.resume else "--session-id", start.session)
    if agent.model:
        yield from ("--model", agent.model)
    if mode := _permission_mode(start):
        yield from ("--permission-mode", mode)
    yield from _system_prompt("--system-prompt", agent.system_prompt, files)
    yield from _system_prompt("--append-system-prompt", agent.append_system_prompt, files)
    if start.mode is not Mode.INTERACTIVE:
        yield from _limits(agent)


def _limits(agent: Agent) -> Iterator[str]:
    """Both are options of `-p` alone; the second counts from the start of the process."""
    if agent.max_turns:
        yield from ("--max-turns", str(agent.max_turns))
    if agent.max_cost:
        yield from ("--max-budget-usd", f"{agent.max_cost:.6f}")


def _permission_mode(start: Start) -> str | None:
    """What the person asked for.

    Unasked, a terminal keeps the program's own default, as if the person had typed `claude`. Only where a headless
    session is handed over to a terminal it must not begin to allow by itself what it has asked until then: `-p` asks,
    the program on a terminal decides ("auto").
    """
    handed_over = start.mode is Mode.INTERACTIVE and start.agent.home is Mode.HEADLESS
    return start.agent.permission_mode or ("manual" if handed_over else None)


def _system_prompt(option: str, text: str | None, files: dict[str, str]) -> Iterator[str]:
    if text is None:
        return
    if len(text.encode("utf-8", "surrogateescape")) <= LONGEST_ARGUMENT:
        yield from (option, text)
        return
    name = option.removeprefix("--")
    files[name] = text
    yield from (f"{option}-file", f"{{file:{name}}}")


def _stdin(start: Start) -> bytes | None:
    """A one-shot's prompt; a headless session gets its messages one at a time from the queue."""
    if start.mode is Mode.INTERACTIVE:
        return None
    return speech.prompt(start.agent.prompt or "") if start.mode is Mode.ONE_SHOT else b""
