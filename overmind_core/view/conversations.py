"""Rows of the conversations that agents' programs keep. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import By, Column, since
from overmind_core.view.tables import Orders

LONGEST_TITLE = 2000
"""Characters: the first words of a conversation may be megabytes."""
_SHORT, _LONG = 8, 20
"""Characters of an id that are shown: as many as tell it from the others, for those of opencode begin alike."""


def _least(key: str) -> By:
    return By(lambda row, _now: str(row.get(key) or "").casefold(), rises=True)


def conversations(answer: Sequence[Row]) -> list[Row]:
    """Conversations, as `adopt --json` lists them; of copies of one the newest."""
    found: dict[str, Row] = {}
    for row in answer:
        id_ = f"{row['provider']}/{row['session']}"
        title = " ".join(str(row["title"])[:LONGEST_TITLE].split())
        found.setdefault(id_, {**row, "id": id_, "name": row["session"], "title": title})
    beginnings = _beginnings({str(row["session"]) for row in found.values()})
    return [{**row, "beginning": beginnings[str(row["session"])]} for row in found.values()]


def _beginnings(sessions: set[str]) -> dict[str, str]:
    """Each id → its beginning that no other one has."""
    counts = Counter(one[:cells] for one in sessions for cells in range(_SHORT, _LONG + 1))
    found = {}
    for one in sessions:
        alone = (one[:cells] for cells in range(_SHORT, _LONG) if counts[one[:cells]] == 1)
        found[one] = next(alone, one[:_LONG])
    return found


def standing(row: Row) -> str:
    """Where a conversation is open, and how that stands: `mission 8a41c3d2: idle`; "" where nobody has it open."""
    if row["pid"] is None:
        return ""
    mission, background = row["mission"], row["background"]
    where = f"mission {mission}" if mission else f"background {background}" if background else "open"
    return safe(f"{where}: {row['state']}" if row["state"] else where)


def _changed(row: Row, now: float) -> Cell:
    return Cell(numbers.span(max(now - row["changed_at"], 0.0)), "quiet")


COLUMNS: tuple[Column, ...] = (
    Column("session", "SESSION", _SHORT, _LONG, 3, lambda row, _now: Cell(safe(row["beginning"]), "name")),
    Column("agent", "AGENT", 6, 8, 1, lambda row, _now: Cell(safe(row["provider"]), "")),
    Column("changed", "CHANGED", 7, 7, 2, _changed, right=True, ticks=since(lambda row: row["changed_at"])),
    Column("state", "STATE", 6, 24, 4, lambda row, _now: Cell(standing(row), "slow"), spare=True),
    Column("id", "ID", 20, 36, 6, lambda row, _now: Cell(safe(row["session"]), "quiet"), wide=True),
    Column("title", "FIRST WORDS", 16, 0, 0, lambda row, _now: Cell(safe(row["title"]))),
)
_FOLDER = Column("folder", "FOLDER", 12, 36, 5, lambda row, _now: Cell(safe(row["cwd"]), "quiet"))
COLUMNS_OF_ALL = (*COLUMNS[:-1], _FOLDER, COLUMNS[-1])
"""The same of all folders."""
ORDERS: Orders = {
    "session": _least("session"),
    "id": _least("session"),
    "agent": _least("provider"),
    "changed": By(lambda row, _now: row["changed_at"]),
    "age": By(lambda row, _now: row["changed_at"]),
    "state": By(lambda row, _now: standing(row)),
    "folder": _least("cwd"),
    "title": _least("title"),
}


def looked_in(row: Row) -> str:
    """The text in which a plain word of a filter is looked for."""
    return "\n".join((row["session"], row["provider"], safe(row["cwd"]), safe(row["title"]), standing(row)))
