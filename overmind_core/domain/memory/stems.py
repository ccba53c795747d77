"""The stem of a word by Porter's algorithm of 1980 with his later departures, as the tokenizer `porter` of FTS5 does.

Pure. It is done here as well, as what is counted and compared must be what the index holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_STEMS: dict[str, str] = {}
"""Those found so far; emptied when it is full."""
_MOST_STEMS = 50_000
_SHORTEST = 3
"""Bytes of a word that has a stem."""
_LONGEST = 64

_LONG_PLURAL = re.compile(r".(?:sses|ies)\Z", re.DOTALL)
_UNFINISHED = re.compile(r".(?:at|bl|iz)\Z", re.DOTALL)
"""A stem that has lost an `e` before `-ed` or `-ing`."""

_STEP_2 = {
    "ational": "ate", "tional": "tion", "enci": "ence", "anci": "ance", "izer": "ize", "logi": "log", "bli": "ble",
    "alli": "al", "entli": "ent", "eli": "e", "ousli": "ous", "ization": "ize", "ation": "ate", "ator": "ate",
    "alism": "al", "iveness": "ive", "fulness": "ful", "ousness": "ous", "aliti": "al", "iviti": "ive",
    "biliti": "ble",
}  # fmt: skip
_STEP_3 = {"icate": "ic", "ative": "", "alize": "al", "iciti": "ic", "ical": "ic", "ful": "", "ness": ""}
_STEP_4 = {
    "al": "", "ance": "", "ence": "", "er": "", "ic": "", "able": "", "ible": "", "ant": "", "ement": "", "ment": "",
    "ent": "", "ion": "", "ou": "", "ism": "", "ate": "", "iti": "", "ous": "", "ive": "", "ize": "",
}  # fmt: skip
_STEPS = [
    (sorted(endings, key=len, reverse=True), endings, measure)
    for endings, measure in ((_STEP_2, 1), (_STEP_3, 1), (_STEP_4, 2))
]
"""Suffixes, the longest first; what stands in their place; how often a consonant must follow a vowel before them."""
_LAST = frozenset(ending[-1] for suffixes, _, _ in _STEPS for ending in suffixes) | frozenset("sdgyel")
"""The last letters of words that have another stem than themselves: an identifier with a number has none."""


def stem(word: str) -> str:
    """Return the stem of one of `words`: that of Porter (1980) with his later departures, as FTS5 has it."""
    found = _STEMS.get(word)
    if found is None:
        if len(_STEMS) >= _MOST_STEMS:
            _STEMS.clear()
        size = len(word) if word.isascii() else len(word.encode())
        may_end = word[-1:] in _LAST and _SHORTEST <= size <= _LONGEST
        found = _STEMS[word] = _stem(word) if may_end else word
    return found


def _stem(word: str) -> str:
    word = _without_ending(_without_plural(word))
    if word.endswith("y") and _has_vowel(word[:-1]):
        word = f"{word[:-1]}i"
    for suffixes, endings, measure in _STEPS:
        word = _replaced(word, suffixes, endings, measure)
    if word.endswith("e"):
        before = word[:-1]
        many = _measure(before)
        if many > 1 or (many == 1 and not _ends_short(before)):
            word = before
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word


def _without_plural(word: str) -> str:
    if not word.endswith("s") or word.endswith("ss"):
        return word
    return word[:-2] if _LONG_PLURAL.search(word) else word[:-1]


def _without_ending(word: str) -> str:
    """Without `-ed` and `-ing`."""
    if word.endswith("eed") and word != "eed":
        return word[:-1] if _measure(word[:-3]) else word
    ending = next((one for one in ("ed", "ing") if len(word) > len(one) and word.endswith(one)), "")
    before = word.removesuffix(ending)
    if not ending or not _has_vowel(before):
        return word
    if _UNFINISHED.search(before):
        return f"{before}e"
    if before[-1] == before[-2:-1] and before[-1] not in "aeioulsz":
        return before[:-1]
    return f"{before}e" if _measure(before) == 1 and _ends_short(before) else before


def _replaced(word: str, suffixes: Iterable[str], endings: Mapping[str, str], measure: int) -> str:
    """With another ending: that of the longest suffix that it has, if enough is before it."""
    for suffix in suffixes:
        if word.endswith(suffix) and len(word) > len(suffix):
            before = word.removesuffix(suffix)
            if _measure(before) < measure or (suffix == "ion" and before[-1] not in "st"):
                return word
            return before + endings[suffix]
    return word


def _shape(word: str) -> str:
    """`v` for each vowel, `c` for each other byte; a `y` is a vowel behind a consonant."""
    shape = ""
    for letter in word:
        is_vowel = letter in "aeiou" or (letter == "y" and shape.endswith("c"))
        shape += "v" if is_vowel else "c" if letter.isascii() else "c" * len(letter.encode())
    return shape


def _measure(word: str) -> int:
    """How often a consonant follows a vowel."""
    return _shape(word).count("vc")


def _has_vowel(word: str) -> bool:
    return "v" in _shape(word) or "y" in word[1:]


def _ends_short(word: str) -> bool:
    """Whether it ends as `hop` does."""
    return _shape(word).endswith("cvc") and word[-1] not in "wxy"
