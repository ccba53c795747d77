"""What the screen knows of a log: where its pages are, those that are held, its newest lines. No files, no threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from overmind_core.logs.display import Line
from overmind_core.logs.layout import OUT
from overmind_tui.logs.page import UNKNOWN, Page
from overmind_tui.view.logpattern import Pattern

HELD = 40
"""Pages whose lines are held at once."""


class Book:
    """Pages from the oldest to the newest, then what has not been found yet (`gap`), then the newest lines (`tail`).

    Attributes:
        wanted: Which lines are shown; None: all.
        partial: What stands on the line that has no newline yet.
    """

    def __init__(self, lines: Sequence[Line] = (), partial: str = "", before: int = 0) -> None:
        self.pages: list[Page] = []
        self.gap = Page((), before)
        self.tail = Page()
        self.tail.lines = []
        self.wanted: Pattern | None = None
        self.partial = ""
        self._all: list[Line] = []
        self._held: dict[Page, None] = {}
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

    def found(self, pages: Sequence[Page], *, whole: bool) -> None:
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

    def read(self, page: Page, lines: Sequence[Line], pattern: Pattern | None) -> bool:
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

    def lose(self, pages: Sequence[Page]) -> None:
        """These are no longer kept; what is held of them stays, for who reads it just now."""
        gone = {page for page in pages if page.lines is None}
        if gone:
            self.pages = [page for page in self.pages if page not in gone]

    def forget(self, near: Sequence[Page]) -> None:
        """Let go of pages that are held for long and not near what is seen."""
        for page in list(self._held)[: max(len(self._held) - HELD, 0)]:
            if page not in near:
                page.lines = None
                del self._held[page]

    @property
    def blocks(self) -> Iterator[Page]:
        """All of it, oldest first."""
        yield from self.pages
        yield self.gap
        yield self.tail

    def count(self, page: Page) -> int:
        """How many lines of a page are shown, about."""
        if page.lines is not None:
            return len(page.lines) + (page is self.tail and bool(self.partial_lines))
        if self.wanted is None:
            return page.count
        return 0 if page is self.gap else max(page.hits, 0)

    def lacks(self, page: Page) -> bool:
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

    def lines(self, page: Page) -> Sequence[Line]:
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
