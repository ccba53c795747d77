"""The words that somebody looks for in transcripts: which texts they mean, and which bytes such a text needs.

Words, or parts of words, may stand in any order, all in one line or one message; `"a phrase"` stands together, and
`-word` must not be there. Upper and lower case are the same. Pure.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate
from typing import NamedTuple

LONGEST = 1000
"""Characters of a query."""
_TOKEN = re.compile(r'\s*(-?)"([^"]*)("?)(?=\s|$|")|\s*(\S+)')
_UNSURE = re.compile(r"[^\w.;()\[\]{}+*#@!%^|~-]+")
"""What stands otherwise in a line of JSON than in the text that is shown, or in another place: a word is cut there."""
_CASED_END = 0x1E944
"""No character from here on has another case. Source: Unicode 15."""


class BrokenQuery(ValueError):
    """Words that mean nothing; the reason in one sentence."""


class Piece(NamedTuple):
    """A part of a word, without which no raw bytes hold it."""

    text: str
    """In lower case."""
    ascii: bytes | None
    """The same as bytes; None where other cases or spellings have to be looked for."""
    pattern: re.Pattern[str]


class WordQuery:
    """Words that a line, or a message, has or must not have.

    Args:
        wanted: Words and phrases, one at least.
        unwanted: The same.
    """

    def __init__(self, wanted: Sequence[str], unwanted: Sequence[str] = ()) -> None:
        self.wanted = [_pattern(one) for one in wanted]
        self._unwanted = [_pattern(one) for one in unwanted]
        self.pieces = _pieces(wanted)
        """What the raw bytes of a matching text hold somewhere; the longest first."""

    def matches(self, text: str) -> bool:
        """Whether a text has all that is wanted, and nothing that is not."""
        return all(one.search(text) for one in self.wanted) and not any(one.search(text) for one in self._unwanted)

    def found_in(self, lines: Sequence[str]) -> list[int]:
        """Return which lines of one message are hits.

        Each that matches by itself; where none does, but the whole message, the one with most of the words.
        """
        found = [number for number, line in enumerate(lines) if self.matches(line)]
        whole = " ".join(lines)
        if found or len(lines) == 1 or not self.matches(whole):
            return found
        counts = [sum(one.search(line) is not None for one in self.wanted) for line in lines]
        if any(counts):
            return [counts.index(max(counts))]
        ends = accumulate(len(line) + 1 for line in lines)  # a phrase goes over the end of a line
        return [bisect_right(list(ends), self.place_in(whole))]

    def place_in(self, line: str) -> int:
        """Return where the first of the words stands in a line; 0 where none does."""
        return min((found.start() for one in self.wanted if (found := one.search(line))), default=0)


def parsed(texts: Sequence[str]) -> WordQuery:
    """Return the query that words of a command line mean.

    A text with blanks is a phrase, as a shell has taken its quotes, unless a word in it is quoted or unwanted.

    Raises:
        BrokenQuery: There is nothing to look for, a quote is open, or it is too long.
    """
    if sum(map(len, texts)) > LONGEST:
        raise BrokenQuery(f"The words are longer than {LONGEST:,} characters. Give fewer")
    wanted: list[str] = []
    without: list[str] = []
    for text in texts:
        if '"' not in text and not re.search(r"(?:^|\s)-\S", text):
            wanted.append(text)
            continue
        for word, is_unwanted in _tokens(text):
            (without if is_unwanted else wanted).append(word)
    wanted, without = ([" ".join(one.split()) for one in words if one.strip()] for words in (wanted, without))
    if not wanted and without:
        raise BrokenQuery("All words are to be left out. Add one that is looked for")
    if not wanted:
        raise BrokenQuery("There is no word to look for")
    return WordQuery(wanted, without)


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """The words and phrases of a text, and whether each is unwanted."""
    at = 0
    text = text.rstrip()
    while at < len(text) and (found := _TOKEN.match(text, at)):
        minus, phrase, closed, word = found.groups()
        if phrase is not None and not closed:
            raise BrokenQuery(f'A quote is not closed: "{phrase[:40]}. Close it')
        if phrase is not None:
            yield phrase, bool(minus)
        elif word.startswith(('"', '-"')) and len(word) > 1:
            raise BrokenQuery(f"A quote is not closed: {word[:40]}. Close it")
        else:
            yield (word[1:], True) if word.startswith("-") and len(word) > 1 else (word, False)
        at = found.end()


def _pattern(phrase: str) -> re.Pattern[str]:
    """What finds a phrase, in any case, however its words are parted."""
    return re.compile(r"\s+".join("".join(map(_any_case, word)) for word in phrase.split()))


@cache
def _any_case(character: str) -> str:
    """Return an expression for a character in each of its cases; a letter of ASCII has no other relatives."""
    if character.isascii():
        both = {character.lower(), character.upper()}
        return re.escape(character) if len(both) == 1 else f"[{''.join(sorted(both))}]"
    found = sorted(_cases(character))
    return re.escape(character) if len(found) == 1 else f"[{''.join(found)}]"


def _cases(character: str) -> set[str]:
    """All characters outside of ASCII that are this one in some case: of the Greek sigma there are three."""
    same = {one for one in (character, character.lower(), character.upper()) if len(one) == 1 and not one.isascii()}
    if same == {character} and character.lower() == character.upper():
        return same
    each = map(chr, range(0x80, _CASED_END))
    return {character, *(one for one in each if one.lower() in same or one.upper() in same)}


def _lowered(word: str) -> str:
    """A word in lower case; a sign for kelvin is no letter of ASCII."""
    return "".join(low if (low := one.lower()).isascii() == one.isascii() else one for one in word)


def _pieces(phrases: Sequence[str]) -> list[Piece]:
    """The parts of words that stand in raw bytes as they are, each once, the longest first."""
    texts = {_lowered(piece) for phrase in phrases for word in phrase.split() for piece in _UNSURE.split(word) if piece}
    kept = [one for one in texts if not any(one != other and one in other for other in texts)]
    return [
        Piece(one, one.encode() if one.isascii() else None, _pattern(one))
        for one in sorted(kept, key=lambda text: (not text.isascii(), -len(text), text))
    ]
