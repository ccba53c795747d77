"""The search for notes by the words of a question, misspelled ones corrected from the vocabulary.

Used on a thread that reads. A question is never a query of SQLite's: its words are quoted, the rarest of them, at most
32. Nothing outside of the scopes that are asked for is found or counted, nor is a word corrected by it.
"""

# ruff: noqa: S608 -- every statement is put together from constants of this file and conditions of `tables`

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.memory.spelling import MOST_WRONG, corrections, neighbours
from overmind_core.domain.memory.stems import stem
from overmind_core.domain.memory.words import MOST_WORDS, match_query, phrases, question_words, rarest
from overmind_core.memory.index import MOST_UNSPELLED
from overmind_core.memory.tables import conditions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from overmind_core.kernel.database import Database
    from overmind_core.memory.tables import Chosen

MOST_CORRECTED = 8
"""Words of a question that are corrected."""
HITS = 60
"""Notes that a question's words find, before they are fused with others."""
LOOKED_AT = 4
"""Notes that are looked at for each that is to be found, where most of all notes are in question."""


class Hits(NamedTuple):
    """The notes that a question's words find."""

    rows: tuple[int, ...]
    """Rows of notes, the best first."""
    corrected: Mapping[str, str]
    """Word of the question → the word that was looked for in its place."""
    by_words: frozenset[int] = frozenset()
    """Those of the rows that have a word as it was asked for."""
    by_spelling: frozenset[int] = frozenset()
    """Those that have a corrected word."""


class WordSearch:
    """Questions to the index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, question: str, chosen: Chosen, *, limit: int = HITS, most_words: int = MOST_WORDS) -> Hits:
        """Find notes that have words of the question, the rarest of them."""
        asked = question_words(question)
        frequency = self.frequencies({stem(word) for word in asked}, chosen.scopes)
        corrected: dict[str, str] = {}
        for word in [word for word in asked if stem(word) not in frequency][:MOST_CORRECTED]:
            meant = self._correction_of(word, chosen)
            if meant is not None:
                corrected[word] = meant
        looked_for = rarest(asked, frequency, self.counted(chosen.scopes), most_words)
        instead = [word for word in dict.fromkeys(corrected.values()) if word not in looked_for]
        instead = instead[: MOST_WORDS - len(looked_for)]
        rows = self._match([*looked_for, *instead, *phrases(question)], chosen, limit)
        if not corrected:
            return Hits(rows, corrected, by_words=frozenset(rows))
        plain, better = (frozenset(self._having(some, rows)) for some in (looked_for, list(corrected.values())))
        return Hits(rows, corrected, by_words=plain, by_spelling=better)

    def frequencies(self, asked: Iterable[str], scopes: Sequence[int] | None) -> dict[str, int]:
        """Return how many notes of these scopes have each of these stems, for those that any has."""
        within, values = _within(scopes)
        sql = f"""SELECT stem, sum(notes) FROM stems WHERE {within} AND stem IN (SELECT value FROM json_each(?))
            GROUP BY stem"""
        return dict(self._database.read(sql, (*values, json.dumps(list(asked)))))

    def counted(self, scopes: Sequence[int] | None) -> int:
        """Return how many notes can be found in these scopes."""
        within, values = _within(scopes, "row")
        return int(self._database.read(f"SELECT coalesce(sum(notes), 0) FROM scopes WHERE {within}", values)[0][0])

    def _match(self, looked_for: Sequence[str], chosen: Chosen, limit: int) -> tuple[int, ...]:
        if not looked_for:
            return ()
        condition, values = conditions(chosen)
        query, looked_at = match_query(looked_for), limit * LOOKED_AT
        if 2 * self.counted(chosen.scopes) >= self.counted(None):
            # The best of all notes, as many as may hold the best of those in question: SQLite keeps no others while it
            # sorts. In the order of `rank` FTS5 sorts all that have a word, which takes nearly twice as long.
            sql = "SELECT rowid, bm25(words) AS score FROM words WHERE words MATCH ? ORDER BY score LIMIT ?"
            scores: dict[int, float] = dict(self._database.read(sql, (query, looked_at)))
            sql = f"""SELECT notes.row, -notes.edited_at, notes.id FROM json_each(?) AS best
                CROSS JOIN notes ON notes.row = best.value WHERE {condition}"""
            found = self._database.read(sql, (json.dumps(list(scores)), *values))
            if len(found) >= limit or len(scores) < looked_at:
                return tuple(row[-1] for row in sorted((scores[row[0]], *row[1:], row[0]) for row in found)[:limit])
        sql = f"""SELECT words.rank, -notes.edited_at, notes.id, words.rowid
            FROM words CROSS JOIN notes ON notes.row = words.rowid
            WHERE words MATCH ? AND {condition} ORDER BY words.rank LIMIT ?"""
        # Of equally good ones the newer is first; SQLite would have to look at all notes to say so.
        return tuple(row[-1] for row in sorted(self._database.read(sql, (query, *values, limit))))

    def _has(self, word: str, chosen: Chosen) -> bool:
        """Whether any of the notes in question has a word."""
        condition, values = conditions(chosen)
        sql = f"""SELECT 1 FROM words CROSS JOIN notes ON notes.row = words.rowid
            WHERE words MATCH ? AND {condition} LIMIT 1"""
        return bool(self._database.read(sql, (match_query([word]), *values)))

    def _having(self, looked_for: Sequence[str], rows: Sequence[int]) -> list[int]:
        """Those of some rows that have one of these words."""
        if not looked_for:
            return []
        # `+`: FTS5 shall read the rows of the words once, and not for each of these anew.
        sql = "SELECT rowid FROM words WHERE words MATCH ? AND +rowid IN (SELECT value FROM json_each(?))"
        return [row[0] for row in self._database.read(sql, (match_query(looked_for), json.dumps(list(rows))))]

    def _correction_of(self, word: str, chosen: Chosen) -> str | None:
        """The word that was meant, of those that notes in question have."""
        sql = """SELECT word, notes FROM vocabulary WHERE row IN
            (SELECT word FROM spelling WHERE hash IN (SELECT value FROM json_each(?)))
            UNION SELECT word, notes FROM vocabulary WHERE length(word) BETWEEN ? AND ?
            AND row IN (SELECT word FROM unspelled ORDER BY word DESC LIMIT ?)"""
        shortest, longest = len(word) - MOST_WRONG, len(word) + MOST_WRONG
        values = (json.dumps(sorted(neighbours(word))), shortest, longest, MOST_UNSPELLED)
        near: dict[str, int] = dict(self._database.read(sql, values))
        near.pop(word, None)  # known elsewhere alone, which nobody here is to learn
        for candidate in corrections(word, near)[:MOST_CORRECTED]:
            if self._has(candidate, chosen):
                return candidate
        return None


def _within(scopes: Sequence[int] | None, column: str = "scope") -> tuple[str, tuple[int, ...]]:
    """The condition that a row is of one of these scopes; None: of any."""
    if scopes is None:
        return f"{column} IN (SELECT row FROM scopes)", ()
    return f"{column} IN ({', '.join('?' * len(scopes))})", tuple(scopes)
