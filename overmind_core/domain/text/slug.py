"""Names made from a title: what quests and specs are called when nobody named them. Pure.

A slug is made of `a-z`, `0-9` and single dashes inside, has at most 40 characters, and is always a name that a mission
may have.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container

LONGEST_SLUG = 40
"""Characters, its number included."""
UNTITLED = "untitled"

_LONGEST_TITLE = 4096
"""Characters of a title that are looked at."""
_SHORTEST_CUT = LONGEST_SLUG // 2
"""Characters that must stay where a slug is cut between two words; else it is cut within one."""
_SILENT = re.compile("['\u2019`\u00b4]|[\u0300-\u036f]")
"""Apostrophes, and what decomposing has taken off a letter: both join what stands around them."""
_OTHER = re.compile(r"[^a-z0-9]+")
_OF_ID = re.compile(r"(?:quest|spec)-[0-9a-f]{8}")
"""The name of a quest or a spec whose title has nothing for one."""
_LIKE_AN_ID = re.compile(r"[0-9a-f]{8}")
"""No mission may be called so, see `domain.missions.names`."""


def slug_of(title: str, taken: Callable[[str], bool] | Container[str], *, unnamed: str = UNTITLED) -> str:
    """Return the slug of `title` that is not taken: `add-login`, else `add-login-2` and so on.

    Letters with accents lose them.

    Args:
        title: Any text.
        taken: Names that are.
        unnamed: What a title becomes that has no letter or digit of ASCII, such as one in Japanese.
    """
    is_taken = taken if callable(taken) else taken.__contains__
    stem = _cut(_words(title), LONGEST_SLUG) or unnamed
    for number in count(1):
        suffix = "" if number == 1 else f"-{number}"
        slug = _cut(stem, LONGEST_SLUG - len(suffix)) + suffix
        if not _LIKE_AN_ID.fullmatch(slug) and not is_taken(slug):
            return slug
    raise AssertionError  # count() has no end


def says_less(name: str, title: str) -> bool:
    """Whether a name was made from `title` without some of its letters, or without all of its text."""
    plain = _plain(title)
    letters = [one for one in plain if one.isalnum()]
    if letters and all(one.isascii() for one in letters):
        return False
    stem = _cut(_words(title), _SHORTEST_CUT)
    return _OF_ID.fullmatch(name) is not None or bool(stem and name.startswith(stem))


def _words(title: str) -> str:
    """The title's words, joined by dashes."""
    return _OTHER.sub("-", _plain(title)).strip("-")


def _plain(title: str) -> str:
    """The title in small letters without accents."""
    return _SILENT.sub("", unicodedata.normalize("NFKD", title[:_LONGEST_TITLE])).casefold()


def _cut(words: str, longest: int) -> str:
    """As much of it as fits: whole words where that leaves enough."""
    if len(words) <= longest:
        return words
    end = words.rfind("-", 0, longest + 1)
    return words[: end if end >= _SHORTEST_CUT else longest].rstrip("-")
