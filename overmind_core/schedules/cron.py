"""Schedules as a person writes them: a cron expression, a name for one, or an interval; in a time zone.

An expression has five fields, as crontab(5) has them; what is wrong with one is named by the field. Daylight saving is
as Debian's cron has it: a time of day that the clock skips comes right after the gap, one that the clock shows twice
comes once, and what runs every so many minutes or hours comes whenever the clock shows one of its times. Of time zones
only the machine's own table is read.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from cronsim import CronSim, CronSimError

from overmind_core.domain.text.duration import DurationError, parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterator


class InvalidSchedule(ValueError):
    """A text that is no schedule.

    Attributes:
        field: The part that is wrong, such as `hour`; `schedule` for the whole.
    """

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field


class UnknownZone(ValueError):
    """A name that no time zone of this machine has."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Unknown time zone {name[:80]!r} on this machine. Write a name such as Europe/Berlin or UTC")
        self.name = name


FIELDS = (
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day-of-month", "1-31"),
    ("month", "1-12 or JAN-DEC"),
    ("day-of-week", "0-7 or SUN-SAT, where 0 and 7 are Sunday"),
)
"""Name and values of each, in their order."""
LONGEST = 256
"""Characters."""
_ANY = "*"
_SOME_DAY = datetime(2026, 1, 1)  # noqa: DTZ001  (where to begin when only the form is looked at)


def check(expression: str) -> str:
    """Return the expression with single spaces.

    Raises:
        InvalidSchedule: naming the field that is wrong.
    """
    if len(expression) > LONGEST:
        raise InvalidSchedule("schedule", f"it has {len(expression)} characters; the limit is {LONGEST}")
    parts = expression.split()
    if len(parts) != len(FIELDS):
        order = " ".join(name for name, _ in FIELDS)
        raise InvalidSchedule("schedule", f"it has {len(parts)} fields, not {len(FIELDS)}: {order}")
    for place, (name, values) in enumerate(FIELDS):
        _check_field(place, parts[place], name, values)
    _check_dates(parts)
    return " ".join(parts)


def _check_field(place: int, part: str, name: str, values: str) -> None:
    alone = [_ANY] * len(FIELDS)
    alone[place] = part
    # Alone a 31st exists in some month: whether it does in the wanted ones is asked of the whole.
    if not part.isascii() or not _is_expression(alone):
        if (forwards := _forwards(place, part)) is not None:
            raise InvalidSchedule(name, f"{part!r} runs backwards: write {forwards}")
        raise InvalidSchedule(name, f"{part!r} is not {values}, a list, a range or a step of these")


_RANGE = re.compile(r"(\w+)-(\w+)")
_ENDS = (("0", "59"), ("0", "23"), ("1", "31"), ("JAN", "DEC"), ("SUN", "SAT"))
"""The first and last value of each field, as a person writes it."""


def _forwards(place: int, part: str) -> str | None:
    """A range whose end lies before its beginning, as two; None for anything else."""
    found = _RANGE.fullmatch(part.upper())
    if found is None:
        return None
    begin, end = found.groups()
    first, last = _ENDS[place]
    parts = [begin if begin == last else f"{begin}-{last}", end if end == first else f"{first}-{end}"]
    alone = [_ANY] * len(FIELDS)
    alone[place] = written = ",".join(parts)
    return written if _is_expression(alone) else None


def _check_dates(parts: list[str]) -> None:
    if not _is_expression(parts):
        raise InvalidSchedule("day-of-month", f"month {parts[3]} never has a day {parts[2]}")
    if next(_times(" ".join(parts), _SOME_DAY), None) is None:
        raise InvalidSchedule("schedule", "no date of the next 50 years fits it")


def _is_expression(parts: list[str]) -> bool:
    try:
        _times(" ".join(parts), _SOME_DAY)
    except CronSimError:
        return False
    return True


