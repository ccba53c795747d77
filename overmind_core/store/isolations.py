"""The table of isolations: what exists for one mission alone, also after that is removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from overmind_core.store.database import Database


class StoredIsolation(NamedTuple):
    """One row; `record` is JSON that only the supervisor reads."""

    mission: str
    name: str
    source: str
    record: str


_SELECT = "SELECT mission, name, source, record FROM isolations"


class Isolations:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, row: StoredIsolation) -> None:
        """Insert or replace."""
        self._database.write(
            "INSERT OR REPLACE INTO isolations (mission, name, source, record) VALUES (?, ?, ?, ?)", row
        )

    def all(self) -> list[StoredIsolation]:
        """Return every row, by mission."""
        return [StoredIsolation(*row) for row in self._database.read(f"{_SELECT} ORDER BY mission")]

    def remove(self, missions: Sequence[str]) -> None:
        """Forget these: nothing of them is left."""
        self._database.write_many("DELETE FROM isolations WHERE mission = ?", ((one,) for one in missions))
