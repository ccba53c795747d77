"""Giving notes to a run: how much is wanted, and the result. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

MARK = "[memory]"
"""How a line of the log about notes begins."""


class Injection(StrEnum):
    """Which notes a mission is given at its beginning."""

    AUTO = "auto"
    """Those that are pinned, and those that fit what it is to do."""
    PINNED = "pinned"
    OFF = "off"


class GivenNotes(NamedTuple):
    """The notes for a run."""

    text: str = ""
    """All of it, byte for byte, the frame included; "": nothing."""
    notes: tuple[str, ...] = ()
    """Ids, in the order of the text."""
    tokens: int = 0
    left_out: int = 0
    """Notes that fit as well, beyond the limits of the block."""
    why_not: str = ""
    """The reason why nothing is given, without a full stop; "": there is none."""


def log_line(given: GivenNotes) -> str | None:
    """The line of a run's log about its notes; None: there is nothing to say."""
    if given.why_not:
        return f"{MARK} no notes: {given.why_not}"
    if not given.notes:
        return None
    count = len(given.notes)
    left = f" ({given.left_out} left out)" if given.left_out else ""
    return f"{MARK} {count} note{'' if count == 1 else 's'}, {given.tokens} tokens: {' '.join(given.notes)}{left}"
