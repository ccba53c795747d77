"""Numbers as people read them at a glance: sizes, rates, spans, and lines of little bars."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from overmind_core.domain.duration import format_uptime
from overmind_core.domain.moment import parse_time

BARS = "▁▂▃▄▅▆▇█"
_UNITS = ("", "K", "M", "G", "T")
_THOUSAND = 1000.0
_SHORT = 10.0


def size(count: float | None) -> str:
    """Bytes in at most four characters and a unit: `512`, `1.2K`, `34M`; "" for None."""
    if count is None:
        return ""
    unit = 0
    while count >= _THOUSAND and unit < len(_UNITS) - 1:
        count /= _THOUSAND
        unit += 1
    return f"{count:.1f}{_UNITS[unit]}" if unit and count < _SHORT else f"{count:.0f}{_UNITS[unit]}"


def percent(value: float | None) -> str:
    """Percent of one core."""
    return "" if value is None else f"{value:.0f}%"


def span(seconds: float) -> str:
    """A duration in its largest unit."""
    return format_uptime(seconds)


@lru_cache(maxsize=4096)
def moment(text: str | None) -> float | None:
    """The API's time as seconds since the epoch."""
    return None if text is None else parse_time(text, now=0.0)


def bars(values: Sequence[float], cells: int, *, top: float | None = None) -> str:
    """The newest `cells` values as bars, the newest at the right; `top` is the value of a full bar."""
    shown = list(values)[-cells:]
    full = max([top or 0.0, *shown]) or 1.0
    marks = [BARS[min(len(BARS) - 1, round(value / full * (len(BARS) - 1)))] for value in shown]
    return "".join(marks).rjust(cells)
