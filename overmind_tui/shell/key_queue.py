"""The queue of keys and pastes: in the order in which they came, each to the screen that is on top in its turn."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from textual import events

Typed = events.Key | events.Paste
QUIET_SECONDS = 1.0
"""How long typed text does nothing after the place that it was meant for went away, or did not open."""
STILL_TYPING = 1.0
"""And how long after each key that did nothing: who thinks about the next word is still typing."""
TEXT_KEYS = frozenset({"enter", "tab", "backspace", "delete", "ctrl+c", "ctrl+j", "ctrl+m", "space"})
"""What belongs to typing beside characters."""


class QuietPeriod:
    """The time in which typed text does nothing, because there is no place for it; times are monotonic seconds."""

    def __init__(self) -> None:
        self.until = float("-inf")
        self.announced = False
        """It was said that typed text does nothing now."""

    def begin(self, now: float) -> None:
        """The place for the text is not there."""
        self.announced = False
        self.extend(now, QUIET_SECONDS)

    def extend(self, now: float, seconds: float = STILL_TYPING) -> None:
        """Somebody is still typing."""
        self.until = max(self.until, now + seconds)

    def swallows(self, key: str, character: str | None, now: float) -> bool:
        """Whether a key is such text; the period lasts as long as somebody goes on typing."""
        if now >= self.until or not (character is not None or key in TEXT_KEYS):
            return False
        self.extend(now)
        return True


class KeyQueue:
    """While a screen is opening, what is typed waits for it; where none opens, typed text is no commands.

    Attributes:
        elsewhere: Held while another program has the terminal, and with it what is typed.
        quiet: The time in which typed text does nothing.

    Args:
        press: Gets each key, by name and by the character that it types (None for others).
        paste: Gets each pasted text.
        clock: Monotonic seconds, as the events have them.
        swallowed: Hears, once each time, that typed text does nothing now.
    """

    def __init__(
        self,
        press: Callable[[str, str | None], None],
        paste: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        swallowed: Callable[[], None] = lambda: None,
    ) -> None:
        self._swallowed = swallowed
        self._press = press
        self._paste = paste
        self._clock = clock
        self._waiting: deque[Typed] = deque()
        self._held = False
        self._holds = 0
        self._closed = False
        self.quiet = QuietPeriod()
        self.elsewhere = asyncio.Lock()

    @property
    def is_waiting(self) -> bool:
        """Whether what is typed is for what is about to open: a screen, or another program."""
        return self._held or self._closed

    def close(self) -> None:
        """Another program gets the terminal: what still comes was typed for it, and is no key of ours."""
        self._closed = True
        self._held = False
        self._waiting.clear()

    def open(self) -> None:
        """The terminal is ours again."""
        self._closed = False

    def put(self, event: Typed) -> None:
        """Something was typed."""
        if self._closed:
            return
        self._waiting.append(event)
        self._drain()

    def hold(self) -> int:
        """A screen is opening; which hold that is."""
        self._held = True
        self._holds += 1
        return self._holds

    def release(self) -> None:
        """The screen can take keys."""
        self._held = False
        self._drain()

    def give_up(self, hold: int) -> None:
        """Nobody waits any longer for what that hold is for; another screen may be opening by now."""
        if self.is_held_for(hold):
            self.release()

    def hush(self) -> None:
        """The place that text was typed into is gone, or did not open: text that still comes is no commands."""
        self.quiet.begin(self._clock())

    def expect(self, may_open: Callable[[], bool] = lambda: True) -> Expected:
        """A view was asked for that opens later, if it still may then: what is typed is for that."""
        return Expected(self, self.hold(), may_open)

    def is_held_for(self, hold: int) -> bool:
        """Whether it is still that hold that keys wait for."""
        return self._held and self._holds == hold

    def _drain(self) -> None:
        # When it was typed counts, not when we get to it: a busy machine turns no text into commands.
        while self._waiting and not self._held:
            event = self._waiting.popleft()
            if isinstance(event, events.Paste):
                if event.time >= self.quiet.until:
                    self._paste(event.text)
                else:
                    self._announce()
                continue
            typed = character(event)
            if self.quiet.swallows(event.key, typed, event.time):
                self._announce()
            else:
                self._press(event.key, typed)

    def _announce(self) -> None:
        """Say once that what is typed does nothing."""
        if not self.quiet.announced:
            self.quiet.announced = True
            self._swallowed()


class Expected:
    """A view that was asked for, and what keys do until it comes."""

    def __init__(self, queue: KeyQueue, hold: int, may_open: Callable[[], bool]) -> None:
        self._queue = queue
        self._hold = hold
        self._may_open = may_open

    def came(self) -> bool:
        """Open it now, or not at all (False): the person is elsewhere, or writes.

        When nothing waited for it any more, what is typed just now was not meant for it.
        """
        if not self._may_open():
            self.failed()
            return False
        if not self._queue.is_held_for(self._hold):
            self._queue.hush()
        return True

    def unneeded(self) -> None:
        """Wait no longer: the view need not open, as all is well, and what was typed is for what is there."""
        self._queue.give_up(self._hold)

    def failed(self) -> None:
        """It will not open, or not soon."""
        if self._queue.is_held_for(self._hold):
            self._queue.hush()
            self._queue.release()


def character(event: events.Key) -> str | None:
    """What the key types; None for a key that is no character."""
    return event.character if event.character and event.character.isprintable() and "+" not in event.key[:-1] else None
