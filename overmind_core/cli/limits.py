"""`--timeout`: a number without a unit is milliseconds, wherever it stands; who seems to mean seconds is told."""

from __future__ import annotations

from overmind_core.cli.values import MILLISECONDS
from overmind_core.domain.duration import parse_duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from overmind_core.cli.context import Context

MEANT = 1000
"""A bare number below this was probably meant in seconds."""


def limit(given: str) -> float:
    """Return the seconds that a checked `--timeout` means."""
    return parse_duration(given, default_unit=MILLISECONDS)


def warn(given: str | None, context: Context) -> None:
    """Say what was probably meant otherwise."""
    number = given or ""
    if number.isdigit() and 0 < int(number) < MEANT:
        context.note(f"Warning: --timeout {number} means {number} milliseconds; for seconds write {number}s")
