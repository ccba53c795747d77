"""The queue of keys and pastes: in the order in which they came, each to the screen that is on top in its turn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from textual import events

Typed = events.Key | events.Paste


class KeyQueue:
    """While a screen is opening, what is typed waits for it.

    Attributes:
        elsewhere: Held while another program has the terminal, and with it what is typed.

    Args:
        press: Gets each key, by name and by the character that it types (None for others).
        paste: Gets each pasted text.
    """

    def __init__(self, press: Callable[[str, str | None], None], paste: Callable[[str], None]) -> None:
        self._press = press
        self._paste = paste
        self._waiting: deque[Typed] = deque()
        self._held = False
        self._closed = False
        self.elsewhere = asyncio.Lock()

    def close(self) -> None:
        """Another program gets the terminal: what still comes was typed for it, and is no key of ours."""
        self._closed = True

    def open(self) -> None:
        """The terminal is ours again."""
        self._closed = False

    def put(self, event: Typed) -> None:
        """Something was typed."""
        if self._closed:
            return
        self._waiting.append(event)
        self._drain()

    def hold(self) -> None:
        """A screen is opening."""
        self._held = True

    def release(self) -> None:
        """The screen can take keys."""
        self._held = False
        self._drain()

    def _drain(self) -> None:
        while self._waiting and not self._held:
            event = self._waiting.popleft()
            if isinstance(event, events.Paste):
                self._paste(event.text)
            else:
                self._press(event.key, character(event))


def character(event: events.Key) -> str | None:
    """What the key types; None for a key that is no character."""
    return event.character if event.character and event.character.isprintable() and "+" not in event.key[:-1] else None
