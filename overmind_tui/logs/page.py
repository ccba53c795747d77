"""What is looked at, and the pages that it is made of: where their bytes are, and about how many lines they show."""

from __future__ import annotations

from typing import NamedTuple

from overmind_core.logs.display import Line
from overmind_core.logs.order import Offsets

UNKNOWN = -1
"""How many lines of a page match, before somebody has counted."""


class Look(NamedTuple):
    """Which part of whose logs.

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


class Place(NamedTuple):
    """A place in a mission's log; later ones are greater."""

    run: int
    offsets: Offsets


def later(one: Place, other: Place) -> Place:
    """The later of two places, in each stream."""
    if one.run != other.run:
        return max(one, other)
    (out, err), (other_out, other_err) = one.offsets, other.offsets
    return Place(one.run, (max(out, other_out), max(err, other_err)))


def earlier(one: Place, other: Place) -> Place:
    """The earlier of two places, in each stream."""
    if one.run != other.run:
        return min(one, other)
    (out, err), (other_out, other_err) = one.offsets, other.offsets
    return Place(one.run, (min(out, other_out), min(err, other_err)))


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


class Page:
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
