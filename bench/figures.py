"""What a measurement says: rounds of two sides that took turns, and the row of the table that comes of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

Side = Callable[[], float]
"""One round of one side: a rate, where more is better, or seconds, where less is."""


class Figure(NamedTuple):
    """One row of the table."""

    what: str
    ours: str
    beside: str
    """What else was measured in the same run, or "" when nothing compares."""
    ratio: str
    """Ours ÷ theirs, so that one glance tells; "" when nothing compares."""
    goal: str
    met: bool


class Skipped(NamedTuple):
    """A measurement, or rows of it, that can't be made on this machine."""

    what: str
    why: str


Row = Figure | Skipped
"""The figures of a measurement, one after the other."""


class Rounds(NamedTuple):
    """The values of one side, in the order of the rounds."""

    name: str
    values: Sequence[float]

    @property
    def median(self) -> float:
        """The middle round."""
        return statistics.median(self.values)


def take_turns(sides: Mapping[str, Side], *, rounds: int) -> dict[str, Rounds]:
    """Let each side run once per round: other work on the machine hits all of them alike."""
    values: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            values[name].append(side())
    return {name: Rounds(name, found) for name, found in values.items()}


def ratio(ours: Rounds, theirs: Rounds) -> float:
    """Ours ÷ theirs: the middle one of the rounds' own ratios, since both sides of a round met the same machine."""
    return statistics.median(our / their for our, their in zip(ours.values, theirs.values, strict=True))


def spread(ours: Rounds, theirs: Rounds) -> str:
    """The ratio with the lowest and the highest round."""
    each = [our / their for our, their in zip(ours.values, theirs.values, strict=True)]
    return f"**{statistics.median(each):.2f}×** ({min(each):.2f}–{max(each):.2f})"


def at_least(what: str, ours: Rounds, theirs: Rounds, goal: float, show: Callable[[float], str]) -> Figure:
    """A row whose ratio should be `goal` or more."""
    met = ratio(ours, theirs) >= goal
    beside = f"{theirs.name} {show(theirs.median)}"
    return Figure(what, show(ours.median), beside, spread(ours, theirs), f"≥ {goal:g}×", met)


def at_most(what: str, ours: Rounds, theirs: Rounds, goal: float, show: Callable[[float], str]) -> Figure:
    """A row whose ratio should be `goal` or less."""
    met = ratio(ours, theirs) <= goal
    beside = f"{theirs.name} {show(theirs.median)}"
    return Figure(what, show(ours.median), beside, spread(ours, theirs), f"≤ {goal:g}×", met)


def per_second(rate: float) -> str:
    """Things per second."""
    return f"{rate:,.0f}/s"


def milliseconds(seconds: float) -> str:
    """Seconds, as milliseconds."""
    return f"{seconds * 1000:,.1f} ms"


def megabytes_per_second(rate: float) -> str:
    """Bytes per second, in millions."""
    return f"{rate / 1e6:,.0f} MB/s"


def megabytes(size: float) -> str:
    """Bytes, in millions."""
    return f"{size / 1e6:,.1f} MB"
