"""Timers that fire once, and always do.

Textual's own is a repeated one that is over after one time, and like all repeated ones it leaves out a time for which
it is too late. When the machine is so busy that the time has gone by before it looks, it leaves out its only one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message_pump import MessagePump

if TYPE_CHECKING:
    from textual.timer import Timer, TimerCallback


class SureTimers(MessagePump):
    """A message pump of which no timer is left out, however late it is."""

    def set_timer(
        self, delay: float, callback: TimerCallback | None = None, *, name: str | None = None, pause: bool = False
    ) -> Timer:
        """Call a function after so many seconds, or later."""
        timer = super().set_timer(delay, callback, name=name, pause=pause)
        timer._skip = False  # noqa: SLF001 - there is no other way; it begins only when its task is run
        return timer
