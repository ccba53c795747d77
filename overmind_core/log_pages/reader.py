"""The reader of all logs that are shown together: their newest lines, and the pages before them.

A page of several missions holds what all of them wrote in the same time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from heapq import merge
from itertools import zip_longest
from typing import Any, NamedTuple

from overmind_core.domain.text.cells import display_safe, pad, width
from overmind_core.log_pages import index
from overmind_core.log_pages.index import LogPage, LogPlace, LogScope, Span, earlier, later
from overmind_core.log_pages.source import Source
from overmind_core.logs.display import Line
from overmind_core.logs.time_order import Offsets

PAGE = 128 << 10
"""Bytes of one mission on a page, about."""
_NOWHERE = LogPlace(0, (0, 0))


class Dated(NamedTuple):
    """Where a page of one mission begins, and when that was written."""

    wall: float
    source: int
    place: LogPlace
    lines: int


def pages(
    sources: Sequence[Source], since: Sequence[LogPlace | None], ends: Sequence[LogPlace | None]
) -> Iterator[LogPage | None]:
    """The pages between two places of each mission, oldest first; None: a good moment for a pause."""
    begun = list[list[Dated]]()
    for at, (source, end) in enumerate(zip(sources, ends, strict=True)):
        found = list[Dated]()
        if end is not None:
            for dated in _dated(source, at, since[at] if at < len(since) else None, end):
                if dated is None:
                    yield None
                else:
                    found.append(dated)
        begun.append(found)
    yield from _together(sources, begun, ends)


def _together(
    sources: Sequence[Source], begun: Sequence[Sequence[Dated]], ends: Sequence[LogPlace | None]
) -> Iterator[LogPage | None]:
    at = [found[0].place if found else (end or _NOWHERE) for found, end in zip(begun, ends, strict=True)]
    boundaries = list(merge(*begun, key=lambda dated: dated.wall))
    for dated, behind in zip_longest(boundaries, boundaries[1:]):
        if behind is None:
            there = [end or here for end, here in zip(ends, at, strict=True)]
        else:
            there = [_until(sources, one, at[one], ends[one], behind) for one in range(len(sources))]
        spans = tuple(
            span
            for one, (here, end) in enumerate(zip(at, there, strict=True))
            if here < end
            for span in sources[one].spans(here, end)
        )
        if spans:
            yield LogPage(spans, dated.lines)
        at = there
        yield None


def _until(sources: Sequence[Source], one: int, here: LogPlace, end: LogPlace | None, behind: Dated) -> LogPlace:
    """Where a mission was when the next page begins."""
    if end is None:
        return here
    there = behind.place if behind.source == one else sources[one].place_at(behind.wall)
    return here if there is None else later(here, earlier(there, end))


def _dated(source: Source, at: int, since: LogPlace | None, end: LogPlace) -> Iterator[Dated | None]:
    for span in source.spans(since, end):
        log = source.log(span.run)
        found = list[index.LogPiece]()
        for piece in index.pieces(log, span.start, span.end, page=PAGE):
            if piece is None:
                yield None
            else:
                found.append(piece)
        walls = log.written_at([piece.start for piece in found])
        for piece, wall in zip(found, walls, strict=True):
            yield Dated(wall, at, LogPlace(span.run, piece.start), piece.lines)


TAIL = 400
"""Lines that are read at once."""
_COLOURS = (36, 33, 32, 35, 34, 31)
"""Numbers of SGR that tell missions apart."""
Json = dict[str, Any]


class Reader:
    """One look at logs; `described`: the supervisor's answer to `logs`; the times: see `Source`.

    Attributes:
        look: What is looked at.
        ends: Where the pages end and the newest lines begin, by source; None: where nothing is yet.
    """

    def __init__(
        self,
        described: Sequence[Json],
        look: LogScope,
        *,
        zone: tzinfo | None = None,
        whole_times: bool = False,
        tail: int = TAIL,
        page_lines: int = index.LINES,
    ) -> None:
        names = [display_safe(str(one["name"])) for one in described]
        cells = max(map(width, names), default=0)
        self.look = look
        self._tail = tail
        self._page_lines = page_lines
        prefixes = [_prefix(name, cells, at) if len(names) > 1 else "" for at, name in enumerate(names)]
        self.sources = [
            Source(one, look, at, prefixes[at], zone=zone, whole_times=whole_times) for at, one in enumerate(described)
        ]
        self._by_id = {source.id: source for source in self.sources}
        self._lock = threading.Lock()
        self.ends: list[LogPlace | None] = []
        self._grown: dict[tuple[str, int], int] = {}

    # the newest lines

    def open(self) -> list[Line]:
        """The newest lines; what lies before them is for the pages."""
        with self._lock:
            lines = self.sources[0].open(self._tail) if len(self.sources) == 1 else self._open_together()
            self.ends = [source.start for source in self.sources]
            return lines

    def _open_together(self) -> list[Line]:
        """From a common moment on, so that no line of a later page is older than one of an earlier."""
        tails = [(source, source.open(max(self._tail // len(self.sources), 1))) for source in self.sources]
        begun = [lines[0][0] for source, lines in tails if lines and _more(source)]
        if begun:
            tails = [(source, source.open_since(max(begun))) for source, _ in tails]
        return list(merge(*(lines for _, lines in tails), key=_wall))

    def grown(self) -> list[Line]:
        """The lines that came since the last call."""
        with self._lock:
            return list(merge(*(source.grown() for source in self.sources), key=_wall))

    def apply(self, item: Json) -> None:
        """Take over an item of the stream."""
        source = self._by_id.get(str(item.get("mission")), self.sources[0])
        with self._lock:
            source.apply(item)
        if item["type"] == "grown":
            self._grown[source.id, int(item["run"])] = int(item["out"]) + int(item["err"])

    def draw_ruler(self, wall: float) -> None:
        """Draw a line below what is shown now."""
        with self._lock:
            for source in self.sources[:1]:
                source.draw_ruler(wall)

    @property
    def reached(self) -> int:
        """How many bytes have been told of, of all missions together."""
        return sum(self._grown.values())

    @property
    def partial(self) -> str:
        """What stands on the last line that isn't finished."""
        return next((source.partial for source in self.sources if source.partial), "")

    @property
    def ended(self) -> bool:
        """Whether all have ended for good."""
        return all(source.ended for source in self.sources)

    @property
    def is_over(self) -> bool:
        """True where nothing more comes into what is looked at: all have ended for good, or it is an earlier run."""
        return self.ended or (self.look.run is not None and self.look.run < self.newest_runs[1])

    @property
    def newest_runs(self) -> tuple[int, int]:
        """The numbers of the newest run that is shown and of the newest that there is; zeros for several missions."""
        if len(self.sources) != 1:
            return 0, 0
        (source,) = self.sources
        return max(source.runs, default=0), max(source.all_runs, default=0)

    def is_outdated(self, runs: Mapping[str, int], known: Mapping[str, int]) -> bool:
        """Return True where a mission that had ended has begun a run of which the stream says nothing any more.

        Args:
            runs: Id → the number of its newest run.
            known: The same as it was when the stream began: the log of a plan has no runs.
        """
        return any(
            source.ended and runs.get(source.id, 0) > max(known.get(source.id, 0), *source.all_runs, 0)
            for source in self.sources
        )

    @property
    def last_written(self) -> float:
        """When the last byte was written, in seconds since the epoch; 0.0: never."""
        return max((source.last_written for source in self.sources), default=0.0)

    @property
    def missing(self) -> str:
        """Which folder is gone although something was written into it; "" when none is."""
        return next((source.missing for source in self.sources if source.missing), "")

    # pages

    def pages(self, since: Sequence[LogPlace | None], ends: Sequence[LogPlace | None]) -> Iterator[LogPage | None]:
        """The pages between two places of each mission, oldest first; None: a good moment for a pause."""
        if len(self.sources) > 1:
            yield from pages(self.sources, since, ends)
        elif ends and ends[0] is not None:
            (source,) = self.sources
            for span in source.spans(since[0] if since else None, ends[0]):
                yield from _pages(source, span, self._page_lines)

    def bytes_before(self) -> int:
        """How many bytes lie before the newest lines."""
        spans = (
            span
            for source, end in zip(self.sources, list(self.ends), strict=True)
            if end is not None
            for span in source.spans(None, end)
        )
        return sum(sum(span.end) - sum(span.start) for span in spans)

    def lines(self, page: LogPage) -> list[Line]:
        """What a page shows. Reads files: for a thread."""
        parts = [self.sources[span.source].lines(span, page.screen) for span in page.spans]
        return parts[0] if len(parts) == 1 else list(merge(*parts, key=_wall))

    def lost(self, pages: Sequence[LogPage]) -> list[LogPage]:
        """Those of which nothing is kept any more. Reads folders: for a thread."""
        runs = {(span.source, span.run) for page in pages for span in page.spans}
        starts = {(source, run): self.sources[source].log(run).start for source, run in runs}
        return [
            page for page in pages
            if page.spans and all(_is_lost(span, starts[span.source, span.run]) for span in page.spans)
        ]  # fmt: skip

    def raw(self, page: LogPage) -> bytes | None:
        """The bytes of a page, when they are all there is; None: they must be made readable first."""
        if len(page.spans) != 1 or page.screen:
            return None
        (span,) = page.spans
        source = self.sources[span.source]
        if source.speaks(span.run) or source.annotated(span):
            return None
        return b"".join(data for *_, data in source.log(span.run).interleaved(span.start, span.end))


def _pages(source: Source, span: Span, lines: int) -> Iterator[LogPage | None]:
    """The pages of one run."""
    held: index.LogPiece | None = None
    for piece in index.pieces(source.log(span.run), span.start, span.end, lines=lines):
        if piece is None:
            yield None
            continue
        if held is not None:
            yield _page(span, held, last=False)
        held = piece
    if held is not None:
        yield _page(span, held, last=span.last)
    elif span.last:
        yield LogPage((span,))


def _page(span: Span, piece: index.LogPiece, *, last: bool) -> LogPage:
    first = span.first and piece.start == span.start
    return LogPage(
        (span._replace(start=piece.start, end=piece.end, first=first, last=last),), piece.lines, piece.screen
    )


def _is_lost(span: Span, start: Offsets) -> bool:
    return span.start != span.end and all(end <= begin for end, begin in zip(span.end, start, strict=True))


def _more(source: Source) -> bool:
    start = source.start
    return start is not None and bool(source.spans(None, start))


def _wall(line: Line) -> float:
    return line[0]


def _prefix(name: str, cells: int, at: int) -> str:
    return f"\x1b[{_COLOURS[at % len(_COLOURS)]}m{pad(name, cells)} │\x1b[0m "
