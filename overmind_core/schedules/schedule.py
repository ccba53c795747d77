"""A schedule as a person writes it: a cron expression, a name for one, or an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from overmind_core.domain.duration import DurationError, parse_duration
from overmind_core.schedules import cron
from overmind_core.schedules.errors import InvalidSchedule
from overmind_core.schedules.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
EVERY = "@every"
SHORTEST = 1.0
"""Seconds between two times of an interval."""
HOUR = 3600.0
WINDOWS = (HOUR, 26 * HOUR, 32 * 24 * HOUR, 366 * 24 * HOUR)
"""Seconds to look back for the newest time of a cron expression: few steps for the frequent, few looks for the rare."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something is due. Times are seconds since the epoch."""

    text: str
    """As it was written, with single spaces."""
    zone: str
    """Name of the time zone that a cron expression means."""
    anchor: float
    """From where an interval counts."""
    expression: str | None
    """Cron; None for an interval."""
    period: float
    """Seconds of the interval; 0 for cron."""

    def after(self, moment: float) -> float | None:
        """Return the first time that is later than `moment`; None when none follows."""
        if self.expression is not None:
            return cron.after(self.expression, zone(self.zone), moment)
        return self._at(max(self._number(moment) + 1, 1))

    def upcoming(self, moment: float) -> Iterator[float]:
        """Yield the times that follow `moment`, one after the other."""
        found = self.after(moment)
        while found is not None:
            yield found
            found = self.after(found)

    def newest(self, since: float, until: float) -> float | None:
        """Return the latest time that is later than `since` and not after `until`."""
        if self.expression is None:
            number = self._number(until)
            return self._at(number) if number >= 1 and self._at(number) > since else None
        for window in (*WINDOWS, until - since):
            found = None
            for at in self.upcoming(max(since, until - window)):
                if at > until:
                    break
                found = at
            if found is not None or until - window <= since:
                return found
        return None

    def count(self, since: float, until: float, most: int) -> int:
        """Return how many times are later than `since` and not after `until`, but at most `most`."""
        if self.expression is not None:
            return sum(1 for _ in islice(_up_to(self.upcoming(since), until), most))
        return min(max(self._number(until) - max(self._number(since), 0), 0), most)

    def _number(self, moment: float) -> int:
        """Return the number of the latest time of an interval that is not after `moment`, whatever is rounded."""
        number = math.floor((moment - self.anchor) / self.period)
        while self._at(number + 1) <= moment:
            number += 1
        while self._at(number) > moment:
            number -= 1
        return number

    def _at(self, number: int) -> float:
        return self.anchor + number * self.period


def _up_to(times: Iterator[float], until: float) -> Iterator[float]:
    for at in times:
        if at > until:
            return
        yield at


def parse(text: str, *, zone_name: str, anchor: float) -> Schedule:
    """Return the schedule that `text` means.

    Args:
        text: A cron expression, `@daily` and the like, or `@every 10m`.
        zone_name: Where clocks show the times of a cron expression.
        anchor: Seconds since the epoch from which an interval counts.

    Raises:
        InvalidSchedule: it is none; the error names the field.
        UnknownZone: there is no such zone.
    """
    zone(zone_name)
    words = text.split()
    begin = words[0].lower() if words else ""
    if begin == EVERY:
        return Schedule(" ".join([EVERY, *words[1:]]), zone_name, anchor, None, _period(words[1:]))
    if begin.startswith("@"):
        return Schedule(begin, zone_name, anchor, _named(begin, len(words)), 0.0)
    expression = cron.check(text)
    return Schedule(expression, zone_name, anchor, expression, 0.0)


def _named(name: str, words: int) -> str:
    if name not in NAMES or words > 1:
        known = ", ".join([*NAMES, f"{EVERY} 10m"])
        raise InvalidSchedule("schedule", f"{name[:40]!r} is not one of {known}")
    return NAMES[name]


def _period(words: list[str]) -> float:
    if len(words) != 1:
        raise InvalidSchedule(EVERY, f"write one duration after it, such as {EVERY} 10m")
    try:
        period = parse_duration(words[0])
    except DurationError as error:
        raise InvalidSchedule(EVERY, str(error)) from None
    if period < SHORTEST:
        raise InvalidSchedule(EVERY, f"{words[0]} is shorter than {SHORTEST:g}s")
    return period
