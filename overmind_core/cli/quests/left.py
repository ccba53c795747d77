"""The words for quests that a person no longer waits for: how they stand, and how to wait for them again."""

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


def _left(context: Context, quests: Sequence[Quest]) -> str:
    overmind = "overmind" if context.hive is None else f"overmind -H {context.hive.name}"
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
    return f"{quest['name']} ({quest['id']})"


def _again(overmind: str, quests: Sequence[Quest]) -> str:
    them = "it" if len(quests) == 1 else "them"
    return f"Wait for {them} again with: {overmind} quest wait {' '.join(one['name'] for one in quests)}"
