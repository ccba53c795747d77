"""The index of notes: their words for the search, the vocabulary for spelling, the stems for the choice.

Changes inside of a transaction. Only what can be found is in it, so nothing of a forgotten note is, and a word that no
note has any more leaves no row behind.
"""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

import json
import unicodedata
import zlib
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.memory.spelling import neighbours
from overmind_core.domain.memory.words import identifier_words, stems, words
from overmind_core.memory.tables import Derived

if TYPE_CHECKING:
    from overmind_core.kernel.database import Database

MOST_UNSPELLED = 256
"""New words that a search compares one by one, as their rows of `spelling` are still to be written: the newest."""
SPELLED_IN_A_PIECE = 64
"""Words whose rows are written at once in a quiet moment: some milliseconds."""
SPELLED_WITH_A_NOTE = 16
"""Words whose rows are written with a note where no moment is quiet."""
SPELLED_AT_ONCE = 4096
"""Words whose rows are sorted and written together when all are made anew."""


def derived(text: str) -> Derived:
    """The words of a text for its columns of the index, and its fingerprint."""
    if not text:
        return Derived("", "")
    return Derived(f"{zlib.crc32(folded(text).encode()):08x}", " ".join(identifier_words(text)))


def folded(text: str) -> str:
    """A text without the differences that nobody sees: two notes that have the same one say the same."""
    return " ".join(unicodedata.normalize("NFC", text).split())


class Entry(NamedTuple):
    """The rows of one note in the index."""

    row: int
    scope: int
    text: str
    parts: str


class NoteIndex:
    """The index of all notes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entry(self, note: str) -> Entry | None:
        """Return the rows of a note in the index, from its row as it stands; None: it can't be found."""
        sql = "SELECT row, scope, text, parts FROM notes WHERE id = ? AND state IN ('proposed', 'live')"
        row = self._database.read_one(sql, (note,))
        return Entry._make(row) if row else None

    def replace(self, before: Entry | None, after: Entry | None) -> None:
        """Replace the rows of a note."""
        if before == after:
            return
        if before is not None:
            self._drop(before)
        if after is not None:
            self._add(after)

    def rebuild(self) -> int:
        """Build all of it anew; return how many notes it has."""
        for statement in (
            "DELETE FROM vocabulary",
            "DELETE FROM spelling",
            "DELETE FROM unspelled",
            "DELETE FROM stems",
            "UPDATE scopes SET notes = 0",
            "INSERT INTO words (words) VALUES ('delete-all')",
        ):
            self._database.write(statement)
        rows = self._database.read("SELECT row FROM findable ORDER BY row")
        for (row,) in rows:
            found = self._database.read("SELECT row, scope, text, parts FROM notes WHERE row = ?", (row,))
            self._add(Entry._make(found[0]))
            if self.unspelled() > SPELLED_AT_ONCE:
                self.spell(SPELLED_AT_ONCE)
        self.spell(self.unspelled())
        return len(rows)

    def unspelled(self) -> int:
        """Return how many words have no rows of `spelling` yet."""
        return int(self._database.read("SELECT count(*) FROM unspelled")[0][0])

    def spell(self, limit: int) -> None:
        """Write the rows of `spelling` of so many words that have none, the oldest."""
        chosen = "SELECT word FROM unspelled ORDER BY word LIMIT ?"
        new = self._database.read(f"SELECT row, word FROM vocabulary WHERE row IN ({chosen})", (limit,))
        rows = sorted((hash_, number) for number, word in new for hash_ in neighbours(word))
        self._database.write_many("INSERT OR IGNORE INTO spelling (hash, word) VALUES (?, ?)", rows)
        self._database.write(f"DELETE FROM unspelled WHERE word IN ({chosen})", (limit,))

    def optimise(self) -> None:
        """Merge the index, so that no byte of removed words is left in it."""
        self._database.write("INSERT INTO words (words) VALUES ('optimize')")

    def spell_some(self) -> None:
        """Keep what is still to be spelled from growing where no moment is quiet."""
        if self.unspelled() > MOST_UNSPELLED:
            self.spell(SPELLED_WITH_A_NOTE)

    def _add(self, entry: Entry) -> None:
        write = self._database.write
        write("INSERT INTO words (rowid, text, parts) VALUES (?, ?, ?)", (entry.row, entry.text, entry.parts))
        write("UPDATE scopes SET notes = notes + 1 WHERE row = ?", (entry.scope,))
        write(
            """INSERT INTO stems (scope, stem, notes) SELECT ?, value, 1 FROM json_each(?) WHERE true
            ON CONFLICT (scope, stem) DO UPDATE SET notes = notes + 1""",
            (entry.scope, json.dumps(sorted(_stems(entry)))),
        )
        counted = self._database.write_returning(
            """INSERT INTO vocabulary (word, notes) SELECT value, 1 FROM json_each(?) WHERE true
            ON CONFLICT (word) DO UPDATE SET notes = notes + 1 RETURNING row, notes""",
            (json.dumps(sorted(_words(entry))),),
        )
        new = [(number,) for number, notes in counted if notes == 1]
        self._database.write_many("INSERT INTO unspelled (word) VALUES (?)", new)

    def _drop(self, entry: Entry) -> None:
        write = self._database.write
        write(
            "INSERT INTO words (words, rowid, text, parts) VALUES ('delete', ?, ?, ?)",
            (entry.row, entry.text, entry.parts),
        )
        write("UPDATE scopes SET notes = notes - 1 WHERE row = ?", (entry.scope,))
        listed = json.dumps(sorted(_stems(entry)))
        write(f"UPDATE stems SET notes = notes - 1 WHERE scope = ? AND stem IN {_LISTED}", (entry.scope, listed))
        write(f"DELETE FROM stems WHERE scope = ? AND stem IN {_LISTED} AND notes < 1", (entry.scope, listed))
        listed = json.dumps(sorted(_words(entry)))
        write(f"UPDATE vocabulary SET notes = notes - 1 WHERE word IN {_LISTED}", (listed,))
        unused = f"SELECT row, word FROM vocabulary WHERE word IN {_LISTED} AND notes < 1"
        for number, word in self._database.read(unused, (listed,)):
            if not write("DELETE FROM unspelled WHERE word = ?", (number,)):
                self._database.write_many(
                    "DELETE FROM spelling WHERE hash = ? AND word = ?", ((hash_, number) for hash_ in neighbours(word))
                )
            write("DELETE FROM vocabulary WHERE row = ?", (number,))


_LISTED = "(SELECT value FROM json_each(?))"


def _words(entry: Entry) -> set[str]:
    return {*words(entry.text), *words(entry.parts)}


def _stems(entry: Entry) -> set[str]:
    return set(stems(entry.text))
