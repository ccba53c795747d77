"""The ranking of notes for a question: reciprocal rank fusion of lists, weighted by votes and stale files. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from overmind_core.domain.memory.words import is_identifier, is_path, words

FUSED = 60
"""k of reciprocal rank fusion: a hit at place p of a list counts 1 / (k + p)."""
MOST_VOTES = 5
"""A vote more or less counts up to here."""
A_VOTE = 0.1
STALE = 0.5
"""The share of its score that is left to a note whose files are gone."""
FEW_WORDS = 2
"""Words of a question that names something rather than asks."""
ALIKE = 0.7
"""The share of their grams that two texts have in common when they say nearly the same."""
GRAM = 4
"""Letters of a gram."""

_ASKING = re.compile(
    r"(?:why|what|how|when|where|who|whom|whose|which|is|are|am|was|were|do|does|did|can|could|may|must|shall|should"
    r"|will|would|has|have|had)\b|.*\?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_TURNING = frozenset({"not", "no", "never", "don", "doesn", "didn", "isn", "aren", "t", "do", "does", "did", "cannot"})
"""Words that may turn what a text says into its opposite, and those that come with them."""


class Route(NamedTuple):
    """The weights of the lists of a question."""

    words: float
    meaning: float
    words_first: bool
    """Whether notes with a word of the question come before all others."""


@dataclass(frozen=True, slots=True)
class Hits:
    """The lists of notes found for one question, each with the best first."""

    question: str
    words: Sequence[str] = ()
    """Ids of notes with words of the question, corrected ones included."""
    spelled: Collection[str] = ()
    """Those of them with a word that was corrected."""
    plain: Collection[str] | None = None
    """Those of them with a word as it was asked for; None: all."""
    meaning: Sequence[str] = ()
    """Ids of notes with a similar meaning."""
    keys: Collection[str] = ()
    """Ids of notes whose key is the question."""


class Weight(NamedTuple):
    """The facts of a note that change its score."""

    votes: int
    """How many more say that it helped than that it hurt."""
    stale: bool
    edited_at: float
    """Seconds since the epoch; of equally good ones the newer is first."""


class Ranked(NamedTuple):
    """A note that was found."""

    id: str
    score: float
    why: tuple[str, ...]
    """`words`, `meaning`, `spelling`, `key`: how."""


def route(question: str) -> Route:
    """Return how the lists of a question are to be weighed."""
    parts = question.split()
    names = len(parts) == 1 and (is_identifier(parts[0]) or is_path(parts[0]))
    if names or len(words(question)) <= FEW_WORDS:
        return Route(0.7, 0.3, words_first=True)
    if _ASKING.match(question.strip()):
        return Route(0.5, 0.5, words_first=False)
    return Route(0.7, 0.3, words_first=False)


def rank(hits: Sequence[Hits], weights: Mapping[str, Weight]) -> list[Ranked]:
    """Return the notes that answer these questions, which are about the same, the best first.

    Args:
        hits: One for each question.
        weights: Of each note that may be answered; what is not in it is left out.

    """
    scores: dict[str, float] = {}
    named: set[str] = set()
    worded: set[str] = set()
    for one in hits:
        way = route(one.question)
        for ids, share in ((one.words, way.words), (one.meaning, way.meaning)):
            for place, note in enumerate(ids, 1):
                scores[note] = scores.get(note, 0.0) + share / (FUSED + place)
        named.update(one.keys)
        if way.words_first:
            worded.update(one.words)
    found = []
    for note in {**dict.fromkeys(named), **scores}:
        if note in weights:
            score = scores.get(note, 0.0) * factor(weights[note])
            found.append(Ranked(note, round(score, 9), _why(note, hits)))
    found.sort(
        key=lambda one: (one.id not in named, one.id not in worded, -one.score, -weights[one.id].edited_at, one.id)
    )
    return found


def factor(weight: Weight) -> float:
    """Return the factor of a note's score."""
    votes = max(-MOST_VOTES, min(MOST_VOTES, weight.votes))
    return (1 + A_VOTE * votes) * (STALE if weight.stale else 1.0)


def grams(text: str) -> frozenset[str]:
    """Return the 4-grams of a text without its words of negation: two texts are compared by them."""
    folded = " ".join(word for word in words(text) if word not in _TURNING) or text.strip()
    return frozenset(folded[at : at + GRAM] for at in range(max(1, len(folded) - GRAM + 1)))


def alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Return whether the texts with these grams say nearly the same, or, in the same words, the opposite."""
    return len(one & other) >= ALIKE * len(one | other)


def _why(note: str, hits: Sequence[Hits]) -> tuple[str, ...]:
    how = {
        "words": any(note in (one.words if one.plain is None else one.plain) for one in hits),
        "meaning": any(note in one.meaning for one in hits),
        "spelling": any(note in one.spelled for one in hits),
        "key": any(note in one.keys for one in hits),
    }
    return tuple(name for name, is_so in how.items() if is_so)
