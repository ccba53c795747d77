"""Finding by letters: how well what is typed fits what can be done and gone to, and in which order that stands. Pure.

Letters match a name where they stand in it in their order; of a sentence they match a piece. What fits better has more
points: beginnings of words count most, then letters that follow each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """The heading below which something stands."""

    ACTION = "do here"
    MISSION = "missions"
    VIEW = "views"
    COMMAND = "commands: enter types them"
    MOVE = "moves"


class Findable(NamedTuple):
    """Something that can be found.

    Attributes:
        kind: Its heading.
        name: It is called so.
        also: Other names, parted by blanks.
        words: A sentence about it.
    """

    kind: Kind
    name: str
    also: str = ""
    words: str = ""


BEGINS, WORD, NEXT, INSIDE = 12, 10, 8, 1
"""Points of a letter: at the beginning of the name, of a word in it, behind the letter before, or anywhere."""
SKIPPED, MOST_SKIPPED = 1, 4
"""Points that each character between two letters costs, and what all of them cost at most."""
NAMED, ALSO = 20, 10
"""Points of each word that is found in a name, or in another name, and not in a sentence."""
WHOLE = 15
"""Points of a word that is the name."""


def score(name: str, letters: str) -> int | None:
    """The points of letters in a name, at the best of their places; None where they are not in it in their order."""
    text, wanted = name.casefold(), letters.casefold()
    if not _stands_in(text, wanted):
        return None
    best = {-1: 0}
    """Place of a letter → the most points of all letters up to it."""
    for number, letter in enumerate(wanted):
        found = {
            place: max(_worth(text, place, at if number else None, before) for at, before in best.items() if at < place)
            for place in _places(text, letter, min(best) + 1)
        }
        if not found:
            return None
        best = found
    return max(best.values()) + (WHOLE if text == wanted else 0)


def _stands_in(text: str, wanted: str) -> bool:
    at = 0
    for letter in wanted:
        at = text.find(letter, at) + 1
        if not at:
            return False
    return True


def _places(text: str, letter: str, begin: int) -> Iterator[int]:
    place = text.find(letter, begin)
    while place >= 0:
        yield place
        place = text.find(letter, place + 1)


def _worth(text: str, place: int, at: int | None, before: int) -> int:
    """The points up to the letter at a place, where the one before stands `at` a place and has `before` points."""
    if at is None:
        return _points(text, place, follows=False)
    skipped = min((place - at - 1) * SKIPPED, MOST_SKIPPED)
    return before - skipped + _points(text, place, follows=at == place - 1)


def _points(text: str, place: int, *, follows: bool) -> int:
    if not place:
        return BEGINS
    if not text[place - 1].isalnum():
        return WORD
    return NEXT if follows else INSIDE


def in_sentence(sentence: str, piece: str) -> int | None:
    """The points of a piece of a sentence; None where it is none."""
    text, wanted = sentence.casefold(), piece.casefold()
    at = text.find(wanted)
    if at < 0:
        return None
    begins = f" {text}".find(f" {wanted}") >= 0
    return (WORD if begins else INSIDE) + len(wanted)


def points(item: Findable, words: Sequence[str]) -> int | None:
    """The points of all words that were typed; None where one of them is not found."""
    total = 0
    for word in words:
        found = [
            *_plus(score(item.name, word), NAMED),
            *(one for name in item.also.split() for one in _plus(score(name, word), ALSO)),
            *_plus(in_sentence(item.words, word), 0),
        ]
        if not found:
            return None
        total += max(found)
    return total


def _plus(found: int | None, more: int) -> list[int]:
    return [] if found is None else [found + more]


def ranked(items: Sequence[Findable], letters: str, most: int) -> list[list[int]]:
    """The places of what fits, in groups of one kind: the best kind first, and in each the best first.

    Args:
        items: All of it.
        letters: What was typed; words may stand in any order. Nothing: all fit, in their own order.
        most: So many at most.
    """
    words = letters.split()
    fitting = [(place, found) for place, item in enumerate(items) if (found := points(item, words)) is not None]
    if words:
        fitting.sort(key=lambda one: (-one[1], len(items[one[0]].name), one[0]))
    groups: dict[Kind, list[int]] = {}
    for place, _ in fitting[:most]:
        groups.setdefault(items[place].kind, []).append(place)
    return list(groups.values())
