"""The index of a run's log: where its pages begin, found by looking for newlines, some milliseconds of work at a time.

A page ends at the end of a line, and never within full-screen output, which is a page of its own. It knows where its
bytes are, and about how many lines they show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from overmind_core.logs.display import Line
from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.reader import RunLog
from overmind_core.logs.sanitise import ALTERNATE_SCREEN
from overmind_core.logs.time_order import Offsets

PAGE = 32 << 10
"""Bytes of a page, about."""
LINES = 1024
"""Lines of a page at most."""
_WINDOW = 256 << 10
_LONGEST = 1 << 20
"""Bytes of a line from which on it is cut into pages."""
_BREATH = 512
"""Pieces of output between two pauses."""
_MARK = b"\x1b[?"
_SWITCH = re.compile(rb"\x1b\[\?([0-9;]{1,64})([hl])")
_END = re.compile(rb"\x1b(?:\[\?([0-9;]{1,64})l|c)")
_OVERLAP = 80
"""Bytes that a switch may be cut into at the end of a window."""


class LogPiece(NamedTuple):
    """A page of one run: where it begins and ends, its lines (about), and its bytes when it is full-screen output."""

    start: Offsets
    end: Offsets
    lines: int
    screen: int = 0


def pieces(
    log: RunLog, start: Offsets, end: Offsets, *, page: int = PAGE, lines: int = LINES
) -> Iterator[LogPiece | None]:
    """The pages from `start` to `end`, both at the beginning of lines; None: a good moment for a pause.

    Args:
        log: Of the run.
        start: Offsets in its output and its errors.
        end: The same.
        page: Bytes of a page, about.
        lines: Lines of a page at most, as they were written.
    """
    if start[ERR] >= end[ERR]:
        yield from _Scan(log, OUT, start, page, lines).pieces(end[OUT])
    elif start[OUT] >= end[OUT]:
        yield from _Scan(log, ERR, start, page, lines).pieces(end[ERR])
    else:
        yield from _both(log, start, end, page, lines)


class _Scan:
    """The scan of one stream for pages; the other stands still."""

    def __init__(self, log: RunLog, stream: int, start: Offsets, page: int, most: int) -> None:
        self._log = log
        self._stream = stream
        self._start = start
        self._page = page
        self._most = most
        self._at = start[stream]

    def pieces(self, stop: int) -> Iterator[LogPiece | None]:
        window = _WINDOW
        while self._at < stop:
            begin, data = self._log.read(self._stream, self._at, min(window, stop - self._at))
            if not data or begin >= stop:
                return
            self._at = begin
            switch = _switch(data) if self._stream == OUT else None
            limit = switch.start() if switch else len(data)
            whole = switch is not None or begin + len(data) >= stop or window >= _LONGEST
            yield from self._lines(data, limit, whole=whole)
            window = _WINDOW if self._at > begin else window * 4
            if switch and self._at == begin + limit:
                yield from self._screen(switch.end() - switch.start(), stop)
            yield None

    def _lines(self, data: bytes, limit: int, *, whole: bool) -> Iterator[LogPiece]:
        begin, done = self._at, 0
        for cut in _cuts(data, limit, self._page, self._most, whole=whole):
            lines = data.count(b"\n", done, cut) + (data[cut - 1 : cut] != b"\n")
            done = cut
            yield self._piece(begin + cut, lines)

    def _screen(self, head: int, stop: int) -> Iterator[LogPiece | None]:
        """Full-screen output that begins here with a switch of `head` bytes."""
        begin = self._at
        position = begin + head
        while position < stop:
            at, data = self._log.read(self._stream, position, min(_WINDOW, stop - position))
            if not data:
                break
            ended = next((one for one in _END.finditer(data) if _ends(one)), None)
            if ended is not None:
                yield self._piece(at + ended.end(), 1, screen=at + ended.end() - begin)
                return
            position = at + max(len(data) - _OVERLAP, 1) if at + len(data) < stop else stop
            yield None
        yield self._piece(stop, 1, screen=stop - begin)

    def _piece(self, end: int, count: int, *, screen: int = 0) -> LogPiece:
        start, self._at = self._offsets(self._at), end
        return LogPiece(start, self._offsets(end), count, screen)

    def _offsets(self, at: int) -> Offsets:
        return (at, self._start[ERR]) if self._stream == OUT else (self._start[OUT], at)


def _cuts(data: bytes, limit: int, page: int, most: int, *, whole: bool) -> Iterator[int]:
    """Ends of pages in `data`, up to `limit`; the rest of it is one too when it is the `whole`."""
    done = 0
    while limit - done > page:
        cut = data.rfind(b"\n", done, done + page) + 1 or data.find(b"\n", done + page, limit) + 1
        if not cut:
            break
        while data.count(b"\n", done, cut) > most:
            done = _behind_lines(data, done, most)
            yield done
        if cut > done:
            yield cut
        done = cut
    while whole and done < limit:
        done = _behind_lines(data, done, most) if data.count(b"\n", done, limit) > most else limit
        yield done


def _behind_lines(data: bytes, start: int, count: int) -> int:
    """The place behind the next `count` newlines."""
    for _ in range(count):
        start = data.index(b"\n", start) + 1
    return start


def _switch(data: bytes) -> re.Match[bytes] | None:
    """Where full-screen output begins."""
    if _MARK not in data:
        return None
    return next((one for one in _SWITCH.finditer(data) if one[2] == b"h" and _alternate(one[1])), None)


def _ends(found: re.Match[bytes]) -> bool:
    return found[1] is None or _alternate(found[1])


def _alternate(modes: bytes) -> bool:
    return not ALTERNATE_SCREEN.isdisjoint(modes.split(b";"))


def _both(log: RunLog, start: Offsets, end: Offsets, page: int, most: int) -> Iterator[LogPiece | None]:
    """Pages of two streams: they end where both are at the beginning of a line."""
    begun, reached = start, list(start)
    lines, count, size = list(start), 0, 0
    for number, (_, stream, at, data) in enumerate(log.interleaved(start, end)):
        for cut in range(0, len(data), page):
            part = data[cut : cut + page]
            reached[stream] = at + cut + len(part)
            newline = part.rfind(b"\n") + 1
            if newline:
                lines[stream] = at + cut + newline
                count += part.count(b"\n")
            size += len(part)
            place = (lines[OUT], lines[ERR])
            if (size >= page or count >= most) and place > begun and place[ERR] >= begun[ERR]:
                yield LogPiece(begun, place, max(count, 1))
                begun, count, size = place, 0, 0
        if number % _BREATH == 0:
            yield None
    if begun != end:
        yield LogPiece(begun, end, max(count, 1))


UNKNOWN = -1
"""How many lines of a page match, before somebody has counted."""


class LogScope(NamedTuple):
    """The scope that is shown: which part of whose logs.

    Attributes:
        missions: Their ids; the lines of several stand in the order of their times.
        run: Only this run of the mission; None: all.
        since: Only what was written from then on, in seconds since the epoch; None: all.
    """

    missions: tuple[str, ...] = ()
    run: int | None = None
    since: float | None = None

    @property
    def alone(self) -> str | None:
        """The one mission whose newest lines are among what is looked at."""
        return self.missions[0] if len(self.missions) == 1 and self.run is None else None


class WantedLine(NamedTuple):
    """A line of a log that a search has found: when it was written, in seconds since the epoch, and its text."""

    wall: float
    text: str


class LogPlace(NamedTuple):
    """A place in a mission's log; later ones are greater."""

    run: int
    offsets: Offsets


