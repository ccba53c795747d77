"""Signals to the runner: the first lets everything end gracefully, the second kills, and neither is ever waited for.

The kernel's notice goes to a pipe that a thread reads, so it is heard also while the main thread is blocked, be it by
a reader that takes no output. Whatever is stuck, the process is gone within seconds, and its keeper ends the rest.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

STOP_LIMIT = 5.0
"""Seconds from the first signal to the end of this process, come what may."""
KILL_LIMIT = 2.0
"""Seconds from the second signal."""
ECHO = 0.2
"""Seconds in which a second signal is the first one's echo: timeout(1), for one, signals its child and its group."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OFFSET = 128


class Warden:
    """Takes the signals of this process; made in the main thread."""

    def __init__(self) -> None:
        self.number = 0
        """The first signal; 0 while there was none."""
        self._stop: Callable[[], None] | None = None
        self._kill: Callable[[], None] | None = None
        self._notices, notify = os.pipe()
        os.set_blocking(notify, False)
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background job
                signal.signal(number, _heard)
        signal.set_wakeup_fd(notify, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, name="warden", daemon=True).start()

    @property
    def exit_status(self) -> int:
        """128 + the first signal."""
        return _OFFSET + self.number

    def guard(self, *, stop: Callable[[], None], kill: Callable[[], None]) -> None:
        """From now on there is something to end; neither call may block."""
        self._kill = kill
        self._stop = stop
        if self.number:
            stop()

    def _watch(self) -> NoReturn:
        began = self._first()
        _do(self._stop)
        if self._is_repeated(began):
            _do(self._kill)
            threading.Event().wait(KILL_LIMIT)
        os._exit(self.exit_status)

    def _first(self) -> float:
        """Wait for the first signal; return when it came, in seconds on the monotonic clock."""
        self.number = self._next(None) or 0
        return time.monotonic()

    def _is_repeated(self, began: float) -> bool:
        """Wait for a second signal that means it; False when there was none until the limit."""
        heard = began
        while (left := began + STOP_LIMIT - time.monotonic()) > 0:
            number = self._next(left)
            if number is None or number == signal.SIGHUP:  # a terminal's or a shell's end comes with another signal
                continue
            if self.number == signal.SIGHUP:
                self.number, heard = number, time.monotonic()
            elif time.monotonic() - heard > ECHO:
                return True
        return False

    def _next(self, timeout: float | None) -> int | None:
        """Return the next signal, None when there was none for `timeout` seconds."""
        ready, _, _ = select.select([self._notices], [], [], timeout)
        return os.read(self._notices, 1)[0] if ready else None


def _heard(_number: int, _frame: object) -> None:
    """Nothing: the pipe tells."""


def _do(call: Callable[[], None] | None) -> None:
    if call is not None:
        call()
