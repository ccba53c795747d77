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
_FIELDS = ("name", "ritual", "provider", "command", "check", "retries")


def row_of(quest: Quest) -> dict[str, Any]:
    """Return what the functions here read of a row, of a quest."""
    return {name: getattr(quest, name) for name in _FIELDS}


def command_again(row: Mapping[str, Any]) -> str:
    """Return the command that begins again the quest of a row.

    Its terms are left out where they are long or of several lines, and a name that nobody can give. An agent has
    `TASK` in the place of its task, of which only the first line is known.
    """
    if row["ritual"]:
        return f"overmind ritual run {quote(row['ritual'])}"
    command = quote(row["command"]) if row["provider"] == RAW else "TASK"
    words = [
        _BARE,
        *((f"--name {quote(row['name'])}",) if name_problem(row["name"]) is None else ()),
        *((f"--provider {quote(row['provider'])}",) if row["provider"] != RAW else ()),
        *((f"--check {quote(row['check'])}",) if row["check"] is not None else ()),
        *((f"--retries {row['retries']}",) if row["retries"] else ()),
        *(("--",) if row["command"].startswith("-") and command != "TASK" else ()),
        command,
    ]
    whole = " ".join(words)
    return whole if len(whole) <= _LONGEST and "\n" not in whole else _BARE


def begun_again(row: Mapping[str, Any]) -> str:
    """Return how the quest of a row is begun again, behind its name."""
    if row["ritual"]:
        return f"is a run of ritual {row['ritual']}. Run that again with: {command_again(row)}"
    return f"began at once. Begin it again with: {command_again(row)}"