def later(one: LogPlace, other: LogPlace) -> LogPlace:
    """The later of two places, in each stream."""
    if one.run != other.run:
        return max(one, other)
    (out, err), (other_out, other_err) = one.offsets, other.offsets
    return LogPlace(one.run, (max(out, other_out), max(err, other_err)))


def earlier(one: LogPlace, other: LogPlace) -> LogPlace:
    """The earlier of two places, in each stream."""
    if one.run != other.run:
        return min(one, other)
    (out, err), (other_out, other_err) = one.offsets, other.offsets
    return LogPlace(one.run, (min(out, other_out), min(err, other_err)))


class Span(NamedTuple):
    """Some bytes of one run.

    Attributes:
        source: Which of the missions looked at.
        run: Its number.
        start: Where the lines begin.
        end: The place behind the last of them.
        first: Nothing of this run is shown before.
        last: It reaches the run's end.
    """

    source: int
    run: int
    start: Offsets
    end: Offsets
    first: bool = False
    last: bool = False


class LogPage:
    """Some lines that are read and forgotten together.

    Attributes:
        spans: Where they are; none: nobody knows yet, or they are held already.
        count: How many lines there are, about, until they have been read.
        screen: Bytes of the full-screen output that is all there is; 0: there are lines.
        lines: What it shows, while it is held.
        hits: How many lines match what is looked for.
    """

    __slots__ = ("count", "hits", "lines", "screen", "spans")

    def __init__(self, spans: tuple[Span, ...] = (), count: int = 0, screen: int = 0) -> None:
        self.spans = spans
        self.count = count
        self.screen = screen
        self.lines: list[Line] | None = None
        self.hits = UNKNOWN
