"""Missions of several hives in one list: how those of another hive are known here, and the requests about them. Pure.

A mission of the hive `eu1` has the id `eu1/<id>` and the name `eu1/<name>`, as on the command line; one of this home
keeps its own. So no two are alike, and nobody who shows, marks or compares missions need know of hives.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, NamedTuple

from overmind_core.domain.engine_questions import QUESTS
from overmind_core.domain.hives import LOCAL, SWARM
from overmind_core.errors import OvermindError

__all__ = (
    "HIVE", "HIVES", "LOCAL", "SILENT_SINCE", "Addressed", "addressed", "bare_id", "bare_name", "hive_of",
    "is_of_swarm", "key_of", "keyed", "parted", "question_key",
)  # fmt: skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from overmind_core.view.cells import Row

HIVE = "hive"
"""In a row the name of its hive, where there are several."""
HIVES = "hives"
"""In a row that is about several hives, or one that has several names, all these names."""
SILENT_SINCE = "silent_since"
"""In a row of a hive that doesn't answer: when it did last, in seconds since the epoch."""
_OF_ROWS = ("id", "mission", "parent", "name")
"""Fields of missions, questions and events that name one thing of their hive."""
_OF_REQUESTS = ("id", "mission", "question", "parent")
"""Arguments of requests that do."""
_SEVERAL = "ids"
"""The argument that names several."""


def key_of(hive: str, name: object) -> str:
    """The key of a thing of another hive, which that one knows by this id, name or number."""
    return f"{hive}/{name}"


def parted(key: str, hives: Container[str]) -> tuple[str, str]:
    """The hive of a key, "" for this home, and the id, name or number there."""
    hive, slash, name = key.partition("/")
    return (hive, name) if slash and hive in hives else ("", key)


def keyed(row: Row, hive: str) -> Row:
    """A mission, question or event of another hive, as it is known here."""
    keys: Row = {field: key_of(hive, row[field]) for field in _OF_ROWS if row.get(field) is not None}
    if row.get(QUESTS):
        keys[QUESTS] = [key_of(hive, one) for one in row[QUESTS]]
    return {**row, **keys, HIVE: hive}


def hive_of(row: Mapping[str, Any]) -> str:
    """The hive of a row; "" for this home."""
    found = str(row.get(HIVE) or "")
    return "" if found == LOCAL else found


def bare_name(row: Row) -> str:
    """The name of a mission in its own hive."""
    hive, name = hive_of(row), str(row["name"])
    return name.removeprefix(key_of(hive, "")) if hive else name


def bare_id(row: Row) -> str:
    """The id of a mission in its own hive."""
    hive, found = hive_of(row), str(row.get("id") or "")
    return found.removeprefix(key_of(hive, "")) if hive else found


def is_of_swarm(question: Mapping[str, Any]) -> bool:
    """Whether a question is answered through the swarm."""
    return question.get(HIVE) == SWARM


def question_key(question: Row) -> int | str:
    """The number of a question; with its hive before it where that is another one."""
    hive, number = hive_of(question), int(question["question"])
    return key_of(hive, number) if hive else number


class Addressed(NamedTuple):
    """A request as its hive knows what it names; `hive` is "" for this home."""

    hive: str
    arguments: Mapping[str, Any]


def addressed(arguments: Mapping[str, Any], hives: Container[str]) -> Addressed:
    """The hive that a request is for, by the keys that it names.

    Raises:
        OvermindError: `invalid`, it names things of two hives.
    """
    found: dict[str, Any] = {}
    meant: set[str] = set()
    for field in _OF_REQUESTS:
        if isinstance(key := arguments.get(field), str):
            hive, name = parted(key, hives)
            found[field] = int(name) if hive and field == "question" else name
            meant.add(hive)
    if isinstance(keys := arguments.get(_SEVERAL), list | tuple):
        parts = [parted(key, hives) for key in keys]
        found[_SEVERAL] = [name for _, name in parts]
        meant.update(hive for hive, _ in parts)
    if len(meant) > 1:
        raise OvermindError("invalid", "These are missions of several hives. Choose those of one.")
    return Addressed(next(iter(meant), ""), {**arguments, **found})
