"""The command line of the stand-in: the flags that the real program has, as far as anything depends on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

VALUES = {
    "--agent": "ignored", "--append-system-prompt": "ignored", "--append-system-prompt-file": "ignored",
    "--effort": "ignored", "--fallback-model": "ignored", "--input-format": "input_format",
    "--json-schema": "ignored", "--max-budget-usd": "max_cost", "--max-turns": "max_turns", "--model": "model",
    "--name": "ignored", "--output-format": "output_format", "--permission-mode": "mode",
    "--permission-prompt-tool": "prompt_tool", "--resume": "resume", "-r": "resume",
    "--resume-session-at": "resume_at", "--session-id": "session_id", "--setting-sources": "ignored",
    "--settings": "settings", "--system-prompt": "ignored", "--system-prompt-file": "ignored",
}  # fmt: skip
LISTS = {
    "--add-dir": "folders", "--allowedTools": "allowed", "--allowed-tools": "allowed", "--betas": "ignored_list",
    "--disallowedTools": "denied", "--disallowed-tools": "denied", "--mcp-config": "ignored_list",
    "--plugin-dir": "ignored_list", "--tools": "ignored_list",
}  # fmt: skip
SWITCHES = {
    "-p": "print", "--print": "print", "--verbose": "verbose", "--replay-user-messages": "replay",
    "--include-partial-messages": "partial", "--include-hook-events": "hook_events", "--continue": "continue_newest",
    "-c": "continue_newest", "--fork-session": "fork", "--dangerously-skip-permissions": "skip_permissions",
    "--version": "version", "-v": "version", "--strict-mcp-config": "ignored_switch", "--bare": "ignored_switch",
    "--no-session-persistence": "ignored_switch", "--ax-screen-reader": "ignored_switch",
    "--allow-dangerously-skip-permissions": "ignored_switch", "--debug": "ignored_switch",
}  # fmt: skip


class Refused(Exception):
    """The program says this on stderr and exits with 1."""


class Options(NamedTuple):
    """What the command line asks for; names as in the tables above."""

    print: bool = False
    verbose: bool = False
    replay: bool = False
    partial: bool = False
    hook_events: bool = False
    continue_newest: bool = False
    fork: bool = False
    skip_permissions: bool = False
    version: bool = False
    input_format: str = "text"
    output_format: str = "text"
    session_id: str = ""
    resume: str = ""
    resume_at: str = ""
    model: str = ""
    mode: str = ""
    settings: str = ""
    prompt_tool: str = ""
    max_turns: int = 0
    max_cost: float = 0.0
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    prompt: str = ""


def parse(argv: Sequence[str]) -> Options:
    """Read the arguments after the program's name.

    Raises:
        Refused: an unknown flag, or one without its value.
    """
    found: dict[str, Any] = {}
    words = list(argv)
    while words:
        _take(words, found)
    found["max_turns"] = int(found.get("max_turns", 0))
    found["max_cost"] = float(found.get("max_cost", 0))
    return Options(**{name: value for name, value in found.items() if name in Options._fields})


def _take(words: list[str], found: dict[str, Any]) -> None:
    word = words.pop(0)
    flag, equals, value = word.partition("=")
    if word == "--":
        found["prompt"] = " ".join(words)
        words.clear()
    elif flag in SWITCHES:
        found[SWITCHES[flag]] = True
    elif flag in VALUES:
        found[VALUES[flag]] = value if equals else _value(flag, words)
    elif flag in LISTS:
        found[LISTS[flag]] = (*found.get(LISTS[flag], ()), *_items([value] if equals else _upto_flag(words)))
    elif word.startswith("-") and word != "-":
        raise Refused(f"error: unknown option '{word}'")
    else:
        found["prompt"] = word


def _value(flag: str, words: list[str]) -> str:
    if not words:
        raise Refused(f"error: option '{flag} <value>' argument missing")
    return words.pop(0)


def _upto_flag(words: list[str]) -> list[str]:
    """Take what follows; such flags are variadic and swallow a prompt that stands behind them."""
    taken = []
    while words and not words[0].startswith("-"):
        taken.append(words.pop(0))
    return taken


def _items(values: Sequence[str]) -> list[str]:
    """Split at commas and blanks outside of parentheses: `Bash(git *),Edit`."""
    items, depth, current = [], 0, ""
    for character in ",".join(values) + ",":
        depth += (character == "(") - (character == ")")
        if character in {",", " "} and depth == 0:
            items += [current] if current else []
            current = ""
        else:
            current += character
    return items
