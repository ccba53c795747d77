"""What a run's terminal showed at any moment, drawn from its log.

A screen is drawn on from one that was drawn before where such a one is near; else from as little of the output before
as gives a certain picture (`TailScreen`). Where the last 256 KB do not, it is drawn from the run's first byte in
steps, and is uncertain up to then; screens on that way are kept.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from overmind_core.logs.layout import OUT
from overmind_core.logs.reader import Resize, RunLog
from overmind_core.logs.snapshot import CLEAR, drawable
from overmind_core.terminal.screen import first_safe, scan_modes
from overmind_core.terminal.tail import HeadSettings, TailScreen

NEAR = 256 * 1024
"""Bytes that are drawn at once."""
LITTLE = 32 * 1024
"""Bytes of the end by which a certain picture is tried first, and then by `NEAR`."""
STEP = 64 * 1024
"""Bytes that are drawn in one step."""
SCAN_STEP = 1 << 20
"""Bytes whose settings are read in one step."""
MOST_KEPT = 256
"""Screens that are kept, about."""
_NEAR_ESCAPE = 4096
"""Bytes in which an escape is looked for, before which no sequence is begun."""
_BEFORE_CLEAR = 256
"""Bytes before a clear in which programs say where the cursor is."""


class Place(NamedTuple):
    """A moment of a run's terminal."""

    offset: int
    """Of its output."""
    sizes: int = 0
    """How many of its resizes had happened."""


class Progress(Enum):
    """How far the work on an uncertain picture is."""

    OVER = "nothing more can be done"
    GOING_ON = "not there yet"
    LOOK_AGAIN = "the picture may be certain now"


class _Kept(NamedTuple):
    place: Place
    tail: TailScreen


class _Head(NamedTuple):
    """What the output before an offset has left set."""

    end: int
    modes: bytes
    settings: HeadSettings


def _nothing() -> None:
    """Nobody wants to know."""


