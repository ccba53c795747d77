"""A timer on the boot clock, which goes on while the machine sleeps; the loop's own timers stand still meanwhile."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import time

from overmind_core.keeper.loop import READ
from overmind_core.system.machine import boottime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.keeper.loop import Loop, Timer

LOOK = 0.25
"""Seconds between two looks at the clock, where the system has no such timer."""
FARTHEST = 1e9
"""Seconds after the boot; later moments count as this one."""
_ABSOLUTE = 1
"""TFD_TIMER_ABSTIME. Source: timerfd_create(2)."""


class BootTimer:
    """Calls `action` once when its moment has come; a source of the loop."""

    __slots__ = ("_action", "_at", "_fd", "_loop", "_timer")

    def __init__(self, loop: Loop, action: Callable[[], None], *, system: bool = True) -> None:
        """`system`: use the timer of the system where it has one."""
        self._loop = loop
        self._action = action
        self._at: float | None = None
        self._timer: Timer | None = None
        self._fd = _create() if system else -1
        if self._fd >= 0:
            loop.watch(self._fd, READ, self)

    def set(self, at: float | None) -> None:
        """Call the action at this moment, in seconds of the boot clock, instead of any earlier one; None: never."""
        self._at = at
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not _set(self._fd, at) and at is not None:
            self._timer = self._loop.later(min(max(at - boottime(), 0.0), LOOK), self._fire)

    def ready(self, _events: int) -> None:
        """The system says that it is time, unless the timer was set anew in the same turn."""
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return
        self._fire()

    def failed(self) -> None:
        """Go on without the system."""
        self._loop.forget(self._fd)
        os.close(self._fd)
        self._fd = -1
        self.set(self._at)

    def _fire(self) -> None:
        """Call the action, unless it is too early or nothing is due any more."""
        at, self._timer = self._at, None
        if at is None:
            return
        if boottime() < at:
            self.set(at)
            return
        self._at = None
        self._action()


@functools.cache
def _library() -> ctypes.CDLL:
    """The functions of this process, opened once: a timer is set at each start and end of a run with a lease."""
    return ctypes.CDLL(None)


def _create() -> int:
    """A timer of the system on its boot clock; -1 where it has none. Source: timerfd_create(2)."""
    if not sys.platform.startswith("linux") or ctypes.sizeof(ctypes.c_long) != ctypes.sizeof(ctypes.c_int64):
        return -1
    return int(_library().timerfd_create(time.CLOCK_BOOTTIME, os.O_NONBLOCK | os.O_CLOEXEC))


def _set(fd: int, at: float | None) -> bool:
    """Set a timer of the system, or stop it; False when it takes nothing. Source: timerfd_settime(2)."""
    if fd < 0:
        return False
    nanoseconds = 0 if at is None else max(1, int(min(at, FARTHEST) * 1e9))
    # struct itimerspec: seconds and nanoseconds of the interval, which is none, and of the moment
    moment = (ctypes.c_long * 4)(0, 0, *divmod(nanoseconds, 10**9))
    return bool(_library().timerfd_settime(fd, _ABSOLUTE, moment, None) == 0)
