"""What the machine says of itself: which boot this is, what time it is, and in which time zone.

Monotonic times and pids mean nothing in another boot.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@functools.cache
def boot_id() -> str:
    """Return a text that is the same until the machine boots again.

    Source: random(4), `boot_id`; on macOS sysctl(3), `kern.bootsessionuuid`, as `kern.boottime` moves with the clock.
    """
    if sys.platform == "darwin":
        return _sysctl("kern.bootsessionuuid")
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def _sysctl(name: str) -> str:
    import subprocess  # noqa: PLC0415 -- slow to import, and needed on one system only

    return subprocess.check_output(["/usr/sbin/sysctl", "-n", name], text=True).strip()


_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boottime() -> float:
    """Return seconds of this boot with the machine's sleep: for leases; never goes back, and no clock step moves it.

    Source: clock_gettime(2), CLOCK_BOOTTIME; on macOS CLOCK_MONOTONIC counts sleep as well.
    """
    return time.clock_gettime(_BOOT_CLOCK)


class Clock(Protocol):
    """Three times that must not be mixed; a test brings its own."""

    def wall(self) -> float:
        """Return seconds since the epoch: for display; steps when somebody sets the clock."""

    def mono(self) -> float:
        """Return seconds of this boot without the machine's sleep: for intervals; never goes back."""

    def boot(self) -> float:
        """Return seconds of this boot with the machine's sleep: for leases; never goes back."""


class SystemClock:
    """The machine's clocks. Source: clock_gettime(2), CLOCK_REALTIME, CLOCK_MONOTONIC and, in `boottime`, its own."""

    def wall(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def mono(self) -> float:
        """Return seconds of this boot without sleep."""
        return time.monotonic()

    def boot(self) -> float:
        """Return seconds of this boot with sleep."""
        return boottime()


ZONE_LINK = "/etc/localtime"
ZONE_FILE = "/etc/timezone"
"""Debian's; read where the link is a copy of a table instead."""
ZONE_TABLES = "/zoneinfo/"
UTC = "UTC"


def system_zone(environ: Mapping[str, str], *, link: str = ZONE_LINK, file: str = ZONE_FILE) -> str:
    """Return the name of the zone that clocks here show: the variable TZ, else the system's; UTC when nobody says.

    Source: tzset(3), timezone(5); macOS links /etc/localtime as Linux does.
    """
    candidates = (environ.get("TZ", "").removeprefix(":"), os.path.realpath(link), _first_line(file))
    return next((name for text in candidates if (name := _name(text)) is not None), UTC)


def _name(text: str) -> str | None:
    """Return the name that a variable or path holds, if the machine's table has it."""
    name = text.partition(ZONE_TABLES)[2] if text.startswith("/") else text
    for variant in ("posix/", "right/"):
        name = name.removeprefix(variant)
    return name if name and _is_known(name) else None


def _is_known(name: str) -> bool:
    from zoneinfo import ZoneInfo  # noqa: PLC0415  (start-up: few commands ask)

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return name == UTC
    return True


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as lines:
            return lines.readline().strip()
    except (OSError, UnicodeDecodeError):
        return ""
