"""The table of ports: which mission holds which, and which it would like to have again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from overmind_core.store.database import Database


class StoredPort(NamedTuple):
    """One row. No two rows that are held have the same port: the table refuses it."""

    mission: str
    service: str
    port: int
    held: bool


_SELECT = "SELECT mission, service, port, held FROM ports"
_SAVE = (
    "INSERT INTO ports (mission, service, port, held) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (mission, service) DO UPDATE SET port = excluded.port, held = excluded.held"
)
"""A port that another mission holds is a conflict: it is never taken from it."""


class Ports:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hold(self, mission: str, ports: Iterable[tuple[str, int]]) -> None:
        """Reserve a port for each service of the mission; it loses what it held before."""
        self.release(mission)
        self._database.write_many(_SAVE, ((mission, service, port, 1) for service, port in ports))

    def release(self, mission: str) -> None:
        """Let go of the mission's ports, and remember them as those that it would like to have again."""
        self._database.write("UPDATE ports SET held = 0 WHERE mission = ?", (mission,))

    def forget(self, mission: str) -> None:
        """Remove what was remembered, too."""
        self._database.write("DELETE FROM ports WHERE mission = ?", (mission,))

    def all(self) -> list[StoredPort]:
        """Return every row, by port."""
        rows = self._database.read(f"{_SELECT} ORDER BY port, mission, service")
        return [StoredPort(mission, service, port, bool(held)) for mission, service, port, held in rows]

    def of(self, mission: str) -> list[StoredPort]:
        """Return the mission's rows."""
        return [row for row in self.all() if row.mission == mission]