def after(expression: str, zone: tzinfo, moment: float) -> float | None:
    """Return the first time that is later than `moment`, both in seconds since the epoch; None: none in 50 years."""
    minute, hour, *_ = expression.split()
    if minute.startswith(_ANY) or hour.startswith(_ANY):
        return _after_interval(expression, zone, moment)
    times = _times(expression, datetime.fromtimestamp(moment, zone))
    # In the second of two equal hours it names times of the first one again: those are over.
    return next((found for time in times if (found := time.timestamp()) > moment), None)


_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def _after_interval(expression: str, zone: tzinfo, moment: float) -> float | None:
    """As `after`, of what comes every so many minutes or hours.

    Between two jumps of the clock its times are those of a clock without any; so they are looked for up to the next
    jump, and then from there.
    """
    begin, inclusive = datetime.fromtimestamp(math.floor(moment), UTC), False
    while True:
        offset = _offset(begin, zone)
        shown = (begin + offset).replace(tzinfo=None)
        following = next(_times(expression, shown - _SECOND if inclusive else shown), None)
        if following is None:
            return None
        found = following.replace(tzinfo=UTC) - offset
        near = min(found, begin + _DAY)
        if _offset(near, zone) != offset:
            begin, inclusive = _jump(begin, near, zone), True
        elif near == found:
            return found.timestamp()
        else:
            begin, inclusive = max(near, found - _DAY), False


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    """How far clocks in the zone are ahead of UTC."""
    return moment.astimezone(zone).utcoffset() or timedelta()


def _jump(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The first second of those up to `after` at which the clock is no longer as far ahead as it was at `before`."""
    offset = _offset(before, zone)
    while after - before > _SECOND:
        middle = before + timedelta(seconds=(after - before) // _SECOND // 2)
        if _offset(middle, zone) == offset:
            before = middle
        else:
            after = middle
    return after


_SINGLE = re.compile(r"(\w+)-\1/\d+")


def _times(expression: str, begin: datetime) -> CronSim:
    """The times that follow `begin`. A range of one value with a step is that value, as vixie-cron has it."""
    fields = (",".join(_SINGLE.sub(r"\1", term) for term in field.split(",")) for field in expression.upper().split())
    return CronSim(" ".join(fields), begin)


ALWAYS = "UTC"
"""Known on every machine, also on one without a table."""


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """Return the time zone of this name.

    Raises:
        UnknownZone: there is none.
    """
    if name == ALWAYS:
        return UTC
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - for whom has a ritual: no other start should wait for it

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such key, no such kind of name, a folder of the table
        raise UnknownZone(name) from None


def local(moment: float, name: str) -> str:
    """Return how clocks in the zone show `moment` (seconds since the epoch): `2026-11-21 08:00 CET`.

    Seconds are shown where there are any; UTC in place of a zone that the machine has lost.
    """
    try:
        clocks = zone(name)
    except UnknownZone:
        clocks = UTC
    shown = datetime.fromtimestamp(int(moment), clocks)
    return f"{shown:%Y-%m-%d %H:%M:%S %Z}" if shown.second else f"{shown:%Y-%m-%d %H:%M %Z}"


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
    """From where an interval counts, also back: a clock that was ahead when it was created may have been set since."""
    expression: str | None
    """Cron; None for an interval."""
    period: float
    """Seconds of the interval; 0 for cron."""

    def after(self, moment: float) -> float | None:
        """Return the first time that is later than `moment`; None when none follows."""
        if self.expression is not None:
            return after(self.expression, zone(self.zone), moment)
        return self._at(self._number(moment) + 1)

    def upcoming(self, moment: float) -> Iterator[float]:
        """Yield the times that follow `moment`, one after the other."""
        found = self.after(moment)
        while found is not None:
            yield found
            found = self.after(found)

    def newest(self, since: float, until: float) -> float | None:
        """Return the latest time that is later than `since` and not after `until`."""
        if self.expression is None:
            newest = self._at(self._number(until))
            return newest if newest > since else None
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
        return min(max(self._number(until) - self._number(since), 0), most)

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
    expression = check(text)
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
