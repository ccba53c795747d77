"""Which row shows which part of which line, when long ones are wrapped."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from overmind_core.logs.display import Line
from overmind_tui.view import loglines


class Wrapping:
    """The rows of lines at one width (in cells)."""

    def __init__(self, cells: int) -> None:
        self._cells = cells
        self._ends: list[int] = []

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def add(self, lines: Iterable[Line]) -> None:
        """These came at the end."""
        more = [loglines.height(line, self._cells) for line in lines]
        begun = len(self)
        self._ends += [begun + end for end in accumulate(more)]

    def start(self, line: int) -> int:
        """The first row of a line."""
        return self._ends[min(line, len(self._ends)) - 1] if line and self._ends else 0

    def at(self, row: int) -> tuple[int, int]:
        """The line that a row belongs to, and the row's place within it; behind the last line for a row behind it."""
        line = bisect_right(self._ends, row)
        return line, row - (self._ends[line - 1] if line else 0)
