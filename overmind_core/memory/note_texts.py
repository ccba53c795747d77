"""The texts of all notes that can be found, as another process reads them from memory.db."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple
from urllib.parse import quote

from overmind_core.domain.memory.notes import Scope

_SELECT = """
    SELECT notes.id, json_extract(notes.data, '$.version'), scopes.kind, scopes.place, notes.text
    FROM notes JOIN scopes ON scopes.row = notes.scope
    WHERE notes.state IN ('proposed', 'live')
"""


class Text(NamedTuple):
    """The text of a note that can be found."""

    note: str
    version: str
    """Id of the version that has this text: it never has another one."""
    scope: str
    """As `scope_name` names it."""
    text: str


def scope_name(scope: Scope) -> str:
    """A scope as one text."""
    return f"{scope.kind.value} {scope.where}"


class NoteTexts:
    """Reads them when they have changed. Holds nothing in the file between two looks, so that a purge can finish."""

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, isolation_level=None)
        self._seen: int | None = None

    def changed(self) -> list[Text] | None:
        """All of them; None: nothing has changed since the last look.

        Raises:
            sqlite3.Error: they can't be read.
        """
        seen = int(self._database.execute("PRAGMA data_version").fetchone()[0])
        if seen == self._seen:
            return None
        rows = self._database.execute(_SELECT).fetchall()
        self._seen = seen
        return [Text(note, version, f"{kind} {place}", text) for note, version, kind, place, text in rows]
