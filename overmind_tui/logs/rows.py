"""Which row of the screen shows which line of which page: exact for pages that are held, estimated for the others."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple

from overmind_tui.logs.book import Book
from overmind_tui.logs.page import Page
from overmind_tui.view.wrapping import Wrapping


class At(NamedTuple):
    """A row: its page, the row within that, and the line that it shows, with the row within the line."""

    page: Page
    row: int
    line: int
    part: int


class Rows:
    """The rows of a book at a width (in cells); 0 cells: long lines are not wrapped."""

    def __init__(self, book: Book, cells: int = 0) -> None:
        self._book = book
        self._cells = cells
        self._wrapped: dict[Page, Wrapping] = {}
        self._pages: list[Page] = []
        self._ends: list[int] = []
        self.arrange()

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def arrange(self) -> None:
        """Know anew how many lines each page has."""
        book = self._book
        self._wrapped = {page: one for page, one in self._wrapped.items() if page.lines is not None}
        self._pages = list(book.blocks)
        held = [(len(self._wrapping(page)), book.count(page)) for page in self._wrapped] if self._cells else []
        lines = sum(count for _, count in held)
        each = sum(rows for rows, _ in held) / lines if lines else 1.0
        self._ends = list(accumulate(self._height(page, each) for page in self._pages))

    def changed(self, page: Page) -> None:
        """A page has other lines than before."""
        self._wrapped.pop(page, None)

    def grew(self, lines: int) -> None:
        """So many lines came at the end, beside the one that has no newline."""
        wrapping = self._wrapped.get(self._book.tail)
        if wrapping is not None and self._book.tail.lines is not None:
            wrapping.add(self._book.tail.lines[len(self._book.tail.lines) - lines :])
        before = self._ends[-2] if len(self._ends) > 1 else 0
        self._ends[-1:] = [before + self._height(self._book.tail, 1.0)]

    def at(self, row: int) -> At | None:
        """What a row shows; None behind the last."""
        number = bisect_right(self._ends, row)
        if number >= len(self._pages):
            return None
        page = self._pages[number]
        within = row - (self._ends[number - 1] if number else 0)
        if not self._cells or page.lines is None:
            return At(page, within, within, 0)
        line, part = self._line(page, within)
        return At(page, within, line, part)

    def start(self, page: Page) -> int | None:
        """The first row of a page; None when the page is gone."""
        try:
            number = self._pages.index(page)
        except ValueError:
            return None
        return self._ends[number - 1] if number else 0

    def row_of(self, page: Page, line: int) -> int | None:
        """The first row of a line of a page that is held."""
        start = self.start(page)
        if start is None:
            return None
        return start + (self._wrapping(page).start(line) if self._cells and page.lines is not None else line)

    def between(self, first: int, last: int) -> list[Page]:
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

    def _height(self, page: Page, each: float) -> int:
        count = self._book.count(page)
        if not self._cells:
            return count
        if page.lines is None:
            return round(count * each)
        return len(self._wrapping(page)) + self._partial_height(page)

    def _partial_height(self, page: Page) -> int:
        if page is not self._book.tail or not self._book.partial_lines:
            return 0
        partial = Wrapping(self._cells)
        partial.add(self._book.partial_lines)
        return len(partial)

    def _line(self, page: Page, row: int) -> tuple[int, int]:
        return self._wrapping(page).at(row)

    def _wrapping(self, page: Page) -> Wrapping:
        wrapping = self._wrapped.get(page)
        if wrapping is None:
            wrapping = self._wrapped[page] = Wrapping(self._cells)
            wrapping.add(page.lines or [])
        return wrapping
