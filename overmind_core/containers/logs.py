"""What a container wrote, as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

LONGEST_TAIL = 4000
"""Characters of a tail: it stands in a message for people."""
CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Sequences for a terminal, and other characters that are not text."""


def text(written: bytes) -> str:
    """Readable lines of what a container wrote, without what would drive a terminal."""
    return CONTROL.sub("", written.decode("utf-8", "replace"))


def tail(written: bytes) -> str:
    """The same, cut at its beginning to what a message can carry."""
    return text(written).strip("\n")[-LONGEST_TAIL:]


def seconds(moment: str) -> float | None:
    """The engine's RFC 3339 with nanoseconds as seconds since the epoch; None for "never" (the year 1)."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", moment)
    if match is None or moment.startswith("0001-"):
        return None
    whole, fraction, zone = match.groups()
    return datetime.fromisoformat(whole + zone.replace("Z", "+00:00")).timestamp() + float(fraction or 0)


def run_began(state: Mapping[str, Any]) -> float | None:
    """Seconds since the epoch after which all output is the current run's; None: all there is.

    That is the end of the run before: the engine notes a start after the first lines may have been written.
    """
    started, finished = seconds(state.get("StartedAt", "")), seconds(state.get("FinishedAt", ""))
    if started is None or finished is None:
        return None
    return min(started, finished)
