"""The tables of isolation: what exists for one mission alone, ports, and trusted files.

What exists for a mission stays recorded until it is removed, also after the mission is. A port is held by a mission, or
one that it would like to have again. A trusted file is one that a person has seen and allowed to be run, by path and
content.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from overmind_core.domain.isolation.isolation import Isolation
from overmind_core.kernel.codec import Codec
from overmind_core.kernel.database import Database


class IsolationRow(NamedTuple):
    """One row; `record` is JSON that only the supervisor reads."""

    mission: str
    name: str
    source: str
    record: str


_SELECT = "SELECT mission, name, source, record FROM isolations"


class IsolationTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, row: IsolationRow) -> None:
        """Insert or replace."""
        self._database.write(
            "INSERT OR REPLACE INTO isolations (mission, name, source, record) VALUES (?, ?, ?, ?)", row
        )

    def all(self) -> list[IsolationRow]:
        """Return every row, by mission."""
        return [IsolationRow(*row) for row in self._database.read(f"{_SELECT} ORDER BY mission")]

    def remove(self, missions: Sequence[str]) -> None:
        """Forget these: nothing of them is left."""
        self._database.write_many("DELETE FROM isolations WHERE mission = ?", ((one,) for one in missions))


class PortRow(NamedTuple):
    """One row. No two rows that are held have the same port: the table refuses it."""

    mission: str
    service: str
    port: int
    held: bool


_SELECT_PORTS = "SELECT mission, service, port, held FROM ports"
_SAVE = (
    "INSERT INTO ports (mission, service, port, held) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (mission, service) DO UPDATE SET port = excluded.port, held = excluded.held"
)
"""A port that another mission holds is a conflict: it is never taken from it."""


class PortTable:
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

    def all(self) -> list[PortRow]:
        """Return every row, by port."""
        rows = self._database.read(f"{_SELECT_PORTS} ORDER BY port, mission, service")
        return [PortRow(mission, service, port, bool(held)) for mission, service, port, held in rows]

    def of(self, mission: str) -> list[PortRow]:
        """Return the mission's rows."""
        return [row for row in self.all() if row.mission == mission]


class TrustTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, path: str, sha256: str, at: float) -> None:
        """Trust the file with this content; what it was before is trusted no longer. `at`: seconds since the epoch."""
        self._database.write("INSERT OR REPLACE INTO trusted (path, sha256, at) VALUES (?, ?, ?)", (path, sha256, at))

    def sum_of(self, path: str) -> str | None:
        """Return the SHA-256 of the content that is trusted, in hex; None when none is."""
        row = self._database.read_one("SELECT sha256 FROM trusted WHERE path = ?", (path,))
        return None if row is None else str(row[0])

    def remove(self, path: str) -> None:
        """Trust the file no longer."""
        self._database.write("DELETE FROM trusted WHERE path = ?", (path,))


RECORD = Codec(Isolation)


def row(isolation: Isolation) -> IsolationRow:
    """The row that holds it."""
    return IsolationRow(isolation.mission, isolation.name, isolation.source, RECORD.encode(isolation))


def isolations(rows: Iterable[IsolationRow]) -> dict[str, Isolation]:
    """What the rows hold, by mission."""
    return {one.mission: RECORD.decode(one.record) for one in rows}
