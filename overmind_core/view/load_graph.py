"""A figure of the load over the last five minutes: bars, how high they reach, how long ago they begin; or `steady`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from overmind_core.view import numbers
from overmind_core.view.fleet import STEP_SECONDS

SECONDS = 300.0
"""The past that is shown."""
STEADY = "steady"
_SAMPLES = round(SECONDS / STEP_SECONDS)
_TENTH = 0.1
"""Part of the highest sample: what changes by less is steady."""
_FEWEST = 2
"""Samples that bars need."""
_UNITS = ("B", "kB", "MB", "GB", "TB")
_THOUSAND, _SHORT, _MINUTE = 1000.0, 10.0, 60.0


class LoadGraph(NamedTuple):
    """One figure.

    Attributes:
        bars: The newest at the right; "" where it is steady, or where there are fewer than two samples.
        top: The highest sample.
        seconds: How long ago the first bar begins.
        is_steady: The figure changes by less than a tenth.
    """

    bars: str = ""
    top: float = 0.0
    seconds: float = 0.0
    is_steady: bool = False


def graph(samples: Sequence[float], bars: int, *, full: float | None = None) -> LoadGraph:
    """The last five minutes in so many bars; each shows the highest of its samples.

    Args:
        samples: Every five seconds one, the newest last.
        bars: The most of them, in cells.
        full: A full bar is this much at least.
    """
    shown = samples[-_SAMPLES:]
    if len(shown) < _FEWEST or bars < 1:
        return LoadGraph(top=max(shown, default=0.0))
    top, seconds = max(shown), len(shown) * STEP_SECONDS
    if top - min(shown) < top * _TENTH or top <= 0.0:
        return LoadGraph("", top, seconds, is_steady=True)
    count = min(bars, len(shown))
    ends = [len(shown) * place // count for place in range(count + 1)]
    highest = [max(shown[ends[place] : ends[place + 1]]) for place in range(count)]
    return LoadGraph(numbers.sparkline(highest, count, top=full)[0], top, seconds)


def size(count: float) -> str:
    """Bytes with their unit: `512 B`, `1.2 kB`, `210 MB`."""
    return _in_units(count, 0)


def rate(count: float) -> str:
    """Bytes a second with their unit, which is kB at least: `0.4 kB/s`, `12 kB/s`."""
    return f"{_in_units(count / _THOUSAND, 1)}/s"


def percent(value: float) -> str:
    """Percent of one core: `7 %`."""
    return f"{value:.0f} %"


def ago(seconds: float) -> str:
    """The time that bars span: `5 min`, `40 s`."""
    return f"{seconds:.0f} s" if seconds < _MINUTE else f"{seconds / _MINUTE:.0f} min"


def _in_units(value: float, unit: int) -> str:
    while round(value) >= _THOUSAND and unit < len(_UNITS) - 1:
        value /= _THOUSAND
        unit += 1
    short = unit > 0 and 0.0 < value < _SHORT and round(value, 1) < _SHORT
    return f"{value:.1f} {_UNITS[unit]}" if short else f"{value:.0f} {_UNITS[unit]}"
