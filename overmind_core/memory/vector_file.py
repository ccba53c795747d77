"""The file with the vectors of a home's notes, beside memory.db.

All of it follows from the notes and the model, so it may be thrown away at any time, and is made anew when it can't be
read. It holds no word of a note.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE = "vectors.db"
_SIDES = ("", "-wal", "-shm", "-journal")
_TABLE = "CREATE TABLE IF NOT EXISTS vectors (version TEXT PRIMARY KEY, model TEXT NOT NULL, vector BLOB NOT NULL)"

_SELECT = "SELECT version, vector FROM vectors WHERE model = ?"


class VectorFile:
    """The vectors of one model, by the id of the version whose text each stands for."""

    def __init__(self, path: str, model: str) -> None:
        self._path = path
        self._model = model

    def read(self, size: int) -> dict[str, bytes]:
        """All that are there and have so many bytes; a file that can't be used is removed."""
        try:
            with closing(_opened(self._path)) as database:
                rows = database.execute(_SELECT, (self._model,)).fetchall()
        except (sqlite3.Error, OSError):
            remove(self._path)
            return {}
        return {version: vector for version, vector in rows if len(vector) == size}

    def save(self, new: Mapping[str, bytes], gone: Iterable[str]) -> None:
        """Keep some and drop others, for the next worker; one that fails costs that one time, and nothing else."""
        with suppress(sqlite3.Error, OSError), closing(_opened(self._path)) as database, database:
            database.execute("DELETE FROM vectors WHERE model <> ?", (self._model,))
            database.executemany("DELETE FROM vectors WHERE version = ?", [(version,) for version in gone])
            rows = [(version, self._model, vector) for version, vector in new.items()]
            database.executemany("INSERT OR REPLACE INTO vectors (version, model, vector) VALUES (?, ?, ?)", rows)


def _opened(path: str) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    database = sqlite3.connect(path, timeout=1.0)
    try:
        database.execute("PRAGMA secure_delete = ON")
        database.execute(_TABLE)
    except sqlite3.Error:
        database.close()
        raise
    return database


def remove(path: str) -> None:
    """Remove the file and what SQLite has beside it."""
    for side in _SIDES:
        with suppress(OSError):
            os.unlink(path + side)
