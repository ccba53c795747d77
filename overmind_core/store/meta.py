"""The table of single facts, by key: what belongs to the home as a whole."""

from __future__ import annotations

from overmind_core.store.database import Database

_SAVE = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


class Meta:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, key: str, value: str) -> None:
        """Store a fact in place of the one before."""
        self._database.write(_SAVE, (key, value))

    def get(self, key: str) -> str | None:
        """Return a fact."""
        row = self._database.read_one("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row else None

    def remove(self, key: str) -> None:
        """Forget a fact."""
        self._database.write("DELETE FROM meta WHERE key = ?", (key,))
