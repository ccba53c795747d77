"""Where a text says what is searched for, and how that is marked. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from overmind_tui import patience
from overmind_tui.view.cells import Cell
from overmind_tui.view.filter import LONGEST, PATIENCE, PATIENCE_EACH, words

Span = tuple[int, int]


def patterns(text: str) -> list[re.Pattern[str]]:
    """What is searched for: each word that is not unwanted; what is no regular expression counts literally."""
    return [_compiled(word.text) for word in words(text) if not word.unwanted]


def spans(line: str, wanted: Sequence[re.Pattern[str]]) -> list[Span]:
    """Where the words stand in a line, from left to right, none within another; nowhere when that takes too long."""
    try:
        return patience.within(PATIENCE, lambda: _spans(line[:LONGEST], wanted))
    except patience.OutOfPatience:
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
        most = PATIENCE + PATIENCE_EACH * count
        return patience.within(
            most, lambda: next((here for here in order if _spans(lines[here][:LONGEST], wanted)), None)
        )
    except patience.OutOfPatience:
        return None


def _compiled(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError):
        return re.compile(re.escape(text), re.IGNORECASE)
