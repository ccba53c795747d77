"""The choice of notes for an agent: pinned ones, and those that fit its task. Pure.

A note that fits shares an identifier or a path with the question, is about a file that it names, or says much the same
in words that are rare in the scope. Merely sharing words does not do: with some thousand notes most questions share two
with a stranger.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from overmind_core.domain.memory.block import BlockNote, head_line, tokens_of_block
from overmind_core.domain.memory.notes import Note, NoteState
from overmind_core.domain.memory.ranking import alike, grams
from overmind_core.domain.memory.stems import stem
from overmind_core.domain.memory.words import identifiers, paths, stems, words
from overmind_core.domain.text.file_pattern import matches

MOST_GIVEN = 5
"""Notes of a block."""
SENTENCES = 20
"""Of a question, that are compared with notes."""
LONGEST = 20_000
"""Characters of a question that are looked at."""
FEWEST = 30
"""A scope counts as one of so many notes: in a smaller one each word is rare."""
MOST_PATHS = 50
"""Of a question, that are compared with the files of notes."""
TWO_SHARED = 2
LEAST_ALIKE = 0.3
"""The cosine from which a note of a small scope fits one sentence; words that say nothing are not part of it."""
PER_TENFOLD_NOTES = 0.07
"""More for each ten times as many notes of the scope: the best of many strangers is more alike than that of few."""
PER_TENFOLD_SENTENCES = 0.05
"""These three were chosen by `bench/memory.py`: what fits is given, and few strangers are."""
OF_THE_BEST = 0.7
"""The share of the best note's cosine that a note must have as well."""
MOST_NAMING = 3
"""Notes that may name an identifier for it to be a reason by itself; more of them are told apart by their words."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_EMPTY_WORDS = frozenset(
    re.findall(
        r"\w+",
        """a about after again all also am an and any are as at be because been before being between both but by can
        could did do does doing done down during each even every few for from get gets given got had has have having
        he her here him his how i if in into is it its itself just let like made make makes may me might more most much
        must my need needs new no nor not now of off on once one only or other our out over own please same she should
        so some such than that the their them then there these they this those through to too two under until up us
        use used uses using very via want was way we were what when where whether which while who whom why will with
        within without would yes yet you your""",
    )
)
"""Function words: never a reason to give a note, however rare they are in a small scope."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A note that may be given."""

    note: Note
    stale: bool = False
    """None of its files is there."""
    stems: frozenset[str] = field(init=False)
    """Of its text, without empty words."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "stems", _stems(self.note.content.text))  # asked for twice, and slow to tell


class Corpus(NamedTuple):
    """The words of the scopes that are asked, with how many notes have each."""

    notes: int
    frequency: Mapping[str, int]
    """In how many notes each stem is; of those that `stems_of` names, at least."""


class Picked(NamedTuple):
    """A note that is given."""

    note: Note
    why: str
    """`pinned`, `identifier`, `path` or `words`."""
    shown: BlockNote


class Choice(NamedTuple):
    """The chosen notes."""

    picked: tuple[Picked, ...]
    left_out: int
    """Notes that fit as well, beyond the limits of the block."""


def stems_of(question: str, candidates: Iterable[Candidate]) -> frozenset[str]:
    """Return the stems whose frequency decides."""
    found = {one for sentence in _sentences(question) for one in sentence}
    found.update(stem(word) for name in identifiers(question[:LONGEST]) for word in words(name))
    for candidate in candidates:
        found.update(candidate.stems)
    return frozenset(found)


def choose(
    question: str,
    candidates: Sequence[Candidate],
    corpus: Corpus,
    *,
    budget: int,
    only_pinned: bool = False,
    folder: str = "/",
) -> Choice:
    """Return the notes for an agent that begins with this question.

    Args:
        question: Its prompt, "" without one.
        candidates: Pinned ones in any order, all others as `ranking.rank` orders them.
        corpus: About the scopes of the candidates.
        budget: Tokens of the block at most, its frame included.
        only_pinned: Whether nothing else is wanted.
        folder: The top of the repository: an absolute path in the question may be below it.

    """
    able = [one for one in candidates if _may_be_given(one)]
    pinned = sorted((one.note for one in able if one.note.content.pinned), key=lambda note: (-note.edited_at, note.id))
    fitting: list[tuple[Note, str]] = [(note, "pinned") for note in pinned]
    if question and not only_pinned:
        fitting += _fitting(question[:LONGEST], able, corpus, folder)
    shown = [
        (note, why, BlockNote(head_line(note, like=like), note.content.text)) for note, why, like in _apart(fitting)
    ]
    picked: list[Picked] = []
    for note, why, block_note in shown:
        if len(picked) < MOST_GIVEN and tokens_of_block([*(one.shown for one in picked), block_note]) <= budget:
            picked.append(Picked(note, why, block_note))
    return Choice(tuple(picked), len(shown) - len(picked))


def _may_be_given(candidate: Candidate) -> bool:
    note = candidate.note
    return note.state is NoteState.LIVE and not note.rests and (note.content.pinned or not candidate.stale)


def _fitting(question: str, candidates: Sequence[Candidate], corpus: Corpus, folder: str) -> list[tuple[Note, str]]:
    """Those that are not pinned and fit, with the reason, in their order."""
    named = _rarely_named(identifiers(question), corpus)
    places = paths(question)[:MOST_PATHS]
    sentences = _sentences(question)
    weights = _Weights(corpus)
    weighed = [(sentence, weights.of(sentence)) for sentence in sentences]
    cosines = {one.note.id: _best_cosine(one.stems, weighed, weights) for one in candidates}
    of_notes = PER_TENFOLD_NOTES * math.log10(max(FEWEST, corpus.notes) / FEWEST)
    of_sentences = PER_TENFOLD_SENTENCES * math.log10(max(1, len(sentences)))
    least = max(LEAST_ALIKE + of_notes + of_sentences, OF_THE_BEST * max(cosines.values(), default=0.0))
    found = []
    for note in (one.note for one in candidates):
        if note.content.pinned:
            continue
        shared = named & identifiers(note.content.text) if _may_name(note.content.text, named) else frozenset[str]()
        if any("/" in name for name in shared) or _is_about(note, places, folder):
            found.append((note, "path"))
        elif shared:
            found.append((note, "identifier"))
        elif cosines[note.id] >= least:
            found.append((note, "words"))
    return found


def _is_about(note: Note, places: Iterable[str], folder: str) -> bool:
    return any(matches(glob, place, folder=folder) for place in places for glob in note.content.files)


def _rarely_named(names: Iterable[str], corpus: Corpus) -> frozenset[str]:
    """Those of the identifiers that few notes name: as few as the rarest of their words."""
    rarest = ((name, min((corpus.frequency.get(stem(word), 0) for word in words(name)), default=0)) for name in names)
    return frozenset(name for name, many in rarest if many <= MOST_NAMING)


def _may_name(text: str, named: Iterable[str]) -> bool:
    """Whether a text has the letters of one of these identifiers in a row, which is quickly seen."""
    letters = text.replace("_", "").lower()
    return any(name.replace("_", "") in letters for name in named)


def _apart(fitting: Iterable[tuple[Note, str]]) -> list[tuple[Note, str, tuple[str, ...]]]:
    """Of notes that say nearly the same one, with the ids of the others: what is pinned, then the newest."""
    groups: list[list[tuple[Note, str, frozenset[str]]]] = []
    for note, why in fitting:
        own = grams(note.content.text)
        near = next((group for group in groups if any(alike(own, grams_) for *_, grams_ in group)), None)
        if near is None:
            groups.append([(note, why, own)])
        else:
            near.append((note, why, own))
    found = []
    for group in groups:
        note, why, _ = min(group, key=lambda one: (not one[0].content.pinned, -one[0].edited_at, one[0].id))
        found.append((note, why, tuple(sorted(other.id for other, *_ in group if other.id != note.id))))
    return found


# words


def _sentences(question: str) -> list[frozenset[str]]:
    """The stems of the first sentences."""
    stemmed = (_stems(sentence) for sentence in _SENTENCE_END.split(question[:LONGEST]))
    return [sentence for sentence in stemmed if len(sentence) >= TWO_SHARED][:SENTENCES]


def _stems(text: str) -> frozenset[str]:
    return frozenset(stems(text)) - _EMPTY_STEMS


_EMPTY_STEMS = frozenset(map(stem, _EMPTY_WORDS))


class _Weights(dict[str, float]):
    """Stem → the square of its weight: the rarer it is in the corpus, the more it counts."""

    def __init__(self, corpus: Corpus) -> None:
        super().__init__()
        self._corpus = corpus

    def __missing__(self, one: str) -> float:
        notes, having = max(FEWEST, self._corpus.notes), self._corpus.frequency.get(one, 0)
        found = self[one] = math.log(1 + notes / (0.5 + having)) ** 2
        return found

    def of(self, stems_: Iterable[str]) -> float:
        """The sum for some stems, rounded once: else the last digit would differ with the order of a set."""
        return math.fsum(map(self.__getitem__, stems_))


def _best_cosine(own: frozenset[str], sentences: Iterable[tuple[frozenset[str], float]], weights: _Weights) -> float:
    """How near a note is to the sentence that is nearest to it, of those with two words of it.

    `sentences`: each with the sum of its weights.
    """
    near = [(own & sentence, square) for sentence, square in sentences if len(own & sentence) >= TWO_SHARED]
    if not near:
        return 0.0
    own_square = weights.of(own)
    return max(weights.of(shared) / math.sqrt(own_square * square) for shared, square in near)
