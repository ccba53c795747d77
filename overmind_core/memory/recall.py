"""What answers a question, the best first; and what says nearly the same as a note. On a thread that reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.text.file_pattern import matches
from overmind_core.memory.tables import Chosen

if TYPE_CHECKING:
    from overmind_core.memory.answer_types import WhyFound
    from overmind_core.memory.opened import Reading
    from overmind_core.memory.tables import StoredNote

FUSED = 60
"""k of reciprocal rank fusion."""
STALE = 0.5
"""What a stale note's score is multiplied with."""
VOTE = 0.1
MOST_VOTES = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """What is looked for."""

    asked: Sequence[str]
    """Questions about the same."""
    chosen: Chosen
    limit: int
    file: str | None
    """Only notes about this path."""
    is_stale: Callable[[StoredNote], bool]


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


def recall(reading: Reading, finding: Finding) -> list[Found]:
    """Return the notes that answer these questions, the best first."""
    scores: dict[int, float] = {}
    why: dict[int, dict[WhyFound, None]] = {}
    corrected: dict[int, dict[str, str]] = {}
    for question in finding.asked:
        hits = reading.search.find(question, finding.chosen)
        for place, row in enumerate(hits.rows):
            scores[row] = scores.get(row, 0.0) + 1 / (FUSED + place + 1)
            reasons = why.setdefault(row, {})
            if row in hits.by_words:
                reasons["words"] = None
            if row in hits.by_spelling:
                reasons["spelling"] = None
                corrected.setdefault(row, {}).update(hits.corrected)
    named = _named(reading, finding)
    found = []
    for row in {**dict.fromkeys(named), **scores}:
        stored = reading.notes.at(row)
        if stored is None or not is_about(stored, finding.file):
            continue
        stale = finding.is_stale(stored)
        votes = max(-MOST_VOTES, min(MOST_VOTES, stored.note.helped - stored.note.hurt))
        score = (scores.get(row, 0.0) + named.get(row, 0.0)) * (1 + VOTE * votes) * (STALE if stale else 1.0)
        reasons_: tuple[WhyFound, ...] = (*(("key",) if row in named else ()), *why.get(row, {}))
        found.append(Found(stored, score, reasons_, corrected.get(row, {}), stale))
    found.sort(key=lambda one: (-one.score, -one.stored.note.edited_at, one.stored.note.id))
    return found[: finding.limit]


def _named(reading: Reading, finding: Finding) -> dict[int, float]:
    """The notes whose key is asked for."""
    named = {}
    for question in finding.asked:
        for scope in finding.chosen.scopes or ():
            for one in reading.notes.by_key(question.strip(), scope):
                named[one.row] = 1.0
    return named


SIMILAR = 3
"""Notes that say nearly the same, of an answer."""
LOOKED_AT = 10


def similar(reading: Reading, note: str) -> list[StoredNote]:
    """Return notes of the same scope that say nearly the same."""
    stored = reading.notes.get(note)
    if stored is None or not stored.note.content.text:
        return []
    scope = reading.scopes.row_of(stored.note.content.scope)
    chosen = Chosen(scopes=() if scope is None else (scope,))
    hits = reading.search.find(stored.note.content.text, chosen, limit=LOOKED_AT)
    near = (reading.notes.at(row) for row in hits.rows if row != stored.row)
    return [one for one in near if one is not None and _alike(one, stored)][:SIMILAR]


def _alike(one: StoredNote, other: StoredNote) -> bool:
    first, second = (_grams(stored.note.content.text) for stored in (one, other))
    return len(first & second) >= ALIKE * len(first | second)


ALIKE = 0.7
"""Of the sets of four letters that two texts have."""
GRAM = 4


def _grams(text: str) -> frozenset[str]:
    folded = " ".join(text.lower().split())
    return frozenset(folded[at : at + GRAM] for at in range(max(1, len(folded) - GRAM + 1)))
