"""The pattern that is typed after `/` in a log: which lines it means, and where in them its words stand and are marked.

Pure but for the time budget of a search.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from overmind_core.system import time_budget
from overmind_core.view import row_filter
from overmind_core.view.cells import Cell, stripped
from overmind_core.view.row_filter import LONGEST, TIME_BUDGET, TIME_BUDGET_EACH, BrokenFilter, Filter, words

_PLAIN = re.compile(r"[\w /:=,;@#%&~'<>-]+", re.ASCII)
"""A word in which nothing means anything else to a regular expression."""
_FLAGS = re.IGNORECASE | re.MULTILINE
_REPEATS, _CHOICES = "*+{", "?|"
TRIED = 200
"""Lines that a pattern is tried with before it is used on all."""


class Pattern:
    """A pattern for the lines of a log; made by `parsed`."""

    __slots__ = ("_filter", "_tests", "_words", "literals", "risky", "text")

    def __init__(self, text: str, wanted: Filter) -> None:
        self.text = text
        self._filter = wanted
        self._tests = [(re.compile(word.text, _FLAGS), word.unwanted) for word in row_filter.words(text)]
        self._words = [pattern for pattern, unwanted in self._tests if not unwanted]
        words = [word for word in row_filter.words(text) if not word.unwanted]
        self.literals = tuple(word.text.lower().encode() for word in words if _PLAIN.fullmatch(word.text))
        """What each line that matches holds, in lower case, where all is ASCII."""
        self.risky = any(map(_may_explode, (word.text for word in row_filter.words(text))))
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
        return self._filter.matches(stripped(line)[: row_filter.LONGEST])

    def holds(self, line: str) -> bool:
        """The same, faster, and without giving up by itself: for lines by the thousand."""
        text = stripped(line)[: row_filter.LONGEST]
        return self.slow or all((pattern.search(text) is None) is unwanted for pattern, unwanted in self._tests)

    def marks(self, text: str) -> list[tuple[int, int]]:
        """Where words stand in a text without colours: ascending places, from and to, none within another."""
        found: list[tuple[int, int]] = []
        try:
            found += time_budget.within(row_filter.TIME_BUDGET, lambda: self._spans(text[: row_filter.LONGEST]))
        except time_budget.BudgetExceeded:
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
    wanted = row_filter.lines(text)
    if not wanted:
        return None
    pattern = Pattern(text.strip(), wanted)
    for line in lines:
        pattern.matches(line)
        if wanted.slow:
            raise BrokenFilter("it takes too long")
    return pattern


Span = tuple[int, int]


def patterns(text: str) -> list[re.Pattern[str]]:
    """What is searched for: each word that is not unwanted; what is no regular expression counts literally."""
    return [_compiled(word.text) for word in words(text) if not word.unwanted]


def spans(line: str, wanted: Sequence[re.Pattern[str]]) -> list[Span]:
    """Where the words stand in a line, from left to right, none within another; nowhere when that takes too long."""
    try:
        return time_budget.within(TIME_BUDGET, lambda: _spans(line[:LONGEST], wanted))
    except time_budget.BudgetExceeded:
        return []


def _spans(line: str, wanted: Sequence[re.Pattern[str]]) -> list[Span]:
    found = sorted((at.start(), at.end()) for one in wanted for at in one.finditer(line) if at.end() > at.start())
    merged: list[Span] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def marked(cells: Sequence[Cell], wanted: Sequence[re.Pattern[str]], tone: str) -> list[Cell]:
    """The cells of a line with what is found in another tone."""
    found = spans("".join(cell.text for cell in cells), wanted)
    if not found:
        return list(cells)
    made: list[Cell] = []
    at = 0
    for cell in cells:
        made += _cut(cell, at, found, tone)
        at += len(cell.text)
    return made


def _cut(cell: Cell, at: int, found: Sequence[Span], tone: str) -> list[Cell]:
    """One cell, cut where something found begins or ends; it begins at the character `at` of its line."""
    end = at + len(cell.text)
    edges = sorted({at, end, *(edge for span in found for edge in span if at < edge < end)})
    return [
        Cell(cell.text[start - at : stop - at], tone if any(a <= start < b for a, b in found) else cell.tone)
        for start, stop in pairwise(edges)
    ]


def following(lines: Sequence[str], wanted: Sequence[re.Pattern[str]], at: int, step: int) -> int | None:
    """The next line, or with `step` -1 the one before, that has something; round the end. None when no line has."""
    count = len(lines)
    order = ((at + step * far) % count for far in range(1, count + 1))
    try:
        most = TIME_BUDGET + TIME_BUDGET_EACH * count
        return time_budget.within(
            most, lambda: next((here for here in order if _spans(lines[here][:LONGEST], wanted)), None)
        )
    except time_budget.BudgetExceeded:
        return None


def _compiled(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError):
        return re.compile(re.escape(text), re.IGNORECASE)
