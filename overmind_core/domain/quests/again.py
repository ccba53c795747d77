"""The command that begins again a quest that has no place in the queue: one that began at once. Pure."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Any

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.missions.names import name_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.domain.quests.quest import Quest

_LONGEST = 240
"""Characters of a command that is said; of a longer one, only how it begins."""
_BARE = "overmind quest run"
_WORKTREES = "/.overmind/worktrees/"
"""Between a checkout and what stands for a mission in it."""
_FIELDS = ("id", "name", "ritual", "cwd", "provider", "command", "check", "retries")


def row_of(quest: Quest, *, timeout: float = 0.0) -> dict[str, Any]:
    """Return what the functions here read of a row, of a quest; `timeout`: seconds of its mission, 0 if unknown."""
    return {**{name: getattr(quest, name) for name in _FIELDS}, "timeout": timeout}


def command_again(row: Mapping[str, Any]) -> str:
    """Return the command that begins again the quest of a row, with the options that are known of it.

    Its terms are left out where they are long or of several lines, and a name that nobody can give. An agent has
    `TASK` in the place of its task, of which only the first line is known.
    """
    if row["ritual"]:
        return f"overmind ritual run {quote(row['ritual'])}"
    command = quote(row["command"]) if row["provider"] == RAW else "TASK"
    words = [
        _BARE,
        *((f"--name {quote(row['name'])}",) if name_problem(row["name"]) is None else ()),
        *_place(row),
        *((f"--provider {quote(row['provider'])}",) if row["provider"] != RAW else ()),
        *((f"--check {quote(row['check'])}",) if row["check"] is not None else ()),
        *((f"--retries {row['retries']}",) if row["retries"] else ()),
        *((f"--timeout {row['timeout']:.12g}s",) if row.get("timeout") else ()),
        *(("--",) if row["command"].startswith("-") and command != "TASK" else ()),
        command,
    ]
    whole = " ".join(words)
    return whole if len(whole) <= _LONGEST and "\n" not in whole else _BARE


def _place(row: Mapping[str, Any]) -> list[str]:
    """Return the options by which it works where it did: in this folder, or in a worktree of its own of that."""
    top, worktree, inside = row["cwd"].partition(f"{_WORKTREES}{row['id']}")
    return [*(("--isolate",) if worktree else ()), f"--cwd {quote(f'{top}{inside}' or '/')}"]


def sentence_again(row: Mapping[str, Any]) -> str:
    """Return the sentence about how the quest of a row is begun again."""
    added = "" if row["ritual"] else ", adding any other options,"
    return f"Begin it again{added} with: {command_again(row)}"


def begun_again(row: Mapping[str, Any]) -> str:
    """Return how the quest of a row is begun again, behind its name."""
    if row["ritual"]:
        return f"is a run of ritual {row['ritual']}. Run that again with: {command_again(row)}"
    return f"began at once. {sentence_again(row)}"
