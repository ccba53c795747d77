"""Words that were misspelled, repaired from the words that notes have. Pure.

Two words that differ in little have a word in common that each becomes by leaving out a letter or two. Those
neighbours are kept as numbers (see `neighbours`), so what may be meant is found by equality; `corrections` then looks
at the words themselves.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping

SHORTEST = 4
"""Letters of a word that is repaired; a shorter one is near to too many others."""
TWO_FROM = 8
"""Letters from which two may be wrong, not one."""
TWO_TO = 16
"""Letters up to which two may be wrong: the neighbours of a longer word are too many to keep."""
MOST_WRONG = 2
"""Letters."""


def neighbours(word: str) -> frozenset[int]:
    """Return the numbers of 40 bits of a word and of what it becomes without one letter, or without two."""
    found = {word}
    for _ in range(_most_wrong(word)):
        found.update(shorter for one in tuple(found) for shorter in _without_a_letter(one))
    return frozenset(map(_hash, found))


def corrections(word: str, near: Mapping[str, int]) -> list[str]:
    """Return the words that may be meant by a word, the likeliest first; none when the word itself is known.

    Args:
        word: One of `words.words`.
        near: Words that may have a neighbour in common with it, and in how many notes each is.

    """
    if word in near or len(word) < SHORTEST:
        return []
    most = _most_wrong(word)
    found = []
    for candidate, notes in near.items():
        # Another number is no misspelling: E501 is not E502.
        if len(candidate) >= SHORTEST - 1 and _digits(candidate) == _digits(word):
            far = distance(word, candidate)
            if far <= most:
                found.append((far, candidate[0] != word[0], -notes, candidate))
    return [candidate for *_, candidate in sorted(found)]


def distance(one: str, other: str) -> int:
    """Return in how many places two words differ: a letter more, less, another one, or two that changed places."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    one, other = one[start:], other[start:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one):
        further = [place + 1]
        for at, opposite in enumerate(other):
            least = min(row[at] + (letter != opposite), row[at + 1] + 1, further[at] + 1)
            if place and at and letter == other[at - 1] and opposite == one[place - 1]:
                least = min(least, before[at - 1] + 1)
            further.append(least)
        before, row = row, further
    return row[-1]


def _most_wrong(word: str) -> int:
    return MOST_WRONG if TWO_FROM <= len(word) <= TWO_TO else 1


def _without_a_letter(word: str) -> Iterator[str]:
    return (word[:place] + word[place + 1 :] for place in range(len(word)))


def _hash(word: str) -> int:
    """40 bits, the same in every version: they are stored. Two words with one number are told apart by `distance`."""
    written = word.encode(errors="surrogatepass")
    return zlib.crc32(written) << 8 | zlib.adler32(written) & 0xFF


def _digits(word: str) -> str:
    return "".join(filter(str.isdigit, word))
