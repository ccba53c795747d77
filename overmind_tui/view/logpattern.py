"""What is typed after `/` in a log: which lines are meant, and where in them the words stand."""

from __future__ import annotations

import re
from collections.abc import Iterable

from overmind_tui import patience
from overmind_tui.view import filter as filtering
from overmind_tui.view.ansi import stripped
from overmind_tui.view.filter import BrokenFilter, Filter

_PLAIN = re.compile(r"[\w /:=,;@#%&~'<>-]+", re.ASCII)
"""A word in which nothing means anything else to a regular expression."""
_FLAGS = re.IGNORECASE | re.MULTILINE
_REPEATS, _CHOICES = "*+{", "?|"
TRIED = 200
"""Lines that a pattern is tried with before it is used on all."""


class Pattern:
    """Of the lines of a log; made by `parsed`."""

    __slots__ = ("_filter", "_tests", "_words", "literals", "risky", "text")

    def __init__(self, text: str, wanted: Filter) -> None:
        self.text = text
        self._filter = wanted
        self._tests = [(re.compile(word.text, _FLAGS), word.unwanted) for word in filtering.words(text)]
        self._words = [pattern for pattern, unwanted in self._tests if not unwanted]
        words = [word for word in filtering.words(text) if not word.unwanted]
        self.literals = tuple(word.text.lower().encode() for word in words if _PLAIN.fullmatch(word.text))
        """What each line that matches holds, in lower case, where all is ASCII."""
        self.risky = any(map(_may_explode, (word.text for word in filtering.words(text))))
        """Whether there may be lines with which a search takes for ever."""

    @property
    def slow(self) -> bool:
        """Whether it was given up, as a search took too long: every line is meant from then on."""
        return self._filter.slow

    def give_up(self) -> None:
        """A search took too long."""
        self._filter.slow = True

    def matches(self, line: str) -> bool:
        """Whether a line is meant; colours in it don't count. Gives up a search that would go on for ever."""
        return self._filter.matches(stripped(line)[: filtering.LONGEST])

    def holds(self, line: str) -> bool:
        """The same, faster, and without giving up by itself: for lines by the thousand."""
        text = stripped(line)[: filtering.LONGEST]
        return self.slow or all((pattern.search(text) is None) is unwanted for pattern, unwanted in self._tests)

    def marks(self, text: str) -> list[tuple[int, int]]:
        """Where words stand in a text without colours: ascending places, from and to, none within another."""
        found: list[tuple[int, int]] = []
        try:
            found += patience.within(filtering.PATIENCE, lambda: self._spans(text[: filtering.LONGEST]))
        except patience.OutOfPatience:
            self.give_up()
        kept: list[tuple[int, int]] = []
        for start, end in found:
            begin = max(start, kept[-1][1]) if kept else start
            if begin < end:
                kept.append((begin, end))
        return kept

    def _spans(self, text: str) -> list[tuple[int, int]]:
        return [] if self.slow else sorted(one.span() for word in self._words for one in word.finditer(text))


def _may_explode(word: str) -> bool:
    """Whether an expression repeats something in more than one way: only such ones backtrack without end."""
    repeats = sum(map(word.count, _REPEATS))
    return bool(repeats) and repeats + sum(map(word.count, _CHOICES)) > 1


def parsed(text: str, lines: Iterable[str] = ()) -> Pattern | None:
    """What a text means; None: every line. It is tried with some lines first.

    Raises:
        BrokenFilter: a word is no regular expression, or takes too long.
    """
    wanted = filtering.lines(text)
    if not wanted:
        return None
    pattern = Pattern(text.strip(), wanted)
    for line in lines:
        pattern.matches(line)
        if wanted.slow:
            raise BrokenFilter("it takes too long")
    return pattern
