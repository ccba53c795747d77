"""The load of missions, and that of the queue, as the header and the panel say it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Row

CORE = 100.0
"""Percent: a full bar is one core at least, so that next to nothing looks like that."""


class Load(NamedTuple):
    """What all missions use together."""

    cpu: float
    memory: float

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Load:
        """The sum over live missions."""
        live = [row for row in rows if missions_rows.is_live(row)]
        return cls(
            sum(row.get("cpu_percent") or 0.0 for row in live), sum(row.get("memory_bytes") or 0 for row in live)
        )


class EngineLoad(NamedTuple):
    """How full the queue is, and whether agents work against each other.

    Attributes:
        used: Slots that are taken.
        slots: How many there are.
        queued: Quests that wait.
        paused: Whether nothing starts.
        sharing: Agents that change the same files.
    """

    used: int = 0
    slots: int = 0
    queued: int = 0
    paused: bool = False
    sharing: int = 0

    @classmethod
    def of(cls, queue: Row, coherence: Row) -> EngineLoad:
        """As the requests `queue` and `health` answer."""
        used = next((pool["used"] for pool in queue["pools"] if pool["name"] == "queue"), 0)
        return cls(used, queue["slots"], queue["count"], queue["paused"], coherence["sharing"])

    @property
    def words(self) -> str:
        """What is said of it: `queue 2/3 +7`, nothing of an empty queue, and who changes the same files."""
        found = []
        if self.used or self.queued or self.paused:
            more = f" +{self.queued}" if self.queued else ""
            found.append(f"queue {'paused ' * self.paused}{self.used}/{self.slots}{more}")
        if self.sharing > 1:
            found.append(f"{self.sharing} agents change the same files")
        return " · ".join(found)


class Sample(NamedTuple):
    """The load of one mission at one time."""

    cpu: float = 0.0
    memory: float = 0.0
    output: float = 0.0
