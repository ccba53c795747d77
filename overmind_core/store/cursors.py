"""The table of cursors: how far each run's log was read, saved with the events that came of it.

One transaction for both is what makes each line of an agent count exactly once, also across a crash.
"""

from __future__ import annotations

from typing import NamedTuple

from overmind_core.store.database import Database

_SELECT = "SELECT run, out, err, state FROM cursors"
_SAVE = """INSERT INTO cursors (run, out, err, state) VALUES (?, ?, ?, ?)
    ON CONFLICT (run) DO UPDATE SET out = excluded.out, err = excluded.err, state = excluded.state"""


class Cursor(NamedTuple):
    """One row. `out` and `err` are offsets in bytes; `state` is what the parser has to remember, as JSON."""

    run: str
    out: int
    err: int
    state: str


class Cursors:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, cursor: Cursor) -> None:
        """Store a cursor in place of the one before.

        Raises:
            Conflict: its run doesn't exist.
        """
        self._database.write(_SAVE, cursor)

    def get(self, run: str) -> Cursor | None:
        """Return the cursor of a run."""
        row = self._database.read_one(f"{_SELECT} WHERE run = ?", (run,))
        return Cursor._make(row) if row else None

    def all(self) -> list[Cursor]:
        """Return every cursor, by run."""
        return [Cursor._make(row) for row in self._database.read(f"{_SELECT} ORDER BY run")]

    def remove(self, run: str) -> None:
        """Forget the cursor of a run."""
        self._database.write("DELETE FROM cursors WHERE run = ?", (run,))
