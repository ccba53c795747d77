"""Rows of the queue: who lands, then whose turn it is, with scores and reasons. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from overmind_core.domain.text.decimals import shortest_decimal
from overmind_core.view import missions as missions_rows
from overmind_core.view import quests as quests_rows
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import By, Column
from overmind_core.view.tables import Orders

MAIN_POOL = "queue"
"""The pool whose slots every quest of the queue takes one of."""
_DIGITS = 4
"""Of a score, behind the point."""


class Status(NamedTuple):
    """The queue beside its rows.

    Attributes:
        paused: Whether nothing starts.
        slots: How many may run at once.
        used: How many do.
        queued: How many wait.
        landing: How many land.
        pools: The other limits, in words.
    """

    paused: bool = False
    slots: int = 0
    used: int = 0
    queued: int = 0
    landing: int = 0
    pools: tuple[str, ...] = ()

    @classmethod
    def of(cls, answer: Row) -> Status:
        """As the request `queue` answers."""
        used = {pool["name"]: pool["used"] for pool in answer["pools"]}
        pools = (
            f"{safe(pool['name']).replace(':', ' ', 1)} {pool['used']}/{pool['slots']}"
            for pool in answer["pools"]
            if pool["name"] != MAIN_POOL
        )
        return cls(
            answer["paused"], answer["slots"], used.get(MAIN_POOL, 0), answer["count"], len(answer["landing"]),
            tuple(pools),
        )  # fmt: skip

    @property
    def text(self) -> str:
        """What the lower border says."""
        return " · ".join(self._parts())

    def _parts(self) -> Iterator[str]:
        if self.paused:
            yield "paused, shift-h resumes"
        yield f"running {self.used}/{self.slots}"
        yield f"queued {self.queued}"
        yield f"landing {self.landing}"
        yield from self.pools


def whole(answer: Row) -> list[Row]:
    """The answer itself: its quests are made rows by `listed`."""
    return [answer]


def listed(answer: Row) -> list[Row]:
    """Who lands, then who is queued, in the order of their turns."""
    return [*answer["landing"], *answer["quests"]]


def _place(row: Row, _now: float) -> Cell:
    return Cell(str(row["position"] or ""), "quiet")


def _score(row: Row, _now: float) -> Cell:
    return Cell("" if row["score"] is None else shortest_decimal(row["score"], _DIGITS))


def _waits(row: Row, _now: float) -> Cell:
    if row["status"] == "queued":
        return Cell(quests_rows.why(row) or "it starts now", quests_rows.why_tone(row))
    where = f" on {safe(row['into'])}" if row["into"] else ""
    return Cell(f"{quests_rows.state(row)}{where}", missions_rows.mark(row).tone)


COLUMNS: tuple[Column, ...] = (
    Column("position", "#", 2, 5, 1, _place, right=True),
    Column("score", "SCORE", 6, 6, 3, _score, right=True),
    quests_rows.NAME._replace(most=28),
    quests_rows.text_column("id", "ID", 8, 8, 14)._replace(wide=True),
    Column("priority", "PRIORITY", 8, 8, 2, quests_rows.priority_cell),
    Column("attempts", "TRY", 4, 5, 8, lambda row, _now: Cell(quests_rows.tries(row), "quiet"), right=True, wide=True),
    quests_rows.COST._replace(keep=9, wide=True),
    quests_rows.text_column("spec", "SPEC", 8, 16, 7)._replace(spare=True, wide=True),
    quests_rows.text_column("provider", "AGENT", 6, 8, 10)._replace(wide=True),
    Column("why", "WAITS", 20, 0, 4, _waits),
)
_LAST = float("inf")
ORDERS: Orders = {
    **quests_rows.ORDERS,
    "position": By(lambda row, _now: row["position"] or 0, rises=True),
    "score": By(lambda row, _now: -1.0 if row["score"] is None else row["score"]),
}
