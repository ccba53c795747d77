"""What a mission and everything below it may cost. Pure; US dollars."""

from __future__ import annotations

from enum import Enum

NEARLY = 0.8
"""Part of the limit from which on it is warned."""
_ROUNDING = 1e-9
"""Sums of fractions of a cent miss by less than this."""


class Standing(Enum):
    """How much of a budget is left."""

    FINE = "fine"
    NEARLY = "nearly"
    SPENT = "spent"


def standing(spent: float, limit: float) -> Standing:
    """Judge what was spent; a `limit` of 0 is none."""
    if not limit:
        return Standing.FINE
    if spent >= limit - _ROUNDING:
        return Standing.SPENT
    return Standing.NEARLY if spent >= NEARLY * limit - _ROUNDING else Standing.FINE
