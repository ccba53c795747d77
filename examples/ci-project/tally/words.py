"""What a word is, and how often each occurs."""

from __future__ import annotations

import re
from collections import Counter

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, in order."""
    return WORD.findall(text.casefold())


def counted(text: str) -> list[tuple[str, int]]:
    """Return each word with how often it occurs: the most frequent first, then by the alphabet."""
    return sorted(Counter(words(text)).items(), key=lambda pair: (-pair[1], pair[0]))
