"""The table of budgets: what the tree of each mission that has a limit of cost has spent so far."""

from __future__ import annotations

from typing import NamedTuple

from overmind_core.store.database import Database


class Budget(NamedTuple):
    """What a mission and everything below it has cost. `warned`: somebody was told that little is left."""

    mission: str
    usd: float = 0.0
    warned: bool = False


class Budgets:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, budget: Budget) -> None:
        """Insert or replace."""
        self._database.write(
            "INSERT INTO budgets (mission, usd, warned) VALUES (?, ?, ?) "
            "ON CONFLICT (mission) DO UPDATE SET usd = excluded.usd, warned = excluded.warned",
            budget,
        )

    def get(self, mission: str) -> Budget | None:
        """Return what was saved of that mission; None when its tree has spent nothing."""
        row = self._database.read_one("SELECT mission, usd, warned FROM budgets WHERE mission = ?", (mission,))
        return None if row is None else Budget(row[0], row[1], bool(row[2]))
