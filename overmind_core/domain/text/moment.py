"""Points of time that people write and read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from overmind_core.domain.text.duration import QuantityError, parse_duration

_CLOCK = r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?"


_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


_OFFSET = r"[Zz]|[+-][0-9:]{2,6}"


_MOMENT = rf"{_DATE}([Tt ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.,][0-9]{{1,9}})?)?({_OFFSET})?)?"


_DAY = 86_400.0


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TimeError(QuantityError):
    """A text that is no point in time."""


def format_time(wall: float) -> str:
    """Return `wall` as RFC 3339 in UTC with milliseconds: `2026-11-20T08:00:00.123Z`."""
    moment = _EPOCH + timedelta(milliseconds=round(wall * 1000))
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def format_clock(wall: float, now: float, *, zone: tzinfo | None = None, how: str = "%H:%M:%S") -> str:
    """Return `wall` as a person's clock shows it: `12:41:10`, with the date if that is not the one of `now`.

    `zone` None is the machine's own; `how`: the time of day.
    """
    then, today = (datetime.fromtimestamp(moment, zone) for moment in (wall, now))
    return then.strftime(how if then.date() == today.date() else f"%Y-%m-%d {how}")


def format_whole(wall: float, *, zone: tzinfo | None = None) -> str:
    """Return `wall` for who reads it elsewhere or later: `2026-11-20 12:41:10+01:00`; `zone` None is the machine's."""
    return datetime.fromtimestamp(wall, UTC).astimezone(zone).isoformat(" ", "seconds")


def parse_time(text: str, now: float, *, zone: tzinfo | None = None) -> float:
    """Return the time that `text` means, as of `now`.

    `text` is RFC 3339 (without an offset: in `zone`), a time of day (`HH:MM`, the latest one that is not after `now`)
    or a duration ago (`5m`; a bare number is seconds). `zone` None is the machine's own.

    Raises:
        TimeError: it is something else.
    """
    written = text.strip()
    try:
        if clock := re.fullmatch(_CLOCK, written):
            return _latest(int(clock[1]), int(clock[2]), int(clock[3] or 0), now, zone)
        if re.fullmatch(_MOMENT, written):
            return _in_zone(datetime.fromisoformat(written.upper().replace(",", ".")), zone).timestamp()
        return now - parse_duration(written)
    except (ValueError, OverflowError):
        raise TimeError(text, "a time: write 2026-11-20T08:00:00Z, 08:00, or how long ago, such as 5m") from None


def parse_later(text: str, now: float, *, zone: tzinfo | None = None) -> float:
    """Return the time that `text` means for something that is still to come, as of `now`.

    `text` is a duration from now (`2h`; a bare number is seconds), RFC 3339 (without an offset: in `zone`), or a time
    of day: the next one. `zone` None is the machine's own.

    Raises:
        TimeError: it is something else.
    """
    written = text.strip()
    try:
        return now + parse_duration(written)
    except ValueError:
        pass
    try:
        found = parse_time(written, now, zone=zone)
        if re.fullmatch(_CLOCK, written):
            coming = (parse_time(written, now + days * _DAY, zone=zone) for days in (1, 2))
            return next(one for one in coming if one > now)  # a day may have 25 hours
    except ValueError:
        raise TimeError(text, "a time: write 2026-11-20T08:00:00Z, 17:30, or how long from now, such as 2h") from None
    return found


def _in_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    if moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=zone) if zone else moment.astimezone()


def _latest(hour: int, minute: int, second: int, now: float, zone: tzinfo | None) -> float:
    """Return when a clock in `zone` last showed this time of day."""
    today = datetime.fromtimestamp(now, zone).replace(tzinfo=None, microsecond=0)
    shown = today.replace(hour=hour, minute=minute, second=second)
    at = _in_zone(shown, zone).timestamp()
    return at if at <= now else _in_zone(shown - timedelta(days=1), zone).timestamp()
