"""The parent of the daemon, watched: an ephemeral daemon ends with whoever started it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

LOOK = 0.25
"""Seconds between two looks, where the system doesn't tell."""


class ParentWatch:
    """Calls `on_death` once, when the parent has ended. Used from the loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, parent: int, on_death: Callable[[], None]) -> None:
        """`parent`: a pid; it may have ended already, and then another process is our parent."""
        self._loop = loop
        self._parent = parent
        self._on_death = on_death
        self._fd = -1

    def start(self) -> None:
        """Begin to watch."""
        try:
            self._fd = os.pidfd_open(self._parent)
        except (AttributeError, OSError):  # another system; or it has ended: the first look sees that
            self._look()
            return
        if os.getppid() != self._parent:  # the pid is that of another process by now
            self._loop.call_soon(self._ended)
        else:
            self._loop.add_reader(self._fd, self._ended)

    def _look(self) -> None:
        if os.getppid() == self._parent:
            self._loop.call_later(LOOK, self._look)
        else:
            self._ended()

    def _ended(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1
        self._on_death()
