"""The table of runs: one OS process each, several for a mission that was restarted."""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from overmind_core.store.database import Database, Row


class Run(NamedTuple):
    """One row. Times are seconds since the epoch; `state` is JSON that only the supervisor reads."""

    id: str
    """`<mission>.<number>`."""
    mission: str
    number: int
    """From 1."""
    started_at: float | None
    """None while the process is still to be started."""
    ended_at: float | None
    swept: bool
    """Whether nothing of its process tree is left."""
    state: str


_SELECT = f"SELECT {', '.join(Run._fields)} FROM runs"
_COLUMNS = ", ".join("max(number)" if field == "number" else field for field in Run._fields)
# SQLite takes the bare columns from the row that has the maximum. Source: sqlite.org/lang_select.html, bare columns.
_LATEST = f"SELECT {_COLUMNS} FROM runs WHERE mission IN (SELECT id FROM missions WHERE live = 1) GROUP BY mission"
_INSERT = f"INSERT INTO runs ({', '.join(Run._fields)}) VALUES ({', '.join('?' * len(Run._fields))})"
_SAVE = "UPDATE runs SET started_at = ?, ended_at = ?, swept = ?, state = ? WHERE id = ?"


class Runs:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, run: Run) -> None:
        """Add a run.

        Raises:
            Conflict: it is there already, or its mission is not.
        """
        self._database.insert(_INSERT, run)

    def save(self, run: Run) -> None:
        """Store everything that can change: the times, `swept` and `state`."""
        self.save_many((run,))

    def save_many(self, runs: Iterable[Run]) -> None:
        """`save` each of `runs`."""
        self._database.write_many(_SAVE, ((r.started_at, r.ended_at, r.swept, r.state, r.id) for r in runs))

    def get(self, run: str) -> Run | None:
        """Return the run with this id."""
        return _one(self._database.read(f"{_SELECT} WHERE id = ?", (run,)))

    def of(self, mission: str) -> list[Run]:
        """Return the runs of a mission, oldest first."""
        return [_run(row) for row in self._database.read(f"{_SELECT} WHERE mission = ? ORDER BY number", (mission,))]

    def latest(self, mission: str) -> Run | None:
        """Return the newest run of a mission."""
        return _one(self._database.read(f"{_SELECT} WHERE mission = ? ORDER BY number DESC LIMIT 1", (mission,)))

    def latest_of_live(self) -> list[Run]:
        """Return the newest run of each live mission that has one."""
        return [_run(row) for row in self._database.read(_LATEST)]

    def unfinished_or_unswept(self) -> list[Run]:
        """Return what a new supervisor has to look after, by mission and number."""
        rows = self._database.read(f"{_SELECT} WHERE ended_at IS NULL OR swept = 0 ORDER BY mission, number")
        return [_run(row) for row in rows]

    def remove_of(self, mission: str) -> None:
        """Delete all runs of a mission, with their cursors."""
        self._database.write("DELETE FROM runs WHERE mission = ?", (mission,))


def _one(rows: list[Row]) -> Run | None:
    return _run(rows[0]) if rows else None


def _run(row: Row) -> Run:
    id_, mission, number, started_at, ended_at, swept, state = row
    return Run(id_, mission, number, started_at, ended_at, bool(swept), state)
