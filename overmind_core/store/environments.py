"""The table of environments: secrets, so they live here and in no event, export or other answer.

Deleted with their mission, and overwritten in the file (`secure_delete`).
"""

from __future__ import annotations

from overmind_core.store.database import Database

_SAVE = (
    "INSERT INTO environments (mission, data) VALUES (?, ?) ON CONFLICT (mission) DO UPDATE SET data = excluded.data"
)


class Environments:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, mission: str, data: str) -> None:
        """Store the environment of a mission, as JSON that only the supervisor reads."""
        self._database.write(_SAVE, (mission, data))

    def get(self, mission: str) -> str | None:
        """Return what was saved for a mission."""
        row = self._database.read_one("SELECT data FROM environments WHERE mission = ?", (mission,))
        return row[0] if row else None

    def remove(self, mission: str) -> None:
        """Forget the environment of a mission."""
        self._database.write("DELETE FROM environments WHERE mission = ?", (mission,))
