"""Answers of another shape than agreed: who is connected may answer anything, and harms nobody but itself."""

from __future__ import annotations

from overmind_core.errors import OvermindError

FAULTS = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError)
"""Errors of whoever reads such an answer."""
SENTENCE = "its answers make no sense here. Install the same overmind on both"


def unreadable(hive: str = "") -> OvermindError:
    """What it failed with, `internal`; in the name of a hive where it isn't clear which."""
    return OvermindError("internal", f"{hive}: {SENTENCE}" if hive else SENTENCE[0].upper() + SENTENCE[1:])
