"""Timers that fire once, and always do; and functions that are called after the next frame, whoever draws it.

Textual's own timer is a repeated one that is over after one time, and like all repeated ones it leaves out a time for
which it is too late. When the machine is so busy that the time has gone by before it looks, it leaves out its only one.
What waits for a frame waits at the screen on top, and is forgotten where that is closed before it has drawn one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message_pump import MessagePump

if TYPE_CHECKING:
    from typing import Any

    from textual.screen import Screen
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


def hand_over_waiting(closed: Screen[Any], following: Screen[Any]) -> None:
    """Have what waits for a frame of a screen that is closed wait for one of the screen that follows."""
    waiting, closed._callbacks = closed._callbacks, []  # noqa: SLF001 - there is no other way
    for callback, sender in waiting:
        following._invoke_later(callback, sender)  # noqa: SLF001 - same
