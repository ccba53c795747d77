"""The reader of pages of a log besides its newest lines: those that are shown, the index of all, the count of matches.

A thread of its own, which works for some milliseconds and then lets others work as long, so that keys never wait.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from overmind_core.errors import OvermindError
from overmind_core.log_pages.index import LogPage, LogPlace
from overmind_core.log_pages.line_filter import LineFilter
from overmind_core.log_pages.page_search import matching
from overmind_core.log_pages.pattern import Pattern
from overmind_core.log_pages.reader import Reader
from overmind_core.logs.display import Line

SLICE = 0.004
"""Seconds of work before a pause of the same length."""
FRAME = 1 / 15
"""Seconds between two results of what goes on in the background."""


class PagesIndexed(NamedTuple):
    """The next pages before the newest lines, oldest first; `whole`: there are no others."""

    reader: Reader
    pages: Sequence[LogPage]
    whole: bool


class PageRead(NamedTuple):
    """A page whose lines are wanted; with a pattern only those that match it. `lost`: pages no longer kept."""

    reader: Reader
    page: LogPage
    lines: Sequence[Line]
    pattern: Pattern | None
    lost: Sequence[LogPage]


class PagesCounted(NamedTuple):
    """How many lines of some pages match; `left` of all pages (`of`) are not counted yet."""

    reader: Reader
    pattern: Pattern
    hits: Sequence[tuple[LogPage, int]]
    left: int
    of: int


Result = PagesIndexed | PageRead | PagesCounted


class ReadJob:
    """What is to be done for one look at logs, and how far it is."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.wanted: dict[LogPage, None] = {}
        self.pattern: Pattern | None = None
        self.keeps = False
        self.goal: list[LogPlace | None] = []
        """Up to where the pages are wanted."""
        self.is_awaited = False
        """Whether somebody waits for the end of the index, also where nothing of it is new."""
        self._lock = threading.Lock()
        self._indexing: Iterator[LogPage | None] | None = None
        self._indexed: list[LogPlace | None] = []
        self._target: list[LogPlace | None] = []
        self._new: list[LogPage] = []
        self._pages: list[LogPage] = []
        self._todo: list[LogPage] = []
        self._hits: list[tuple[LogPage, int]] = []
        self._shown_at = 0.0
        self._line_filter: LineFilter | None = None

    def close(self) -> None:
        """Nothing more is read."""
        self._filter_for(None)

    def count(self, pattern: Pattern | None, *, keep: bool) -> None:
        """Count the lines that match; `keep`: from now on, a page is only these."""
        with self._lock:
            self.pattern, self.keeps = pattern, keep and pattern is not None
            self._todo = [] if pattern is None else list(self._pages)
            self._hits = []

    def stop(self) -> None:
        """Count no further."""
        with self._lock:
            self._todo = []

    def read(self, page: LogPage) -> PageRead:
        """Read a page."""
        with self._lock:
            pattern = self.pattern if self.keeps else None
        lines = self.reader.lines(page)
        line_filter = None if pattern is None else self._filter_for(pattern)
        if line_filter is not None:
            wanted = line_filter.which([text for _, _, text in lines])
            lines = [line for line, is_wanted in zip(lines, wanted, strict=True) if is_wanted]
        return PageRead(self.reader, page, lines, pattern, self._lost(page))

    def _lost(self, page: LogPage) -> list[LogPage]:
        """Where a page is no longer kept: all others like it, which nobody has to read to find that out."""
        if not self.reader.lost([page]):
            return []
        with self._lock:
            gone = set(self.reader.lost(self._pages)) - {page}
            self._pages = [one for one in self._pages if one not in gone]
            self._todo = [one for one in self._todo if one not in gone]
        return list(gone)

    def step(self, post: Callable[[Result], None]) -> bool:
        """Do a little in the background; whether there is more."""
        return self._index(post) or self._match(post)

    def _filter_for(self, pattern: Pattern | None) -> LineFilter | None:
        """What judges lines by this pattern."""
        if self._line_filter is not None and self._line_filter.pattern is not pattern:
            self._line_filter.close()
            self._line_filter = None
        if self._line_filter is None and pattern is not None:
            self._line_filter = LineFilter(pattern)
        return self._line_filter

    # where the pages are

    def _index(self, post: Callable[[Result], None]) -> bool:
        if self._indexing is None:
            if self._indexed == self.goal and not self.is_awaited:
                return False
            self.is_awaited = False
            self._target = self.goal
            self._indexing = self.reader.pages(self._indexed, self._target)
        until = time.monotonic() + SLICE
        while time.monotonic() < until:
            try:
                page = next(self._indexing)
            except StopIteration:
                self._indexing, self._indexed = None, self._target
                self._post_indexed(post)
                return True
            if page is not None:
                self._new.append(page)
        if time.monotonic() - self._shown_at > FRAME:
            self._post_indexed(post)
        return True

    def _post_indexed(self, post: Callable[[Result], None]) -> None:
        new, self._new = self._new, []
        with self._lock:
            self._pages += new
            if self.pattern is not None:
                self._todo += new
        self._shown_at = time.monotonic()
        post(PagesIndexed(self.reader, new, whole=self._indexing is None))

    # which of them match

    def _match(self, post: Callable[[Result], None]) -> bool:
        """Count the lines of the newest page that has not been counted."""
        with self._lock:
            pattern = self.pattern
            page = self._todo.pop() if self._todo and pattern is not None else None
        line_filter = self._filter_for(pattern)
        if page is None or pattern is None or line_filter is None:
            return False
        hits = matching(self.reader, page, line_filter)
        with self._lock:
            if pattern is not self.pattern:
                return True
            self._hits.append((page, hits))
            left = len(self._todo)
            if left and time.monotonic() - self._shown_at <= FRAME:
                return True
            found, self._hits = self._hits, []
        self._shown_at = time.monotonic()
        post(PagesCounted(self.reader, pattern, found, left, len(self._pages)))
        return True


