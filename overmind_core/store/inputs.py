"""The table of inputs: what a run is to read, saved with the decision to send it, until the keeper has taken it.

The keeper applies each number of a run once: repeating what is still here after a crash sends nothing twice.
"""

from __future__ import annotations

from overmind_core.store.database import Database


class Inputs:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, run: str, seq: int, data: bytes) -> None:
        """Keep what is to be sent."""
        self._database.write("INSERT OR IGNORE INTO inputs (run, seq, data) VALUES (?, ?, ?)", (run, seq, data))

    def taken(self, run: str, seq: int) -> None:
        """Forget what the keeper has: everything up to `seq`."""
        self._database.write("DELETE FROM inputs WHERE run = ? AND seq <= ?", (run, seq))

    def after(self, run: str, seq: int) -> list[tuple[int, bytes]]:
        """Return what a keeper that has `seq` must still be given, in order."""
        rows = self._database.read("SELECT seq, data FROM inputs WHERE run = ? AND seq > ? ORDER BY seq", (run, seq))
        return [(number, bytes(data)) for number, data in rows]
