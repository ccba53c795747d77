"""The search in a terminal's grid: a pattern in its lines, wherever they were wrapped."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from overmind_tui.terminal.grid import Grid
from overmind_tui.terminal.grid import width as summary_width


class Match(NamedTuple):
    """Cells of one row; a match that goes on in the next row is one match for each."""

    row: int
    start: int
    end: int
    """One more than the last column."""
    begins: bool = True
    """Not the rest of one that began in the row before."""


def compiled(text: str) -> re.Pattern[str] | None:
    """The pattern of what was typed, whatever the case; what is no regular expression is meant literally."""
    if not text:
        return None
    try:
        return re.compile(text, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError):
        return re.compile(re.escape(text), re.IGNORECASE)


def found(grid: Grid, pattern: re.Pattern[str]) -> list[Match]:
    """All matches, from the oldest row to the newest."""
    return [match for first, rows in _lines(grid) for match in _in_line(first, rows, pattern)]


def _lines(grid: Grid) -> Iterator[tuple[int, list[str]]]:
    """Each line as the rows that it takes, behind the number of the first."""
    rows: list[str] = []
    for number in range(grid.first, grid.end):
        rows.append(grid.full_text(number))
        if not grid.wrapped(number):
            yield number - len(rows) + 1, rows
            rows = []
    if rows:
        yield grid.end - len(rows), rows


def _in_line(first: int, rows: list[str], pattern: re.Pattern[str]) -> Iterator[Match]:
    line = "".join(rows)
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row))
    for match in pattern.finditer(line):
        if match.end() > match.start():
            yield from _pieces(first, rows, starts, match.start(), match.end())


def _pieces(first: int, rows: list[str], starts: list[int], begin: int, end: int) -> Iterator[Match]:
    """One match, cut at the ends of rows; columns are counted in cells."""
    at = bisect_left(starts, begin + 1) - 1
    begins = True
    while at < len(rows) and starts[at] < end:
        text = rows[at]
        before, inside = text[: max(begin - starts[at], 0)], text[: end - starts[at]]
        yield Match(first + at, summary_width(before), summary_width(inside), begins)
        begins = False
        at += 1


def next_match(matches: list[Match], row: int, column: int, *, back: bool) -> Match | None:
    """The match after that place, or before it; from the last one on to the first. None when there is none."""
    beginnings = [match for match in matches if match.begins]
    if not beginnings:
        return None
    if back:
        before = [match for match in beginnings if (match.row, match.start) < (row, column)]
        return before[-1] if before else beginnings[-1]
    after = [match for match in beginnings if (match.row, match.start) > (row, column)]
    return after[0] if after else beginnings[0]
