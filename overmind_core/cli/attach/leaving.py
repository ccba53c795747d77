"""How a stay ends: what is said then, and the exit status. Pure."""

from __future__ import annotations

from collections import namedtuple

from overmind_core.cli.exits import exit_status
from overmind_core.domain.cells import display_safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_SIGNALLED = 128

Left = namedtuple("Left", ("sentence", "status"))  # noqa: PYI024 - typing costs start-up
"""What is told to the person, and what the process exits with."""


def detached(name: str) -> Left:
    """Somebody left, or was sent away; the mission goes on."""
    return Left(f"detached from {display_safe(name)}", 0)


def handed_back(name: str) -> Left:
    """The program in the terminal has ended, and the session goes on without it."""
    return Left(f"{display_safe(name)} goes on without a terminal", 0)


def signalled(name: str, number: int) -> Left:
    """A signal ended the stay."""
    return Left(f"detached from {display_safe(name)}", _SIGNALLED + number)


def ended(name: str, item: Mapping[str, Any]) -> Left:
    """The mission has ended; `item` is what the supervisor said about that."""
    status, code, reason = item["status"], item["exit_code"], item.get("reason")
    how = f"exited {code}" if code is not None else status
    why = f", {reason}" if reason else ""
    return Left(f"{display_safe(name)} ended: {how}{display_safe(why)}", exit_status(status, code, reason))
