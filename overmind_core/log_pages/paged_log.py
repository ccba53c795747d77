"""A log as the screen knows it: where its pages are, those that are held, its newest lines. No files, no threads.

Rows of the screen are looked up in it: exact for pages that are held, estimated for the others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from overmind_core.log_pages.index import UNKNOWN, LogPage
from overmind_core.log_pages.pattern import Pattern
from overmind_core.logs.display import Line
from overmind_core.logs.layout import OUT
from overmind_core.view.log_lines import Height, Wrapping

HELD = 40
"""Pages whose lines are held at once."""


class PagedLog:
    """Pages from the oldest to the newest, then what has not been found yet (`gap`), then the newest lines (`tail`).

    Attributes:
        wanted: Which lines are shown; None: all.
        partial: What stands on the line that has no newline yet.
    """

    def __init__(self, lines: Sequence[Line] = (), partial: str = "", before: int = 0) -> None:
        self.pages: list[LogPage] = []
        self.gap = LogPage((), before)
        self.tail = LogPage()
        self.tail.lines = []
        self.wanted: Pattern | None = None
        self.partial = ""
        self._all: list[Line] = []
        self._held: dict[LogPage, None] = {}
        self.begin(lines, partial, before)

    def begin(self, lines: Sequence[Line], partial: str, before: int) -> None:
        """These are the newest lines now; pages that are known stay."""
        self._all, self.partial = list(lines), partial
        self.tail.lines = self._matching(self._all)
        self.gap.count = max(before - sum(page.count for page in self.pages), 0)

    def add(self, lines: Sequence[Line], partial: str) -> Sequence[Line]:
        """These came at the end; those of them that are shown."""
        self._all += lines
        self.partial = partial
        shown = self._matching(lines)
        assert self.tail.lines is not None
        self.tail.lines += shown
        return shown

    def found(self, pages: Sequence[LogPage], *, whole: bool) -> None:
        """The next pages, oldest first; `whole`: there are no others."""
        self.pages += pages
        self.gap.count = 0 if whole else max(self.gap.count - sum(page.count for page in pages), 1)

    def want(self, pattern: Pattern | None) -> None:
        """Show only lines that match; how many those of a page are is known once somebody has counted them."""
        self.wanted = pattern
        self.tail.lines = self._matching(self._all)
        for page in self._held:
            page.lines = None
        self._held.clear()
        self.forget_hits()

    def forget_hits(self) -> None:
        """Nobody has counted yet what is looked for."""
        for page in self.pages:
            page.hits = UNKNOWN

    def read(self, page: LogPage, lines: Sequence[Line], pattern: Pattern | None) -> bool:
        """Hold the lines of a page; False when others are wanted by now."""
        if pattern is not self.wanted:
            return False
        page.lines = list(lines)
        if pattern is None:
            page.count = len(lines)
        else:
            page.hits = len(lines)
        self._held.pop(page, None)
        self._held[page] = None
        return True

    def lose(self, pages: Sequence[LogPage]) -> None:
        """These are no longer kept; what is held of them stays, for who reads it just now."""
        gone = {page for page in pages if page.lines is None}
        if gone:
            self.pages = [page for page in self.pages if page not in gone]

    def forget(self, near: Sequence[LogPage]) -> None:
        """Let go of pages that are held for long and not near what is seen."""
        for page in list(self._held)[: max(len(self._held) - HELD, 0)]:
            if page not in near:
                page.lines = None
                del self._held[page]

    @property
    def blocks(self) -> Iterator[LogPage]:
        """All of it, oldest first."""
        yield from self.pages
        yield self.gap
        yield self.tail

    def count(self, page: LogPage) -> int:
        """How many lines of a page are shown, about."""
        if page.lines is not None:
            return len(page.lines) + (page is self.tail and bool(self.partial_lines))
        if self.wanted is None:
            return page.count
        return 0 if page is self.gap else max(page.hits, 0)

    def lacks(self, page: LogPage) -> bool:
        """Whether a page shows lines that are not held."""
        if page.lines is not None:
            return False
        return page.count > 0 if self.wanted is None or page is self.gap else page.hits != 0

    @property
    def partial_lines(self) -> list[Line]:
        """The line that has no newline yet, if it is shown."""
        if not self.partial or (self.wanted is not None and not self.wanted.matches(self.partial)):
            return []
        return [(0.0, OUT, self.partial)]

    def lines(self, page: LogPage) -> Sequence[Line]:
        """The lines of a page that are held."""
        held = page.lines or []
        return [*held, *self.partial_lines] if page is self.tail else held

    @property
    def empty(self) -> bool:
        """Whether there is nothing at all, as far as is known."""
        return not any(self.count(page) for page in self.blocks)

    def sample(self, count: int) -> list[str]:
        """Some of the newest lines, whatever is wanted."""
        return [text for _, _, text in self._all[-count:]]

    def _matching(self, lines: Sequence[Line]) -> list[Line]:
        pattern = self.wanted
        return list(lines) if pattern is None else [line for line in lines if pattern.matches(line[2])]


class RowPlace(NamedTuple):
    """A row: its page, the row within that, and the line that it shows, with the row within the line."""

    page: LogPage
    row: int
    line: int
    part: int


class ScreenRows:
    """The rows of a log. `height`: of one of the lines of a page; None: each line is one row."""

    def __init__(self, paged_log: PagedLog, height: Height | None = None) -> None:
        self._paged_log = paged_log
        self._line_height = height
        self._wrapped: dict[LogPage, Wrapping] = {}
        self._pages: list[LogPage] = []
        self._ends: list[int] = []
        self.arrange()

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def arrange(self) -> None:
        """Know anew how many lines each page has."""
        paged_log = self._paged_log
        self._wrapped = {page: one for page, one in self._wrapped.items() if page.lines is not None}
        self._pages = list(paged_log.blocks)
        wrapped = self._wrapped if self._line_height else {}
        held = [(len(self._wrapping(page)), paged_log.count(page)) for page in wrapped]
        lines = sum(count for _, count in held)
        each = sum(rows for rows, _ in held) / lines if lines else 1.0
        self._ends = list(accumulate(self._height(page, each) for page in self._pages))

    def changed(self, page: LogPage) -> None:
        """A page has other lines than before."""
        self._wrapped.pop(page, None)

    def grew(self, lines: int) -> None:
        """So many lines came at the end, beside the one that has no newline."""
        wrapping = self._wrapped.get(self._paged_log.tail)
        if wrapping is not None and self._paged_log.tail.lines is not None:
            wrapping.add(self._paged_log.tail.lines, len(self._paged_log.tail.lines) - lines)
        before = self._ends[-2] if len(self._ends) > 1 else 0
        self._ends[-1:] = [before + self._height(self._paged_log.tail, 1.0)]

    def at(self, row: int) -> RowPlace | None:
        """What a row shows; None behind the last."""
        number = bisect_right(self._ends, row)
        if number >= len(self._pages):
            return None
        page = self._pages[number]
        within = row - (self._ends[number - 1] if number else 0)
        if not self._line_height or page.lines is None:
            return RowPlace(page, within, within, 0)
        line, part = self._line(page, within)
        return RowPlace(page, within, line, part)

    def start(self, page: LogPage) -> int | None:
        """The first row of a page; None when the page is gone."""
        try:
            number = self._pages.index(page)
        except ValueError:
            return None
        return self._ends[number - 1] if number else 0

    def row_of(self, page: LogPage, line: int) -> int | None:
        """The first row of a line of a page that is held."""
        start = self.start(page)
        if start is None:
            return None
        return start + (self._wrapping(page).start(line) if self._line_height and page.lines is not None else line)

    def between(self, first: int, last: int) -> list[LogPage]:
        """The pages of some rows; of many without any row, as behind a filter, none."""
        begin = bisect_right(self._ends, max(first, 0))
        end = bisect_right(self._ends, max(last, 0))
        before = self._ends[begin - 1] if begin else 0
        found = []
        for page, behind in zip(self._pages[begin : end + 1], self._ends[begin : end + 1], strict=True):
            if behind > before:
                found.append(page)
            before = behind
        return found

    def _height(self, page: LogPage, each: float) -> int:
        count = self._paged_log.count(page)
        if not self._line_height:
            return count
        if page.lines is None:
            return round(count * each)
        return len(self._wrapping(page)) + self._partial_height(page)

    def _partial_height(self, page: LogPage) -> int:
        partial = self._paged_log.partial_lines
        if page is not self._paged_log.tail or not partial or self._line_height is None:
            return 0
        lines = [*(page.lines or ()), *partial]
        return sum(self._line_height(lines, len(lines) - place) for place in range(1, len(partial) + 1))

    def _line(self, page: LogPage, row: int) -> tuple[int, int]:
        return self._wrapping(page).at(row)

    def _wrapping(self, page: LogPage) -> Wrapping:
        wrapping = self._wrapped.get(page)
        if wrapping is None:
            assert self._line_height is not None
            wrapping = self._wrapped[page] = Wrapping(self._line_height)
            wrapping.add(page.lines or [])
        return wrapping
