"""What a link tells the program, in the order in which it came, and whether too much of it waits."""

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


class Told(NamedTuple):
    """What the supervisor said: `type` is `finishing`, `waiting`, `ended`, `handing_back` or `detached`."""

    item: Json


class Failed(NamedTuple):
    """The stay is over, or never began; why."""

    code: str
    message: str


class Severed(NamedTuple):
    """Neither the run's bytes nor word of its end have come for a while."""


Item = bytes | Joined | Sized | Exited | Told | Failed | Severed


class Inbox:
    """Filled by the link's thread, emptied by the program's; `notify` is called when something was put in."""

    def __init__(self, notify: Callable[[], None]) -> None:
        self._notify = notify
        self._items: deque[Item] = deque()
        self._guard = threading.Lock()
        self._waiting = 0
        """Bytes among the items."""

    @property
    def full(self) -> bool:
        """Whether bytes should not be put in any more."""
        return self._waiting > BACKLOG

    def put(self, item: Item) -> None:
        """This comes next."""
        with self._guard:
            self._items.append(item)
            self._waiting += len(item) if isinstance(item, bytes) else 0
        self._notify()

    def take(self) -> Item | None:
        """The next thing that came; None when there is none."""
        with self._guard:
            if not self._items:
                return None
            item = self._items.popleft()
            self._waiting -= len(item) if isinstance(item, bytes) else 0
        return item
