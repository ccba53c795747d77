"""In which phase of its life the daemon is: whether it still takes work, and when it may go."""

from __future__ import annotations

import asyncio


class Phase:
    """Read by whoever begins something; written by those who end the daemon."""

    def __init__(self) -> None:
        self.closing = False
        """A shutdown is under way: nothing new is started."""
        self.handing_over = False
        """Another daemon takes over: requests are left to it."""
        self.leaving = asyncio.Event()
        """Set once it has parted from its keeper: the host ends."""
