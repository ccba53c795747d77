"""The time zone of this machine, by its name.

Source: tzset(3), timezone(5); macOS links /etc/localtime as Linux does.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LINK = "/etc/localtime"
FILE = "/etc/timezone"
"""Debian's; read where the link is a copy of a table instead."""
TABLES = "/zoneinfo/"
UNKNOWN = "UTC"


def system_zone(environ: Mapping[str, str], *, link: str = LINK, file: str = FILE) -> str:
    """Return the name of the zone that clocks here show: the variable TZ, else the system's; UTC when nobody says."""
    candidates = (environ.get("TZ", "").removeprefix(":"), os.path.realpath(link), _first_line(file))
    return next((name for text in candidates if (name := _name(text)) is not None), UNKNOWN)


def _name(text: str) -> str | None:
    """Return the name that a variable or path holds, if the machine's table has it."""
    name = text.partition(TABLES)[2] if text.startswith("/") else text
    for variant in ("posix/", "right/"):
        name = name.removeprefix(variant)
    return name if name and _is_known(name) else None


def _is_known(name: str) -> bool:
    from zoneinfo import ZoneInfo  # noqa: PLC0415  (start-up: few commands ask)

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return name == UNKNOWN
    return True


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as lines:
            return lines.readline().strip()
    except (OSError, UnicodeDecodeError):
        return ""
