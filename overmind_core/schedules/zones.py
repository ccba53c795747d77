"""Time zones by their names; only the machine's own table of them is read here."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from overmind_core.schedules.errors import UnknownZone

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

    Seconds are shown where there are any.
    """
    shown = datetime.fromtimestamp(int(moment), zone(name))
    return f"{shown:%Y-%m-%d %H:%M:%S %Z}" if shown.second else f"{shown:%Y-%m-%d %H:%M %Z}"
