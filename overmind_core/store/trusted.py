"""The table of trusted files: what a person has seen and allowed to be run, by path and content."""

from __future__ import annotations

from overmind_core.store.database import Database


class Trusted:
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
