"""The words for quests and missions that nobody waits for any longer: how they stand, and how to wait again."""

from __future__ import annotations

from typing import NamedTuple

from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from overmind_core.cli.context import Context

    Quest = Mapping[str, Any]
    Mission = Mapping[str, str]

MOST_NAMED = 20
"""Quests that are looked at and named; of more it is only said how many there are."""


class _Words(NamedTuple):
    one: str
    several: str


_GO_ON = {
    "running": _Words("goes on", "go on"),
    "queued": _Words("stays queued", "stay queued"),
    "review": _Words("stays in review", "stay in review"),
}
"""Status of a quest that has not ended → what it does while nobody waits for it."""


def note_left(context: Context, quests: Sequence[Quest]) -> None:
    """Say how quests stand that are waited for no longer; none of them has changed by that.

    Args:
        context: Of the command.
        quests: Each with its id and name.
    """
    context.note(f"\n{display_safe(_left(context, quests))}")


def note_left_missions(context: Context, missions: Sequence[Mission]) -> None:
    """Say that missions are waited for no longer, and go on; see `note_left`."""
    named = missions if len(missions) <= MOST_NAMED else ()
    them = "it" if len(missions) == 1 else "them"
    what = f"Mission {_named(missions[0])} is" if len(missions) == 1 else f"{len(missions)} missions are"
    text = f"{what} not waited for any longer, and what runs goes on."
    overmind = _overmind(context)
    again = f" Wait for {them} again with: {overmind} wait {' '.join(one['name'] for one in named)}" if named else ""
    context.note(f"\n{display_safe(f'{text}{again}')}")


def _overmind(context: Context) -> str:
    return "overmind" if context.hive is None else f"overmind -H {context.hive.name}"


def _left(context: Context, quests: Sequence[Quest]) -> str:
    overmind = _overmind(context)
    if len(quests) > MOST_NAMED:
        return f"{len(quests)} quests stay as they are. See them with: {overmind} quest list"
    try:
        client = context.client()
        rows = [client.call("quest", {"id": one["id"]}) for one in quests]
    except (OvermindError, ConnectionError):
        what = _named(quests[0]) if len(quests) == 1 else f"{len(quests)} quests"
        return f"The end of {what} is not waited for any longer. {_again(overmind, quests)}"
    left = [row for row in rows if row["status"] in _GO_ON]
    if not left:
        what = f"Quest {_named(rows[0])} has" if len(rows) == 1 else f"All {len(rows)} quests have"
        return f"{what} ended. See: {overmind} quest list"
    if len(rows) == 1:
        return f"Quest {_named(rows[0])} {_GO_ON[rows[0]['status']].one}. {_again(overmind, rows)}"
    return f"{_counted(left)}. {_again(overmind, left)}"


def _counted(quests: Sequence[Quest]) -> str:
    """How many go on, and how many stay: `2 quests go on, 1 stays queued`."""
    parts: list[str] = []
    for status, words in _GO_ON.items():
        number = sum(one["status"] == status for one in quests)
        if number:
            noun = "" if parts else " quest" if number == 1 else " quests"
            parts.append(f"{number}{noun} {words.one if number == 1 else words.several}")
    return ", ".join(parts)


def _named(quest: Quest) -> str:
    return quest["name"] if quest["name"] == quest["id"] else f"{quest['name']} ({quest['id']})"


def _again(overmind: str, quests: Sequence[Quest]) -> str:
    them = "it" if len(quests) == 1 else "them"
    return f"Wait for {them} again with: {overmind} quest wait {' '.join(one['name'] for one in quests)}"
