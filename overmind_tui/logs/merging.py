"""Pages of several missions at once: each holds what all of them wrote in the same time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import zip_longest
from typing import NamedTuple

from overmind_tui.logs import index
from overmind_tui.logs.page import Page, Place, earlier, later
from overmind_tui.logs.source import Source

PAGE = 128 << 10
"""Bytes of one mission on a page, about."""
_NOWHERE = Place(0, (0, 0))


class Dated(NamedTuple):
    """Where a page of one mission begins, and when that was written."""

    wall: float
    source: int
    place: Place
    lines: int


def pages(
    sources: Sequence[Source], since: Sequence[Place | None], ends: Sequence[Place | None]
) -> Iterator[Page | None]:
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
    sources: Sequence[Source], begun: Sequence[Sequence[Dated]], ends: Sequence[Place | None]
) -> Iterator[Page | None]:
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
            yield Page(spans, dated.lines)
        at = there
        yield None


def _until(sources: Sequence[Source], one: int, here: Place, end: Place | None, behind: Dated) -> Place:
    """Where a mission was when the next page begins."""
    if end is None:
        return here
    there = behind.place if behind.source == one else sources[one].place_at(behind.wall)
    return here if there is None else later(here, earlier(there, end))


def _dated(source: Source, at: int, since: Place | None, end: Place) -> Iterator[Dated | None]:
    for span in source.spans(since, end):
        log = source.log(span.run)
        found = list[index.Piece]()
        for piece in index.pieces(log, span.start, span.end, page=PAGE):
            if piece is None:
                yield None
            else:
                found.append(piece)
        walls = log.written_at([piece.start for piece in found])
        for piece, wall in zip(found, walls, strict=True):
            yield Dated(wall, at, Place(span.run, piece.start), piece.lines)
