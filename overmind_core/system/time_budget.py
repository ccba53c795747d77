"""A time budget for computing that nothing else could interrupt, such as a regular expression that backtracks for ever.

Python's regular expressions hold the interpreter while they search, but look for signals now and then: a timer of this
process' own computing time ends them from within. Only the main thread can be interrupted so; in others nothing is.
"""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


_TIMER, _SIGNAL = signal.ITIMER_VIRTUAL, signal.SIGVTALRM


class BudgetExceeded(Exception):
    """The budget is spent, and the work was not done."""


class _Watch:
    """Whether somebody counts on being interrupted; the handler is set once, at the first use."""

    armed = False
    ready = False

    def prepare(self) -> None:
        if not self.ready:
            signal.signal(_SIGNAL, self._ring)
            self.ready = True

    def _ring(self, _number: int, _frame: object) -> None:
        if self.armed:
            self.armed = False
            raise BudgetExceeded


_watch = _Watch()


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Do the work; `seconds` of this process' computing time, of all its threads together, are all that it gets.

    No garbage is collected meanwhile: that is not the work's time, and where a collection calls somebody back, an
    exception is printed and forgotten.

    Raises:
        BudgetExceeded: it would have taken longer.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    _watch.prepare()
    collects = gc.isenabled()
    gc.disable()
    _watch.armed = True
    signal.setitimer(_TIMER, seconds)
    try:
        return work()
    finally:
        _watch.armed = False
        signal.setitimer(_TIMER, 0.0)
        if collects:
            gc.enable()
