"""The table of costs: what each turn of each agent cost, also after the agent is removed."""

from __future__ import annotations

from typing import NamedTuple

from overmind_core.store.database import Database


class Cost(NamedTuple):
    """One turn. `at` in seconds since the epoch, `labels` JSON, `usd` US dollars, then tokens and model turns."""

    at: float
    mission: str
    name: str
    labels: str
    usd: float
    input: int
    output: int
    turns: int


class Costs:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, cost: Cost) -> None:
        """Add what a turn cost."""
        self._database.insert(
            "INSERT INTO costs (at, mission, name, labels, usd, input, output, turns) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            cost,
        )

    def since(self, wall: float) -> list[Cost]:
        """Return every turn from then on, oldest first."""
        sql = "SELECT at, mission, name, labels, usd, input, output, turns FROM costs WHERE at >= ? ORDER BY at, id"
        return [Cost._make(row) for row in self._database.read(sql, (wall,))]

    def total_since(self, wall: float) -> float:
        """Return the US dollars spent from then on."""
        row = self._database.read_one("SELECT sum(usd) FROM costs WHERE at >= ?", (wall,))
        return float(row[0] or 0.0) if row else 0.0
