"""The tables of rituals: each with the environment that its runs get, and its runs."""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

from typing import NamedTuple

from overmind_core.domain.schedules import OPEN, Ritual, RitualRun
from overmind_core.kernel.codec import Codec
from overmind_core.kernel.database import Database, Row

Record = str
"""JSON that only the supervisor reads."""
RITUAL = Codec(Ritual)
RUN = Codec(RitualRun)


class RitualRunRow(NamedTuple):
    """One row. `open`: it begins, waits or goes on."""

    ritual: str
    number: int
    open: bool
    record: Record


_RUN_COLUMNS = ", ".join(RitualRunRow._fields)
_RUNS = f"SELECT {_RUN_COLUMNS} FROM ritual_runs"


class RitualTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, ritual: str, name: str, record: Record, environment: str) -> None:
        """Add a ritual.

        Raises:
            Conflict: there is one of this id or name.
        """
        self._database.write("INSERT INTO rituals (id, name, record) VALUES (?, ?, ?)", (ritual, name, record))
        self._database.write("INSERT INTO ritual_environments (ritual, data) VALUES (?, ?)", (ritual, environment))

    def save(self, ritual: str, record: Record) -> None:
        """Store how it is now; nothing when it was removed."""
        self._database.write("UPDATE rituals SET record = ? WHERE id = ?", (record, ritual))

    def all(self) -> list[Record]:
        """Return every ritual, by name."""
        return [record for (record,) in self._database.read("SELECT record FROM rituals ORDER BY name")]

    def environment(self, ritual: str) -> str | None:
        """Return what was saved as the environment of its runs."""
        row = self._database.read_one("SELECT data FROM ritual_environments WHERE ritual = ?", (ritual,))
        return None if row is None else str(row[0])

    def remove(self, ritual: str) -> None:
        """Forget a ritual, its environment and its runs; what those started stays."""
        self._database.write("DELETE FROM rituals WHERE id = ?", (ritual,))

    def save_run(self, run: RitualRunRow) -> None:
        """Insert or replace a run; nothing when its ritual was removed."""
        self._database.write(
            f"INSERT OR REPLACE INTO ritual_runs ({_RUN_COLUMNS}) "
            "SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM rituals WHERE id = ?1)",
            run,
        )

    def runs(self, ritual: str) -> list[Record]:
        """Return the runs of a ritual, oldest first."""
        rows = self._database.read(f"{_RUNS} WHERE ritual = ? ORDER BY number", (ritual,))
        return [_run(row).record for row in rows]

    def open_runs(self) -> list[Record]:
        """Return the runs that have not ended, oldest first, ritual by ritual."""
        return [_run(row).record for row in self._database.read(f"{_RUNS} WHERE open = 1 ORDER BY ritual, number")]

    def remove_run(self, ritual: str, number: int) -> None:
        """Forget a run."""
        self._database.write("DELETE FROM ritual_runs WHERE ritual = ? AND number = ?", (ritual, number))


def _run(row: Row) -> RitualRunRow:
    ritual, number, still_open, record = row
    return RitualRunRow(ritual, number, bool(still_open), record)


def run_row(run: RitualRun) -> RitualRunRow:
    """As it is stored."""
    return RitualRunRow(run.ritual, run.number, run.status in OPEN, RUN.encode(run))
