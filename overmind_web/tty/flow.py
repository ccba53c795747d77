"""Flow control of a terminal's bytes on their way to a page: how many may be unacknowledged. Pure.

The page counts the bytes that its terminal has drawn and says that sum, in steps of 16 KiB, and whenever it has drawn
all that came. The steps are smaller than the distance between the two marks, and the lower mark is above nothing: so a
page that draws always opens the window again.
"""

from __future__ import annotations

from enum import Enum

HIGH = 128 << 10
"""Unacknowledged bytes from which on no more is sent."""
LOW = HIGH // 2
"""Unacknowledged bytes at which sending goes on."""
STEP = 16 << 10
"""Bytes after which a page acknowledges."""


class FlowState(Enum):
    """Whether bytes may be sent."""

    OPEN = "open"
    HELD = "held"


class BadAcknowledgement(ValueError):
    """A page acknowledged what it was never sent, or took an acknowledgement back."""


class FlowWindow:
    """What one page was sent and has acknowledged, in bytes since its socket opened."""

    __slots__ = ("_acknowledged", "_sent", "state")

    def __init__(self) -> None:
        self._sent = 0
        self._acknowledged = 0
        self.state = FlowState.OPEN

    @property
    def pending(self) -> int:
        """Bytes that were sent and not acknowledged."""
        return self._sent - self._acknowledged

    @property
    def room(self) -> int:
        """Bytes that may be sent now; 0: none until enough is acknowledged."""
        return max(HIGH - self.pending, 0) if self.state is FlowState.OPEN else 0

    def send(self, size: int) -> None:
        """Count bytes that were sent; they may be more than there was room for, the window is held then."""
        self._sent += size
        if self.pending >= HIGH:
            self.state = FlowState.HELD

    def acknowledge(self, total: int) -> bool:
        """Take the sum of all bytes drawn so far; return whether this opened the window again.

        Raises:
            BadAcknowledgement: it is more than was sent, or less than was acknowledged before.
        """
        if not self._acknowledged <= total <= self._sent:
            raise BadAcknowledgement(total)
        self._acknowledged = total
        if self.state is FlowState.HELD and self.pending <= LOW:
            self.state = FlowState.OPEN
            return True
        return False
