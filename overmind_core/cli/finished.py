"""The last line of a command that has waited for one thing: how that ended, in the words of `wait`, and what helps.

It is on stderr, and only there where what was waited for has not succeeded: its output is seen already.
"""

from __future__ import annotations

from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from overmind_core.cli.context import Context
    from overmind_core.cli.missions.watch import EndWaiter

    Row = Mapping[str, Any]

SUCCEEDED = frozenset({None, "succeeded"})
"""Outcomes after which there is nothing to do; None: an older daemon says none, or the work goes on."""
MOST_NAMED = 3
"""Missions or quests that one command names."""


def note_end_of_mission(context: Context, mission: str, *, is_removed: bool = False) -> None:
    """Say how a mission has ended that was followed to its end; `is_removed`: it leaves no record."""
    found = _ended(context, mission)
    if found is not None:
        name = found["name"]
        again = f"See: overmind logs {name}. Run it again with: overmind restart {name}"
        _note_end(context, found, "Mission", "" if is_removed else again)


def note_end_of_plan(context: Context, plan: str, again: str) -> None:
    """The same of a plan; `again`: the command that runs again what has failed."""
    found = _ended(context, plan)
    if found is not None:
        helps = f"See: overmind why {found['name']}. Run what failed again with: {again}"
        _note_end(context, found, "Plan", helps)


def _note_end(context: Context, row: Row, noun: str, helps: str) -> None:
    from overmind_core.cli.missions.watch import end_line  # start-up: only for what has failed

    context.note(_there(context, _with_help(end_line(row, noun=noun, name=row["name"]), helps)))


def quest_line(context: Context, end: Row) -> str:
    """Return how a quest has ended, and what helps where it has not succeeded."""
    from overmind_core.cli.quests.commands import end_line  # they know this module

    line = end_line(end, name=end["name"])
    return line if end.get("outcome") in SUCCEEDED else _there(context, _with_help(line, _quest_help([end["name"]])))


def hint_help(context: Context, ends: EndWaiter, status: int) -> int:
    """Tell a person what shows why some have not succeeded whose ends a command has printed; return its `status`."""
    names = [str(one["name"]) for one in ends.ends if one.get("outcome") not in SUCCEEDED]
    if names:
        logs = f"See: overmind logs {' '.join(names[:MOST_NAMED])}"
        context.hint(_there(context, display_safe(_quest_help(names) if ends.of_quests else logs)))
    return status


def _quest_help(names: Sequence[str]) -> str:
    return f"See: overmind quest why {names[0]}" if len(names) == 1 else "See: overmind quest list"


def _ended(context: Context, mission: str) -> Row | None:
    """The mission as it has ended; None: it has succeeded, runs again, or is gone, so that there is nothing to say."""
    try:
        found: Row = context.client().call("info", {"id": mission})
    except (OvermindError, ConnectionError):
        return None
    return None if found.get("outcome") in SUCCEEDED else found


def _with_help(line: str, helps: str) -> str:
    return f"{line}. {display_safe(helps)}" if helps else line


def _there(context: Context, text: str) -> str:
    """The text, with its commands as they are for another hive."""
    if context.hive is None:
        return text
    from overmind_core.cli.hives.only_here import commands_there  # start-up: only then

    return commands_there(text, context.hive.name)
