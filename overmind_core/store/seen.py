"""The table of what people have seen: up to which event of each mission somebody has looked."""

from __future__ import annotations

from overmind_core.store.database import Database


class Seen:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, mission: str, seq: int, at: float) -> None:
        """Somebody looked at the mission when `seq` was its newest event (`at`: seconds since the epoch)."""
        self._database.write(
            "INSERT INTO seen (mission, seq, at) VALUES (?, ?, ?) "
            "ON CONFLICT (mission) DO UPDATE SET seq = max(seq, excluded.seq), at = max(at, excluded.at)",
            (mission, seq, at),
        )

    def all(self) -> dict[str, tuple[int, float]]:
        """Return the newest event that was seen, and when, by mission."""
        return {mission: (seq, at) for mission, seq, at in self._database.read("SELECT mission, seq, at FROM seen")}
