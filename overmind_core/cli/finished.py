"""The lines about ends of commands that wait: as `wait` and `quest wait` print them, and what helps behind them.

A command that has followed one thing to its end says it on stderr where that has not succeeded.
"""

from __future__ import annotations

from overmind_core.domain.missions import lost
from overmind_core.domain.missions.lost import KEEPER_LOST
from overmind_core.domain.missions.reasons import (
    achievement_of,
    aside_text,
    ended_words,
    last_reason,
    limit_of,
    quest_exit,
    why_beside,
)
from overmind_core.domain.missions.standing import TRIED_AGAIN
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from overmind_core.cli.context import Context

    Row = Mapping[str, Any]

SUCCEEDED = frozenset({None, "succeeded"})
"""Outcomes after which there is nothing to do; None: an older daemon says none, or the work goes on."""
MOST_NAMED = 3
"""Missions that one command names."""
LOST = "lost"
"""An outcome: how it was lost is said already."""
_SAID_BY_STATUS = frozenset({"succeeded", "stopped"})
"""Outcomes that `completed` and `cancelled` say."""


def mission_end_line(end: Row, *, noun: str = "Mission", name: str = "") -> str:
    """Return what a person reads of an end; `name`: said beside the id."""
    if end.get("reason") == KEEPER_LOST:
        how = lost.NOW
    else:
        how = "no exit code" if end["exit_code"] is None else f"exit code {end['exit_code']}"
    named = f" ({name})" if name else ""
    landed = f"{noun} {end['id']}{named} finished: {end['status']} ({how})"
    outcome = end.get("outcome")  # an older supervisor says none
    if outcome is None and end.get("quest_state"):
        text = end.get("quest_text") or ""
        return display_safe(f"{landed}: {text if TRIED_AGAIN in text else 'its quest goes on'}")
    if outcome is None or (outcome == end["status"] and not end.get("quest_text")):
        return display_safe(landed)
    if text := end.get("quest_text"):
        said = text if text.startswith(f"{outcome}: ") else f"{outcome}: {text}"
        return display_safe(f"{landed}: {said}")
    reason = None if outcome == LOST else end["reason"]
    return display_safe(f"{landed}: {ended_words(outcome, reason=reason, limit=limit_of(end))}")


def quest_end_line(end: Row, *, name: str = "") -> str:
    """Return what a person reads of an end; `name`: said beside the id."""
    why = why_beside(last_reason(end), limit_of(end)) or why_beside(end["reason"])
    outcome = end.get("outcome")  # an older daemon says none
    if outcome not in {None, end["status"], *_SAID_BY_STATUS}:
        why = f"{outcome}: {why}" if why else str(outcome)
    code = quest_exit(end)
    how = ", ".join(filter(None, (why, "" if code is None else f"exit code {code}")))
    achieved = achievement_of(end)
    said = (f" ({how})" if how else "") + (f": {achieved}" if achieved else "")
    said += aside_text(end.get("aside") or (), lead="; ")  # an older daemon says none
    return display_safe(f"Quest {end['id']}{f' ({name})' if name else ''} finished: {end['status']}{said}")


def note_end_of_mission(context: Context, mission: str, *, is_removed: bool = False) -> None:
    """Say how a mission has ended that was followed to its end; `is_removed`: it leaves no record."""
    found = _ended(context, mission)
    if found is not None:
        from overmind_core.providers.registry import log_in_first  # start-up: only for what has failed

        name, how = found["name"], log_in_first(found.get("provider") or "", found["reason"])
        first = f"{how[0].upper()}{how[1:]}. Then run" if how else "Run"
        again = f"See: overmind logs {name}. {first} it again with: overmind restart {name}"
        if found["reason"] in {"max_cost", "max_tokens", "max_turns"}:
            again = f"See: overmind logs {name}. Raise the limit before you run it again: overmind edit {name}"
        _note_end(context, found, "Mission", "" if is_removed else again)


def note_end_of_plan(context: Context, plan: str, again: str) -> None:
    """The same of a plan; `again`: the command that runs again what has failed, or was stopped."""
    found = _ended(context, plan)
    if found is not None:
        _note_end(context, found, "Plan", f"See: overmind why {found['name']}. {way_on(found['outcome'])}: {again}")


def way_on(outcome: str) -> str:
    """The words before the command that goes on with a plan that has not succeeded."""
    from overmind_core.domain.missions.outcome import CUT_OFF  # start-up: only for what has ended

    return "Go on with" if outcome in CUT_OFF else "Run what failed again with"


def _note_end(context: Context, row: Row, noun: str, helps: str) -> None:
    context.note(_there(context, _with_help(mission_end_line(row, noun=noun, name=row["name"]), helps)))


def quest_line(context: Context, end: Row) -> str:
    """Return how a quest has ended, and what helps where it has not succeeded."""
    line = quest_end_line(end, name=end["name"])
    return line if end.get("outcome") in SUCCEEDED else _there(context, _with_help(line, _quest_help([end["name"]])))


def hint_help(context: Context, ends: Sequence[Row], status: int, *, of_quests: bool = False) -> int:
    """Tell a person what shows why some have not succeeded whose ends a command has printed; return its `status`."""
    unwell = [one for one in ends if one.get("outcome") not in SUCCEEDED]
    if unwell:
        names = [str(one["name"]) for one in unwell]
        context.hint(_there(context, display_safe(_quest_help(names) if of_quests else _mission_help(unwell))))
    return status


def _mission_help(ends: Sequence[Row]) -> str:
    lost_names = [str(one["name"]) for one in ends if one["outcome"] == LOST]
    logs = f"See: overmind logs {' '.join(str(one['name']) for one in ends[:MOST_NAMED])}"
    if not lost_names:
        return logs
    if len(lost_names) == 1 and "/" in lost_names[0]:  # perhaps an agent, which its plan starts again
        return f"{logs}. See how it goes on: overmind why {lost_names[0]}"
    again = lost.mission_again(lost_names[0]) if len(lost_names) == 1 else lost.MEND
    return f"{logs}. Start again what was lost with: {again}"


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
