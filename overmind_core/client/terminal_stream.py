"""What a link to a terminal has for who shows it, in its order and within a limit."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from overmind_core.terminal.screen import Screen


BACKLOG = 1 << 20
"""Bytes that may wait for the program; more than that nobody reads."""

Json = Mapping[str, Any]


class Joined(NamedTuple):
    """The run's terminal as it is now; what comes after it belongs on this screen."""

    screen: Screen
    run: str
    write: bool
    again: bool
    """It was seen before, and only drawn anew."""


class Sized(NamedTuple):
    """The run's terminal has another size."""

    columns: int
    rows: int


class Exited(NamedTuple):
    """The run's process has ended; negative: by that signal."""

    code: int


class StateChange(NamedTuple):
    """What the supervisor said: `type` is `finishing`, `waiting`, `ended`, `handing_back` or `detached`."""

    item: Json


class Failed(NamedTuple):
    """The session is over, or never began; why."""

    code: str
    message: str


class Away(NamedTuple):
    """The run's bytes have broken off, and it is being joined again: nobody gets what is typed."""


class Severed(NamedTuple):
    """Neither the run's bytes nor word of its end have come for a while."""


Item = bytes | Joined | Sized | Exited | StateChange | Failed | Away | Severed


class LinkQueue:
    """Filled by the link's thread, emptied by the program's.

    Args:
        notify: Called when something was put in.
        on_screen: Called when a screen was taken, in the taker's thread.
    """

    def __init__(self, notify: Callable[[], None], on_screen: Callable[[], None] = lambda: None) -> None:
        self._notify = notify
        self._on_screen = on_screen
        self._items: deque[Item] = deque()
        self._guard = threading.Lock()
        self._waiting = 0
        """Bytes among the items."""
        self._screens = 0
        """Screens among the items: one at most."""

    @property
    def has_screen(self) -> bool:
        """Whether a screen waits to be taken, so that nobody needs a newer one yet."""
        return self._screens > 0

    @property
    def full(self) -> bool:
        """Whether bytes should not be put in any more."""
        return self._waiting > BACKLOG

    def put(self, item: Item) -> None:
        """This comes next. A screen takes the place of all output before it that was not taken."""
        with self._guard:
            if isinstance(item, Joined):
                item = self._supersede(item)
            self._items.append(item)
            self._waiting += len(item) if isinstance(item, bytes) else 0
        self._notify()

    def _supersede(self, screen: Joined) -> Joined:
        """Drop what the screen shows anyway; it is new to the taker where the one was that it takes the place of."""
        unseen = [item for item in self._items if isinstance(item, Joined) and not item.again]
        self._items = deque(item for item in self._items if not isinstance(item, bytes | Sized | Joined))
        self._waiting, self._screens = 0, 1
        return screen._replace(again=False) if unseen else screen

    def take(self) -> Item | None:
        """The next thing that came; None when there is none."""
        with self._guard:
            if not self._items:
                return None
            item = self._items.popleft()
            self._waiting -= len(item) if isinstance(item, bytes) else 0
            self._screens -= isinstance(item, Joined)
        if isinstance(item, Joined):
            self._on_screen()
        return item
