"""What a tool may do: allowed, denied, or to be asked. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

HARMLESS = frozenset({"cat", "echo", "false", "grep", "head", "ls", "pwd", "tail", "true", "wc"})
FILE_COMMANDS = frozenset({"cp", "mkdir", "mv", "rm", "rmdir", "touch"})
FILE_TOOLS = frozenset({"Edit", "Write"})
READING_TOOLS = frozenset({"Read"})
QUESTIONS = frozenset({"AskUserQuestion", "ExitPlanMode"})
"""Only a person can answer them."""

Suggestion = dict[str, Any]


class Permissions:
    """The rules of one process.

    Args:
        mode: default, acceptEdits, dontAsk, bypassPermissions or plan.
        allow: Rules such as `Bash`, `Bash(git status)`, `Bash(rm:*)`.
        deny: The same; they win.
        folders: Where it reads unasked; paths in them are of the first one. None: everywhere.
    """

    def __init__(
        self, mode: str, allow: Iterable[str], deny: Iterable[str], folders: Sequence[str] | None = None
    ) -> None:
        self.mode = mode
        self._folders = folders
        self._allow = list(allow)
        self._deny = list(deny)

    def verdict(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """Return allow, deny or ask."""
        if any(matches(rule, tool, arguments) for rule in self._deny):
            return "deny"
        if tool in QUESTIONS:
            return "ask"
        if self.mode == "bypassPermissions" or self._allowed(tool, arguments):
            return "allow"
        return "deny" if self.mode == "dontAsk" else "ask"

    def allow(self, rule: str) -> None:
        """Add a rule."""
        self._allow.append(rule)

    def _allowed(self, tool: str, arguments: Mapping[str, Any]) -> bool:
        if any(matches(rule, tool, arguments) for rule in self._allow):
            return True
        if tool in READING_TOOLS:
            return self._reads(str(arguments.get("file_path", "")))
        program = str(arguments.get("command", "")).split(" ", 1)[0]
        if self.mode == "acceptEdits" and (tool in FILE_TOOLS or program in FILE_COMMANDS):
            return True
        if tool != "Bash" or program not in HARMLESS or set("<>;|&`$\n") & set(arguments["command"]):
            return False
        return all(self._reads(word) for word in arguments["command"].split() if word.startswith("/"))

    def _reads(self, path: str) -> bool:
        if self._folders is None:
            return True
        there = os.path.normpath(os.path.join(self._folders[0], path))
        return any(there == folder or there.startswith(folder + "/") for folder in self._folders)


def matches(rule: str, tool: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a rule is about this call: the tool alone, the same command, or a beginning of it."""
    name, _, content = rule.partition("(")
    content = content.removesuffix(")")
    if name != tool or not content:
        return name == tool
    subject = str(arguments.get("command") or arguments.get("file_path") or arguments.get("url") or "")
    for star in (":*", " *"):
        if content.endswith(star):
            start = content.removesuffix(star)
            return subject == start or subject.startswith(start + " ")
    return subject == content


def suggestions(tool: str, arguments: Mapping[str, Any], cwd: str) -> list[Suggestion]:
    """Return what the program offers beside a plain yes."""
    if tool in QUESTIONS:
        return []
    offered: list[Suggestion] = []
    if tool == "Bash":
        rule = {"toolName": "Bash", "ruleContent": arguments["command"]}
        offered += [
            {"type": "addRules", "rules": [rule], "behavior": "allow", "destination": "localSettings"},
            {"type": "addDirectories", "directories": [cwd], "destination": "session"},
        ]
    return [*offered, {"type": "setMode", "mode": "acceptEdits", "destination": "session"}]


def blocked_path(tool: str, arguments: Mapping[str, Any], cwd: str) -> str:
    """Return the file that the call is about; "" = it is about none."""
    if tool in FILE_TOOLS:
        return os.path.join(cwd, arguments["file_path"])
    words = str(arguments.get("command", "")).split()
    return os.path.join(cwd, words[-1]) if words and words[0] in FILE_COMMANDS else ""


def refusal(tool: str, arguments: Mapping[str, Any], cwd: str) -> str:
    """What the model is told where nobody can be asked."""
    path = blocked_path(tool, arguments, cwd)
    if tool == "Bash" and path:
        return (
            f"{arguments['command'].split()[0]} in '{path}' needs approval. The path is inside the working directories "
            f"for this session ('{cwd}'), and Claude Code asks before a shell command creates, changes or removes "
            "files there."
        )
    return f"Claude requested permissions to use {tool}, but you haven't granted it yet."
