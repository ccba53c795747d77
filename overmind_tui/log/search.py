"""The search in a log: lines that match alone, or all with the matches standing out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.log_pages import pattern as log_pattern
from overmind_core.log_pages.index import UNKNOWN, LogPage
from overmind_core.log_pages.paged_log import PagedLog
from overmind_core.log_pages.pattern import Pattern
from overmind_core.view.cells import safe
from overmind_core.view.row_filter import BrokenFilter
from overmind_tui.shell.messages import LogCounted

if TYPE_CHECKING:
    from overmind_tui.log.follow import LogFollower
    from overmind_tui.missions.main_screen import MainScreen


class LogSearch:
    """The search behind `/` in the log, `n` and `N`.

    Attributes:
        text: What was typed last and made sense.
        filters: Only lines that match are shown; else all are.
    """

    def __init__(self, screen: MainScreen, feed: LogFollower) -> None:
        self._screen = screen
        self._feed = feed
        self.text = ""
        self.filters = True
        self._pattern: Pattern | None = None
        self._left = self._of = 0
        self._stopped = False
        self._sought: tuple[LogPage, int] | None = None
        """A page that is being read, and in which direction the search goes on there."""

    # what is looked for

    @property
    def wanted(self) -> Pattern | None:
        """Which lines alone are shown; None: all are."""
        return self._pattern if self.filters else None

    def type(self, text: str) -> bool:
        """Look for this; False when it makes no sense yet."""
        paged_log = self._screen.log_view.paged_log
        try:
            self._pattern = log_pattern.parsed(text, paged_log.sample(log_pattern.TRIED))
        except BrokenFilter:
            return False
        self.text = text
        self.apply()
        self.check()
        return True

    def check(self) -> None:
        """Look for nothing any more when that takes too long with a line of this log."""
        if self._pattern is not None and self._pattern.slow:
            message = f"/{safe(self.text)} takes too long on a line of this log: the filter is off"
            self._drop()
            self._screen.shell.flash(message, "bad")

    def turn(self) -> bool:
        """From a filter to a search, or back."""
        self.filters = not self.filters
        self.apply()
        self._screen.shell.flash("filter: only matching lines" if self.filters else "search: n next, N previous")
        return True

    def apply(self) -> None:
        """Have the view show it; again for another part of the log."""
        view, feed = self._screen.log_view, self._feed
        if self.wanted is not view.paged_log.wanted:
            view.paged_log.want(self.wanted)
        view.paged_log.forget_hits()
        view.marked, view.here = self._pattern, None
        self._left, self._of, self._stopped, self._sought = 0, 0, False, None
        feed.count(self._pattern, keep=self.filters)
        if self._pattern is not None:
            self._left = self._of = len(view.paged_log.pages)
        view.rearrange()
        if self._pattern is not None and not self.filters:
            self._nearest()
        self._screen.retitle()

    def forget(self) -> None:
        """Another log: nothing is looked for."""
        self.text, self._pattern, self._sought = "", None, None
        self.filters, self._left = True, 0

    def close(self) -> bool:
        """Stop counting, else show everything again; whether there was anything to close."""
        if self._left and not self._stopped:
            self._feed.stop_counting()
            self._stopped = True
            self._screen.retitle()
        elif self._pattern is not None:
            self._drop()
        else:
            return False
        return True

    def _drop(self) -> None:
        self.text, self._pattern = "", None
        self.apply()
        self.filters = True

    def counted(self, message: LogCounted) -> None:
        """How many lines of some pages match."""
        if message.pattern is not self._pattern:
            return
        self._left, self._of = message.left, message.of
        for page, hits in message.hits:
            page.hits = hits
        if self.filters:
            self._screen.log_view.changed()
        self.go_on()

    @property
    def status(self) -> str:
        """The search in words of the title: the text, and behind a colon how many lines match; "" for none."""
        if self._pattern is None:
            return ""
        paged_log = self._screen.log_view.paged_log
        count = sum(max(page.hits, 0) for page in paged_log.pages) + len(self._lines(paged_log, paged_log.tail))
        word = "" if self.filters else "search "
        more = f" {100 - 100 * self._left // max(self._of, 1)}%" if self._left else ""
        end = " stopped" if self._stopped and self._left else " · esc stops" if self._left else ""
        return f"{word}/{safe(self.text)}: {count:,}{more}{end}"

    # from match to match

    def step(self, way: int) -> None:
        """To the next line that matches (1), or the one before (-1)."""
        view = self._screen.log_view
        if self._pattern is None:
            self._screen.shell.flash("press / and type a search first", "quiet")
            return
        if view.here is not None:
            self._seek(*view.here, way)
        else:
            at = view.rows.at(view.scroll_offset.y)
            if at is not None:
                self._seek(at.page, at.line - (way > 0), way)

    def _nearest(self) -> None:
        """The last match that is in sight or before that."""
        view = self._screen.log_view
        at = view.rows.at(min(view.scroll_offset.y + view.scrollable_content_region.height, len(view.rows)) - 1)
        if at is not None:
            self._seek(at.page, at.line + 1, -1, quiet=True)

    def go_on(self) -> None:
        """A page was read, or more are counted: what is sought may be found now."""
        if self._sought is not None:
            page, way = self._sought
            self._sought = None
            self._seek(page, -1 if way > 0 else 1 << 60, way)

    def _seek(self, page: LogPage, line: int, way: int, *, quiet: bool = False) -> None:
        """The first match behind (or before) a line of a page; the pages between may have to be read first."""
        view = self._screen.log_view
        paged_log = view.paged_log
        blocks = list(paged_log.blocks)
        at = blocks.index(page) if page in blocks else len(blocks) - 1
        for one in blocks[at:] if way > 0 else blocks[at::-1]:
            if one.lines is None and one is not paged_log.gap:
                if one.hits == 0:
                    continue
                self._sought = (one, way)
                if one.hits != UNKNOWN or self._stopped:
                    view.read_pages([one])
                return
            places = self._lines(paged_log, one)
            found = [place for place in places if one is not page or (place > line if way > 0 else place < line)]
            if found:
                view.show_line(one, found[0] if way > 0 else found[-1])
                return
        if not quiet:
            self._screen.shell.flash("no more matches below" if way > 0 else "no more matches above", "quiet")

    def _lines(self, paged_log: PagedLog, page: LogPage) -> list[int]:
        """Which lines of a page that is held match."""
        pattern = self._pattern
        if pattern is None or page.lines is None:
            return []
        return [
            at for at, (_, _, text) in enumerate(page.lines) if pattern is paged_log.wanted or pattern.matches(text)
        ]