class ScreenHistory:
    """The screens of one run.

    Args:
        log: Of a run with a terminal.
        columns: Of the terminal when the run began.
        rows: The same.
        resizes: Those of the log; more may come to the end of the list.
    """

    def __init__(self, log: RunLog, columns: int, rows: int, resizes: list[Resize]) -> None:
        self._log = log
        self.resizes = resizes
        self._first_size = drawable(columns, rows)
        self._begin = log.start[OUT]
        self._is_whole = self._begin == 0
        self._heads = [_Head(self._begin, b"", HeadSettings())]
        self._kept: list[_Kept] = []
        if self._is_whole:
            self._kept.append(_Kept(Place(0), TailScreen(*self._first_size)))
        self._current: _Kept | None = None
        self._builder: _Kept | None = None

    def screen_at(self, place: Place) -> TailScreen:
        """The screen at this place; use it before the next call."""
        base = self._base(place)
        if base is None:
            tail = self._drawn_from_end(place)
        else:
            tail = base.tail
            self._draw(tail, base.place, place)
        self._current = _Kept(place, tail)
        return tail

    def certain_screen_at(self, place: Place, on_step: Callable[[], None] = _nothing) -> TailScreen:
        """The same, however long it takes; uncertain only where the run's beginning is not kept.

        Args:
            place: Of the output.
            on_step: Called after each step of what takes long.
        """
        tail = self.screen_at(place)
        while not tail.is_certain() and (progress := self.work(place)) is not Progress.OVER:
            on_step()
            if progress is Progress.LOOK_AGAIN:
                tail = self.screen_at(place)
        return tail

    def share(self, place: Place) -> float:
        """How much of the way to a certain picture is done, from 0 to 1."""
        drawn = self._builder.place.offset if self._builder is not None else 0
        return min(drawn / max(place.offset, 1), 1.0)

    def work(self, place: Place) -> Progress:
        """Do one step towards a certain picture at this place, some 20 ms."""
        if not self._is_whole:
            return Progress.OVER
        if place.offset - self._heads[-1].end > SCAN_STEP:
            self._heads.append(self._scanned(self._heads[-1], self._heads[-1].end + SCAN_STEP))
            if place.offset - self._heads[-1].end > SCAN_STEP:
                return Progress.GOING_ON
            self._current = None
            return Progress.LOOK_AGAIN
        return self._build(place)

    def _build(self, place: Place) -> Progress:
        """Draw on from the nearest certain screen; a copy is kept at times."""
        before = self._kept[: bisect_right(self._kept, place, key=_place_of)]
        nearest = next(one for one in reversed(before) if one.tail.is_settled)
        builder = self._builder
        if builder is None or not nearest.place <= builder.place <= place:
            builder = _Kept(nearest.place, nearest.tail.copy())
        reached = self._step_to(builder.place, place)
        self._draw(builder.tail, builder.place, reached)
        self._builder = builder = _Kept(reached, builder.tail)
        if not builder.tail.is_certain():  # something is missing amid the log by now
            self._is_whole = False
            return Progress.OVER
        if reached == place or reached.offset - nearest.place.offset >= self._spacing:
            self._keep(builder)
        if reached != place:
            return Progress.GOING_ON
        self._current = None
        return Progress.LOOK_AGAIN

    @property
    def _spacing(self) -> int:
        return max(NEAR, self._log.end[OUT] // MOST_KEPT)

    def _keep(self, screen: _Kept) -> None:
        insort(self._kept, _Kept(screen.place, screen.tail.copy()), key=_place_of)

    def _step_to(self, since: Place, until: Place) -> Place:
        offset = since.offset + STEP
        if offset >= until.offset:
            return until
        return Place(offset, self._sizes_by(offset, until.sizes))

    def _base(self, place: Place) -> _Kept | None:
        """A screen to draw on from: the nearest one that is certain, else the one that was shown last."""
        found: list[_Kept] = []
        current = self._current
        if current is not None and current.place <= place and current.place.sizes <= place.sizes:
            found.append(current)
        number = bisect_right(self._kept, place, key=_place_of)
        if number and self._kept[number - 1].place.sizes <= place.sizes:
            found.append(self._kept[number - 1])
        near = [one for one in found if place.offset - one.place.offset <= NEAR]
        certain = [one for one in near if one.tail.is_certain()]
        best = max(certain or near, key=_place_of, default=None)
        if best is None or best is current:
            return best
        return _Kept(best.place, best.tail.copy())

    def _drawn_from_end(self, place: Place) -> TailScreen:
        tail = self._drawn_back(place, LITTLE)
        if not tail.is_certain():
            tail = self._drawn_back(place, NEAR)
        if tail.is_certain():
            self._keep_apart(_Kept(place, tail))
        return tail

    def _keep_apart(self, screen: _Kept) -> None:
        """Keep a certain screen where none is near, so that a step back draws none again."""
        number = bisect_right(self._kept, screen.place, key=_place_of)
        if len(self._kept) < 2 * MOST_KEPT and not (
            number and screen.place.offset - self._kept[number - 1].place.offset < NEAR
        ):
            self._keep(screen)

    def _drawn_back(self, place: Place, lookback: int) -> TailScreen:
        """The screen from so many bytes of the end of the output."""
        self._is_whole = self._is_whole and self._log.start[OUT] == 0
        start, data = self._log.read(OUT, max(place.offset - lookback, self._begin), min(lookback, place.offset))
        cut = 0
        if start > 0:
            clears = [found.start() for found in CLEAR.finditer(data)] if lookback == NEAR else []
            begin = max(clears[-1] - _BEFORE_CLEAR, 0) if clears else 0
            escape = data.find(b"\x1b", begin, begin + _NEAR_ESCAPE)
            cut = escape if escape >= 0 else first_safe(data)
        since = Place(start + cut, self._sizes_by(start + cut, place.sizes))
        columns, rows = self._size(since.sizes)
        if since.offset == 0:
            tail = TailScreen(columns, rows)
        else:
            head, is_known = self._head(since.offset)
            is_sound = is_known and self._is_whole and head.settings.is_initial(rows)
            look = head.settings.look
            tail = TailScreen(columns, rows, head.modes, is_whole=False, look=look, is_sound=is_sound)
        self._draw(tail, since, place)
        return tail

    def _draw(self, tail: TailScreen, since: Place, until: Place) -> None:
        """Draw what was written, and the sizes that the terminal got, between two places."""
        position = since.offset
        for _, offset, columns, rows in self.resizes[since.sizes : until.sizes]:
            self._feed(tail, position, min(max(offset, position), until.offset))
            position = min(max(offset, position), until.offset)
            tail.resize(*drawable(columns, rows))
        self._feed(tail, position, until.offset)

    def _feed(self, tail: TailScreen, since: int, until: int) -> None:
        while since < until:
            at, data = self._log.read(OUT, since, min(NEAR, until - since))
            if at != since or not data:
                tail.doubt()
                if not data or at >= until:
                    return
            data = data[: until - at]
            tail.feed(data)
            since = at + len(data)

    def _size(self, sizes: int) -> tuple[int, int]:
        return drawable(*self.resizes[sizes - 1][2:]) if sizes else self._first_size

    def _sizes_by(self, offset: int, most: int) -> int:
        return min(bisect_right(self.resizes, offset, key=lambda resize: resize[1]), most)

    # what the output before has left set

    def _head(self, end: int) -> tuple[_Head, bool]:
        """What is known to be set at an offset, and whether all that was set before is."""
        number = bisect_right(self._heads, end, key=lambda head: head.end)
        head = self._heads[max(number - 1, 0)]
        if end - head.end > SCAN_STEP:
            return head, False
        return self._scanned(head, end), True

    def _scanned(self, head: _Head, end: int) -> _Head:
        """What is set at `end`, from what was set before."""
        settings, position = head.settings.copy(), head.end
        pieces = [head.modes]
        for number in range(self._sizes_by(position, len(self.resizes)), len(self.resizes) + 1):
            until = end if number == len(self.resizes) else min(self.resizes[number][1], end)
            data = self._log.read(OUT, position, until - position)[1]
            pieces.append(data)
            settings.feed(data)
            position = until
            if until == end:
                break
            settings.resize()
        return _Head(end, scan_modes(pieces), settings)


def _place_of(kept: _Kept) -> Place:
    return kept.place
