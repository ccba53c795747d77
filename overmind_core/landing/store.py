"""The table of landings: whose work was merged into which branch, and between which commits."""

from __future__ import annotations

from typing import NamedTuple

from overmind_core.kernel.database import Database


class LandingRow(NamedTuple):
    """One row. `at` in seconds since the epoch; `before` and `after` are where the target stood."""

    at: float
    repository: str
    """Git's common folder."""
    mission: str
    name: str
    branch: str
    target: str
    before: str
    after: str


_COLUMNS = ", ".join(LandingRow._fields)


class LandingTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, landing: LandingRow) -> None:
        """Insert."""
        self._database.write(f"INSERT INTO landings ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", landing)  # noqa: S608 - constants

    def of(self, repository: str) -> list[LandingRow]:
        """Return those of a repository, oldest first."""
        rows = self._database.read(f"SELECT {_COLUMNS} FROM landings WHERE repository = ? ORDER BY id", (repository,))  # noqa: S608 - same
        return [LandingRow(*row) for row in rows]