class PageWorker:
    """The thread that reads pages until `close`; `post` is called in it with each result."""

    def __init__(self, post: Callable[[Result], object]) -> None:
        self._post = post
        self._stirred = threading.Event()
        self._closed = False
        self._lock = threading.Lock()
        self._job: ReadJob | None = None
        self._counts: tuple[Pattern | None, bool] = (None, False)
        """What is counted, also of one that has not been taken yet."""
        self._worked = 0.0
        self._thread = threading.Thread(target=self._run, name="log pages", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Post nothing more."""
        self._closed = True
        self._stirred.set()

    def take(self, reader: Reader | None, *, awaited: bool = False) -> None:
        """Find the pages of this one from now on; again: there are newer ones by now.

        `awaited`: that there are no others is posted, too, when all had been found before.
        """
        with self._lock:
            if reader is None:
                self._job, self._counts = None, (None, False)
            elif self._job is None or reader is not self._job.reader:
                self._job = ReadJob(reader)
                self._job.count(self._counts[0], keep=self._counts[1])
            if self._job is not None and reader is not None:
                self._job.goal = list(reader.ends)
                self._job.is_awaited = self._job.is_awaited or awaited
        self._stirred.set()

    def want(self, pages: Sequence[LogPage]) -> None:
        """Read these pages next, and nothing else that was wanted before."""
        if self._job is not None:
            self._job.wanted = dict.fromkeys(pages)
            self._stirred.set()

    def count(self, pattern: Pattern | None, *, keep: bool) -> None:
        """Count the lines of all pages that match; `keep`: from now on, a page is only these."""
        with self._lock:
            self._counts = (pattern, keep)
            if self._job is not None:
                self._job.count(pattern, keep=keep)
        self._stirred.set()

    def stop(self) -> None:
        """Count no further."""
        if self._job is not None:
            self._job.stop()

    def _run(self) -> None:
        last: ReadJob | None = None
        try:
            while not self._closed:
                self._stirred.clear()
                job = self._job
                if last is not None and last is not job:
                    last.close()
                last = job
                try:
                    busy = job is not None and self._step(job)
                except (OvermindError, OSError):  # its hive does not answer any more: who follows the log says so
                    busy = self._drop(job)
                if not busy and not self._closed:
                    self._stirred.wait()
        finally:
            if last is not None:
                last.close()

    def _drop(self, job: ReadJob | None) -> bool:
        """Give a job up, unless another one is wanted by now; whether there is one."""
        with self._lock:
            if self._job is job:
                self._job = None
            return self._job is not None

    def _step(self, job: ReadJob) -> bool:
        """Do a little; whether there is more."""

        def post(result: Result) -> None:
            if not self._closed and job is self._job:
                self._post(result)

        if job.wanted:
            wanted = job.wanted
            page = next(iter(wanted))
            del wanted[page]
            post(job.read(page))
            return True
        began = time.monotonic()
        busy = job.step(post)
        self._worked += time.monotonic() - began
        if self._worked > SLICE:
            self._stirred.wait(self._worked)
            self._worked = 0.0
        return busy
