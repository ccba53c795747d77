"""Numbers as people read them at a glance: sizes, rates, spans, and sparklines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from overmind_core.domain.text.duration import format_uptime
from overmind_core.domain.text.moment import parse_time

BARS = "▁▂▃▄▅▆▇█"
MINUS = "\N{MINUS SIGN}"
_UNITS = ("", "K", "M", "G", "T")
_TICKS = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))
"""Seconds and their sign."""
_LONG = 100 * 86_400
"""Seconds from which on nobody looks for the hours."""
_THOUSAND = 1000.0
_SHORT = 10.0
_HALF_CENT = 0.005
"""US dollars below which two decimals would show nothing."""
_MUCH = 1000.0
"""US dollars from which on nobody counts the cents."""


class Ticking(NamedTuple):
    """A text that goes on with a span which changes by itself.

    Attributes:
        lead: What stands before the span.
        at: The moment in seconds since the epoch: the span is the time since then, or until then while it is to come.
        ends: Whether it says nothing more once the moment has come.
    """

    lead: str
    at: float
    ends: bool = False

    def ticks_at(self, now: float) -> bool:
        """Whether it still goes on at a time in seconds since the epoch."""
        return not self.ends or self.at > now


def size(count: float | None) -> str:
    """Bytes in at most four characters and a unit: `512`, `1.2K`, `34M`; "" for None."""
    if count is None:
        return ""
    unit = 0
    while count >= _THOUSAND and unit < len(_UNITS) - 1:
        count /= _THOUSAND
        unit += 1
    return f"{count:.1f}{_UNITS[unit]}" if unit and count < _SHORT else f"{count:.0f}{_UNITS[unit]}"


def counted(number: int, word: str) -> str:
    """A number with its word."""
    return f"{number:,} {word}{'s' * (number != 1)}"


def percent(value: float | None) -> str:
    """Percent of one core."""
    return "" if value is None else f"{value:.0f}%"


def money(usd: float | None) -> str:
    """US dollars: `$0.12`, `$120`, `<$0.01` where cents would show nothing of some; "" for None."""
    if usd is None:
        return ""
    if 0 < usd < _HALF_CENT:
        return "<$0.01"
    return f"${usd:.0f}" if usd >= _MUCH else f"${usd:.2f}"


class Cost(NamedTuple):
    """US dollars as they are known.

    Attributes:
        usd: None: nobody knows.
        is_estimated: A part of them is at a person's prices.
        is_partial: A part is unknown, and not in `usd`.
    """

    usd: float | None = None
    is_estimated: bool = False
    is_partial: bool = False

    @classmethod
    def of(cls, row: Mapping[str, Any], name: str = "cost") -> Cost:
        """The cost in an answer under this name."""
        is_estimated = row.get(f"{name}_source") == "estimated"
        return cls(row.get(f"{name}_usd"), is_estimated, bool(row.get(f"{name}_partial")))

    @classmethod
    def sum_of(cls, costs: Iterable[Cost]) -> Cost:
        """Return the sum of all; one that is not known is a part that is unknown."""
        every = list(costs)
        known = [one.usd for one in every if one.usd is not None]
        is_estimated = any(one.is_estimated for one in every)
        is_partial = any(one.is_partial or one.usd is None for one in every)
        return cls(sum(known) if known else None, is_estimated, is_partial)


def cost(found: Cost, shown: Callable[[float], str] = money) -> str:
    """A cost with what is to be known of it: `$0.12`, `~$0.12` of estimates, `$0.12 + ?` of a part; "" for none.

    `shown`: writes the dollars.
    """
    if found.usd is None:
        return ""
    return f"{'~' if found.is_estimated else ''}{shown(found.usd)}{' + ?' if found.is_partial else ''}"


def cost_of(row: Mapping[str, Any]) -> str:
    """The cost of a row of an answer."""
    return cost(Cost.of(row))


def span(seconds: float) -> str:
    """A duration in its largest unit."""
    return format_uptime(seconds)


def ticking(seconds: float) -> str:
    """A duration in its two largest units, so that it is seen to go on: `2d 04h`, `3h 05m`, `4m 10s`, `42s`."""
    whole = max(int(seconds), 0)
    if whole >= _LONG:
        return format_uptime(seconds)
    for (unit, sign), (part, below) in pairwise(_TICKS):
        if whole >= unit:
            return f"{whole // unit}{sign} {whole % unit // part:02}{below}"
    return f"{whole}s"


@lru_cache(maxsize=4096)
def moment(text: str | None) -> float | None:
    """The API's time as seconds since the epoch."""
    return None if text is None else parse_time(text, now=0.0)


def sparkline(values: Sequence[float], cells: int, lines: int = 1, *, top: float | None = None) -> list[str]:
    """The newest `cells` values as bars, the newest at the right, the upper line first.

    Args:
        values: None is below 0.
        cells: The width.
        lines: How high a full bar is.
        top: The value of a full bar, if it isn't less than the highest of them.
    """
    shown = list(values)[-cells:]
    full = max([top or 0.0, *shown]) or 1.0
    steps = [max(round(value / full * len(BARS) * lines), 1) for value in shown]
    return ["".join(_bar(step - line * len(BARS)) for step in steps).rjust(cells) for line in range(lines - 1, -1, -1)]


def _bar(eighths: int) -> str:
    """The part of a bar that stands in one cell."""
    return " " if eighths <= 0 else BARS[min(eighths, len(BARS)) - 1]


def lines_changed(added: int | None, removed: int | None) -> str:
    """Lines that came and went: `+120`, `+24` and what is gone behind a minus; "" for none."""
    parts = (f"+{added:,}" if added else "", f"{MINUS}{removed:,}" if removed else "")
    return " ".join(filter(None, parts))
