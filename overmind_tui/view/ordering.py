"""In which order missions stand: by any column, and by each of them the way round that is asked for first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from overmind_core.domain.marks import (
    CRASHED,
    FROZEN,
    KILLED,
    LIMITED,
    PREPARING,
    RESTARTING,
    STARTING,
    STOPPED,
    STOPPING,
    WAITING,
    WORKING,
    YOUR_TURN,
)
from overmind_tui.view import missions
from overmind_tui.view.cells import Row

_URGENCY = (
    WAITING, YOUR_TURN, CRASHED, LIMITED, RESTARTING, WORKING, STARTING, PREPARING, STOPPING, FROZEN, STOPPED, KILLED,
)  # fmt: skip
_SPOKEN = {"time": "for"}
"""Other words for an order."""


class By(NamedTuple):
    """What rows are compared by.

    Attributes:
        key: Of a row, at a time (seconds since the epoch).
        rises: Whether the least comes first at first.
    """

    key: Callable[[Row, float], Any]
    rises: bool = False


def _text(key: str) -> By:
    return By(lambda row, _now: str(row.get(key) or "").casefold(), rises=True)


def _number(key: str) -> By:
    return By(lambda row, _now: row.get(key) or 0.0)


ORDERS: dict[str, By] = {
    "name": _text("name"),
    "id": _text("id"),
    "agent": _text("provider"),
    "state": By(lambda row, _now: (_URGENCY.index(missions.mark(row)), not row.get("unseen")), rises=True),
    "for": By(missions.held),
    "age": By(missions.age),
    "cost": _number("cost_usd"),
    "tokens": By(lambda row, _now: sum((row.get("tokens") or {}).values())),
    "restarts": _number("restart_count"),
    "exit": By(lambda row, _now: -1 if row["exit_code"] is None else row["exit_code"]),
    "cpu": _number("cpu_percent"),
    "memory": _number("memory_bytes"),
    "output": _number("output_bytes_per_second"),
    "now": _text("now"),
    "folder": _text("cwd"),
    "command": _text("command"),
}
"""Column → its order."""


class Order(NamedTuple):
    """An order of missions; `inverted`: the other way round than it is asked for first."""

    by: str = "age"
    inverted: bool = False

    @classmethod
    def read(cls, text: str) -> Order:
        """What `str` wrote; the first of all for anything else."""
        by, _, way = text.partition(":")
        by = _SPOKEN.get(by, by)
        return cls(by, way == "inverted") if by in ORDERS else cls()

    def __str__(self) -> str:
        """To be kept for the next time."""
        return f"{self.by}:{'inverted' if self.inverted else ''}".rstrip(":")

    def asked(self, by: str) -> Order:
        """The order once somebody asks for this one: by the same again is the other way round."""
        return Order(by, inverted=by == self.by and not self.inverted)

    @property
    def rises(self) -> bool:
        """Whether the least comes first."""
        return ORDERS[self.by].rises is not self.inverted

    def of(self, rows: Iterable[Row], now: float) -> list[Row]:
        """The rows in this order; where it says nothing, the older ones first."""
        key = ORDERS[self.by].key
        aged = sorted(rows, key=lambda row: (row["started_at"], row["id"]))
        return sorted(aged, key=lambda row: key(row, now), reverse=not self.rises)
