"""The finder of one line of a log, of which a search told when it was written: its page is read, and it is shown.

Pages are halved by the times of their lines. Where many pages were written at once, those around are looked at, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from overmind_core.view.cells import stripped

if TYPE_CHECKING:
    from overmind_core.log_pages.index import LogPage, WantedLine
    from overmind_core.logs.display import Line
    from overmind_tui.missions.main_screen import MainScreen

_SAME = 1.0
"""Seconds: times are told in milliseconds, and what a person said may stand before an answer that came first."""
_COMPARED = 200
"""Characters of a line."""
_MOST_AROUND = 40
"""Pages that are looked at around the one of its time."""


class LineFinder:
    """Finds one line, unless somebody scrolls before that."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._wanted: WantedLine | None = None
        self._pages = 0
        """The number of pages when they began to be halved."""
        self._low = self._high = 0
        self._around: list[LogPage] = []
        """Pages that may have it, as they were written at the same time."""
        self._nearest: tuple[LogPage, int] | None = None

    def seek(self, line: WantedLine | None) -> None:
        """Find this line in the log that is on its way; None: none."""
        self._wanted, self._pages, self._around, self._nearest = line, -1, [], None

    def go_on(self) -> None:
        """Something of the log came: the line may be found now."""
        view = self._screen.log_view
        if self._wanted is None:
            return
        if not view.following:  # somebody scrolls, and is not to be taken elsewhere
            self._wanted = None
            return
        paged_log = view.paged_log
        tail = paged_log.tail.lines or []
        if tail and tail[0][0] <= self._wanted.wall + _SAME and (at := self._match(tail)) is not None:
            self._show(paged_log.tail, at)
        elif not paged_log.gap.count:
            self._halve([*paged_log.pages, paged_log.tail])

    def _halve(self, pages: Sequence[LogPage]) -> None:
        assert self._wanted is not None
        if len(pages) != self._pages:
            self._pages, self._low, self._high = len(pages), 0, len(pages) - 1
        while self._low <= self._high and not self._around:
            middle = (self._low + self._high) // 2
            page = pages[middle]
            if not self._has(page):
                return
            lines = page.lines or []
            if lines and lines[0][0] > self._wanted.wall + _SAME:
                self._high = middle - 1
            elif not lines or lines[-1][0] < self._wanted.wall - _SAME:
                self._low = middle + 1
            else:
                self._around = _outward(pages, middle)
        self._look_around()

    def _look_around(self) -> None:
        """In pages of the same time, the nearest first."""
        while self._around:
            page = self._around[0]
            if not self._has(page):
                return
            if (at := self._match(page.lines or [])) is not None:
                self._show(page, at)
                return
            if self._nearest is None and page.lines:
                self._nearest = page, self._closest(page.lines)
            del self._around[0]
        if self._nearest is not None:
            self._show(*self._nearest)
        else:
            self._wanted = None
            self._screen.shell.flash("that line is no longer kept", "slow")

    def _has(self, page: LogPage) -> bool:
        """Whether the lines of a page are there; else they are asked for."""
        if page.lines is None:
            self._screen.log_view.read_pages([page])
        return page.lines is not None

    def _match(self, lines: Sequence[Line]) -> int | None:
        """The place of the wanted line; of several that read the same the one that is nearest in time."""
        assert self._wanted is not None
        wall, text = self._wanted.wall, self._wanted.text[:_COMPARED]
        found = [at for at, line in enumerate(lines) if text in line[2] or text in stripped(line[2])]
        return min(found, key=lambda at: abs(lines[at][0] - wall), default=None)

    def _closest(self, lines: Sequence[Line]) -> int:
        assert self._wanted is not None
        wall = self._wanted.wall
        return min(range(len(lines)), key=lambda at: abs(lines[at][0] - wall))

    def _show(self, page: LogPage, at: int) -> None:
        self._wanted, self._around = None, []
        self._screen.log_view.show_line(page, at)


def _outward(pages: Sequence[LogPage], middle: int) -> list[LogPage]:
    """A page and those around it, the nearest first."""
    order = sorted(range(len(pages)), key=lambda at: abs(at - middle))
    return [pages[at] for at in order[:_MOST_AROUND]]
