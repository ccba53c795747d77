"""Quests as a table: what was to be done, how often it was tried, and how it ended. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from overmind_tui.view import amounts
from overmind_tui.view import missions as view
from overmind_tui.view.cells import Cell, Row, safe
from overmind_tui.view.columns import Column
from overmind_tui.view.ordering import By
from overmind_tui.view.tables import Orders

CHANGES = frozenset({"quest", "started", "exited", "restart", "removed"})
"""Kinds of events after which a quest stands otherwise."""
_STATUSES = ("running", "failed", "cancelled", "completed")


def quests(answer: Sequence[Row]) -> list[Row]:
    """Quests, the newest first."""
    return list(reversed(answer))


def lasted(row: Row, now: float) -> float:
    """Seconds since it began; of an ended one, how long it took."""
    began, ended = amounts.moment(row["started_at"]), amounts.moment(row["ended_at"])
    return max(0.0, (now if ended is None else ended) - (now if began is None else began))


def _age(row: Row, now: float) -> float:
    return now - (amounts.moment(row["started_at"]) or now)


def _state(row: Row, _now: float) -> Cell:
    mark = view.mark(row)
    return Cell("checking" if row["phase"] == "check" else mark.word, mark.tone)


def _tries(row: Row, _now: float) -> Cell:
    return Cell(f"{row['attempts']}/{row['retries'] + 1}" if row["retries"] else "", "slow")


def why(row: Row) -> str:
    """Why it has failed or was cancelled."""
    code = f"exit {row['exit_code']}" if row["exit_code"] else ""
    return ", ".join(filter(None, (safe(row["reason"]).replace("_", " "), code)))


def _why(row: Row, _now: float) -> Cell:
    return Cell(why(row), "bad" if row["status"] == "failed" else "quiet")


def _quiet(key: str, title: str, least: int, most: int, keep: int) -> Column:
    return Column(key, title, least, most, keep, lambda row, _now: Cell(safe(row[key]), "quiet"))


COLUMNS: tuple[Column, ...] = (
    Column("name", "QUEST", 12, 36, 0, lambda row, _now: Cell(safe(row["name"]))),
    _quiet("id", "ID", 8, 8, 14)._replace(wide=True),
    Column("state", "STATE", 9, 10, 1, _state),
    Column("for", "FOR", 7, 8, 3, lambda row, now: Cell(amounts.ticking(lasted(row, now)), "quiet"), right=True),
    Column("age", "AGE", 4, 5, 5, lambda row, now: Cell(amounts.span(_age(row, now)), "quiet"), right=True),
    Column("attempts", "TRY", 4, 5, 4, _tries, right=True, spare=True),
    Column("why", "WHY", 18, 24, 2, _why, spare=True),
    _quiet("ritual", "RITUAL", 8, 16, 7)._replace(spare=True),
    _quiet("check", "CHECK", 10, 24, 8)._replace(spare=True, wide=True),
    Column("command", "COMMAND", 12, 80, 6, lambda row, _now: Cell(safe(row["command"]), "quiet")),
)
QUEST_ORDERS: Orders = {
    "name": By(lambda row, _now: row["name"].casefold(), rises=True),
    "id": By(lambda row, _now: row["id"], rises=True),
    "state": By(lambda row, _now: _STATUSES.index(row["status"]), rises=True),
    "for": By(lasted),
    "age": By(_age),
    "attempts": By(lambda row, _now: row["attempts"]),
    "ritual": By(lambda row, _now: row["ritual"] or "", rises=True),
    "command": By(lambda row, _now: row["command"].casefold(), rises=True),
}
