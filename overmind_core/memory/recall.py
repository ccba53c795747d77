"""Recall: the notes that answer a question, the best first, and those that nearly equal a note. On a reader thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.memory.ranking import Hits, Weight, alike, grams, rank
from overmind_core.domain.memory.words import MOST_WORDS
from overmind_core.domain.replacing import replace
from overmind_core.domain.text.file_pattern import matches
from overmind_core.memory.search import HITS
from overmind_core.memory.tables import Chosen

if TYPE_CHECKING:
    from overmind_core.memory.answer_types import WhyFound
    from overmind_core.memory.opened import Reading
    from overmind_core.memory.tables import StoredNote


@dataclass(frozen=True, slots=True)
class Finding:
    """The conditions of a search."""

    asked: Sequence[str]
    """Questions about the same."""
    chosen: Chosen
    limit: int
    file: str | None
    """Only notes about this path."""
    is_stale: Callable[[StoredNote], bool]
    hits: int = HITS
    """Notes that words find of each question, at most."""
    most_words: int = MOST_WORDS
    """Words of each question that are looked for, the rarest."""


class Found(NamedTuple):
    """A note that was found."""

    stored: StoredNote
    score: float
    why: tuple[WhyFound, ...]
    corrected: Mapping[str, str]
    """Words of the question → words that were looked for in their place."""
    stale: bool


def is_about(stored: StoredNote, path: str | None) -> bool:
    """Whether a note is about a path; of none each is."""
    return path is None or any(matches(glob, path, folder="/") for glob in stored.note.content.files)


def recall(reading: Reading, finding: Finding, *, meaning: Sequence[Sequence[str]] = ()) -> list[Found]:
    """Return the notes that answer these questions, the best first.

    Args:
        reading: The notes.
        finding: What is looked for.
        meaning: For each question the ids of notes that mean nearly the same, the best first.
    """
    corrected: dict[str, dict[str, str]] = {}
    stored: dict[str, StoredNote] = {}
    hits = []
    for place, question in enumerate(finding.asked):
        by_words = reading.search.find(question, finding.chosen, limit=finding.hits, most_words=finding.most_words)
        ids: dict[int, str] = {}
        for row in by_words.rows:
            one = reading.notes.at(row)
            if one is not None:
                stored[one.note.id] = one
                ids[row] = one.note.id
        named = _named(reading, question, finding.chosen)
        stored.update((one.note.id, one) for one in named)
        meant = meaning[place] if meaning else ()
        stored.update((one.note.id, one) for one in _of_these(reading, meant, finding.chosen))
        spelled = [ids[row] for row in by_words.rows if row in by_words.by_spelling]
        for note in spelled:
            corrected.setdefault(note, {}).update(by_words.corrected)
        hits.append(
            Hits(
                question,
                words=list(ids.values()),
                spelled=spelled,
                plain=[ids[row] for row in by_words.rows if row in by_words.by_words],
                meaning=[note for note in meant if note in stored],
                keys=[one.note.id for one in named],
            )
        )
    about = {note: one for note, one in stored.items() if is_about(one, finding.file)}
    stale = {note: finding.is_stale(one) for note, one in about.items()}
    weights = {
        note: Weight(one.note.helped - one.note.hurt, stale[note], one.note.edited_at) for note, one in about.items()
    }
    return [
        Found(about[one.id], one.score, one.why, corrected.get(one.id, {}), stale[one.id])  # type: ignore[arg-type] # a `WhyFound` each
        for one in rank(hits, weights)[: finding.limit]
    ]


def _named(reading: Reading, question: str, chosen: Chosen) -> list[StoredNote]:
    """The notes whose key is asked for."""
    key = question.strip()
    every = (one for scope in chosen.scopes or () for one in reading.notes.by_key(key, scope))
    return _matching(every, chosen)


def _of_these(reading: Reading, notes: Sequence[str], chosen: Chosen) -> list[StoredNote]:
    return reading.notes.choose(replace(chosen, ids=tuple(notes)), len(notes)) if notes else []


def _matching(every: Iterable[StoredNote], chosen: Chosen) -> list[StoredNote]:
    return [
        one
        for one in every
        if chosen.kind in {None, one.note.content.kind} and (chosen.tag is None or chosen.tag in one.note.content.tags)
    ]


SIMILAR = 3
"""Notes that say nearly the same, of an answer."""
LOOKED_AT = 10


def similar(reading: Reading, note: str) -> list[StoredNote]:
    """Return notes of the same scope that say nearly the same."""
    stored = reading.notes.get(note)
    if stored is None or not stored.note.content.text:
        return []
    scope = reading.scopes.row_of(stored.note.content.scope)
    hits = reading.search.find(
        stored.note.content.text, Chosen(scopes=() if scope is None else (scope,)), limit=LOOKED_AT
    )
    own = grams(stored.note.content.text)
    near = (reading.notes.at(row) for row in hits.rows if row != stored.row)
    return [one for one in near if one is not None and alike(own, grams(one.note.content.text))][:SIMILAR]
