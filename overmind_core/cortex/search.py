"""Search in a colony, for machines without a copy: by words, and by meaning where vectors of the model are kept.

Two lists of notes are fused by the reciprocals of their ranks. Only what a note says now is found: a hit of a version
that was replaced does not count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from overmind_core.cortex import meaning
from overmind_core.cortex.protocol import Search, entry_of
from overmind_core.domain.memory.entries import Entry
from overmind_core.domain.memory.notes import Note, NoteState, Version, Vote
from overmind_core.domain.memory.stems import stem
from overmind_core.domain.memory.versions import fold
from overmind_core.domain.memory.words import MOST_WORDS, question_words

_CANDIDATES = 200
"""Versions of each list that are looked at."""
_K = 60
"""Of the fusion: how little the first places count more than the next ones."""
_WEIGHTS = {"words": 0.7, "meaning": 0.3}


@dataclass(frozen=True, slots=True)
class Hit:
    """A note that was found."""

    note: Note
    score: float
    why: tuple[str, ...]
    """`words`, `meaning`."""
    entries: tuple[Entry, ...]
    """Its versions and votes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The notes that were found, the best first."""

    hits: tuple[Hit, ...]
    with_meaning: bool


def search(connection: psycopg.Connection, colony: str, wanted: Search) -> Answer:
    """Return the notes of a colony that answer a question."""
    by_words = _by_words(connection, colony, wanted.question)
    by_meaning: list[tuple[str, str]] = []
    if wanted.model is not None:
        by_meaning = meaning.nearest(connection, colony, wanted.model, wanted.vector, _CANDIDATES)
    entries = _entries_of(connection, colony, {note for note, _ in (*by_words, *by_meaning)})
    notes = {note: _folded(of_note) for note, of_note in entries.items()}
    scores: dict[str, float] = defaultdict(float)
    why: dict[str, list[str]] = defaultdict(list)
    for name, hits in (("words", by_words), ("meaning", by_meaning)):
        shown = [note for note, version in hits if notes[note].version == version and _fits(notes[note], wanted)]
        for rank, note in enumerate(shown, 1):
            scores[note] += _WEIGHTS[name] / (_K + rank)
            why[note].append(name)
    best = sorted(scores, key=lambda note: (-scores[note], -notes[note].edited_at, note))[: wanted.limit]
    return Answer(
        tuple(Hit(notes[one], scores[one], tuple(why[one]), tuple(entries[one])) for one in best), bool(by_meaning)
    )


def _by_words(connection: psycopg.Connection, colony: str, question: str) -> list[tuple[str, str]]:
    words = list(dict.fromkeys(stem(word) for word in question_words(question)))[:MOST_WORDS]
    if not words:
        return []
    # Words are letters and digits only; the quotes are for those that are words of the query language.
    query = " | ".join(f"'{word}'" for word in words)
    return connection.execute(
        "select note, id from entry, to_tsquery('simple', %s) query where colony = %s and words @@ query"
        " order by ts_rank(words, query) desc, seq desc limit %s",
        [query, colony, _CANDIDATES],
    ).fetchall()


def _entries_of(connection: psycopg.Connection, colony: str, notes: set[str]) -> dict[str, list[Entry]]:
    rows = connection.execute(
        "select note, is_vote, body from entry where colony = %s and note = any(%s) order by seq",
        [colony, list(notes)],
    ).fetchall()
    found: dict[str, list[Entry]] = defaultdict(list)
    for note, is_vote, body in rows:
        found[note].append(entry_of(body, is_vote=is_vote))
    return found


def _folded(entries: Iterable[Entry]) -> Note:
    stored = list(entries)
    return fold([one for one in stored if isinstance(one, Version)], [one for one in stored if isinstance(one, Vote)])


def _fits(note: Note, wanted: Search) -> bool:
    content = note.content
    return (
        note.state is NoteState.LIVE
        and wanted.kind in {None, content.kind}
        and wanted.scope in {None, content.scope.kind}
        and (wanted.repository is None or content.scope.where in {"", wanted.repository})
        and (wanted.tag is None or wanted.tag in content.tags)
    )
