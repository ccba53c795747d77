"""Cron expressions: five fields, as crontab(5) has them, in a time zone.

Daylight saving is as Debian's cron has it: a time of day that the clock skips comes right after the gap, one that the
clock shows twice comes once, and what runs every so many minutes or hours follows the time that passes.
"""

from __future__ import annotations

from datetime import datetime, tzinfo

from cronsim import CronSim, CronSimError

from overmind_core.schedules.errors import InvalidSchedule

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
        raise InvalidSchedule(name, f"{part!r} is not {values}, a list, a range or a step of these")


def _check_dates(parts: list[str]) -> None:
    if not _is_expression(parts):
        raise InvalidSchedule("day-of-month", f"month {parts[3]} never has a day {parts[2]}")
    if next(CronSim(" ".join(parts), _SOME_DAY), None) is None:
        raise InvalidSchedule("schedule", "no date of the next 50 years fits it")


def _is_expression(parts: list[str]) -> bool:
    try:
        CronSim(" ".join(parts), _SOME_DAY)
    except CronSimError:
        return False
    return True


def after(expression: str, zone: tzinfo, moment: float) -> float | None:
    """Return the first time that is later than `moment`, both in seconds since the epoch; None: none in 50 years."""
    times = CronSim(expression, datetime.fromtimestamp(moment, zone))
    # In the second of two equal hours it names times of the first one again: those are over.
    return next((found for time in times if (found := time.timestamp()) > moment), None)
