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
    request: str | None = None
    """A key of the caller's choice; a repeat with the same key is told of this landing."""
    tip: str = ""
    """The commit of the mission's branch that landed; "" where nobody wrote it down."""


_COLUMNS = ", ".join(LandingRow._fields)
_PLACES = ", ".join("?" for _ in LandingRow._fields)


class LandingTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, landing: LandingRow) -> None:
        """Insert."""
        self._database.write(f"INSERT INTO landings ({_COLUMNS}) VALUES ({_PLACES})", landing)  # noqa: S608 - constants

    def of(self, repository: str) -> list[LandingRow]:
        """Return those of a repository, oldest first."""
        rows = self._database.read(f"SELECT {_COLUMNS} FROM landings WHERE repository = ? ORDER BY id", (repository,))  # noqa: S608 - same
        return [LandingRow(*row) for row in rows]

    def of_mission(self, mission: str) -> list[LandingRow]:
        """Return those of a mission's work, oldest first."""
        rows = self._database.read(f"SELECT {_COLUMNS} FROM landings WHERE mission = ? ORDER BY id", (mission,))  # noqa: S608 - same
        return [LandingRow(*row) for row in rows]

    def by_request(self, request: str) -> LandingRow | None:
        """Return what came of the request with this key; None when nothing landed by it."""
        row = self._database.read_one(f"SELECT {_COLUMNS} FROM landings WHERE request = ?", (request,))  # noqa: S608 - same
        return None if row is None else LandingRow(*row)
