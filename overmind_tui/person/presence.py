"""Says to the supervisor when this program is used and what it shows, so that of several only one calls its person."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_tui.view.cells import Row

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

EVERY = 2.0
"""Seconds between two times that it is said at least, however much is typed."""


class Presence:
    """What a person does here.

    Args:
        app: Who asks the supervisor, and knows what is in view.
    """

    def __init__(self, app: OvermindApp) -> None:
        self._app = app
        self._viewer = 0
        self._used_at = time.monotonic()
        self._said_at = float("-inf")
        self._said: str | None = None
        """What was in view when it was said."""

    def watched(self, viewer: int) -> None:
        """The supervisor, perhaps a new one, knows us by this number."""
        self._viewer = viewer
        self._say()

    def touched(self) -> None:
        """A key was pressed."""
        self._used_at = time.monotonic()
        if self._used_at - self._said_at >= EVERY:
            self._say()

    def look(self) -> None:
        """Say what changed since it was said last."""
        unsaid = self._used_at > self._said_at and time.monotonic() - self._said_at >= EVERY
        if unsaid or self._app.eyes.view != self._said:
            self._say()

    def rings(self, event: Row) -> bool:
        """Whether this program calls its person about an event."""
        called = event["type"] == "notification" and bool(event.get("ring"))
        return called and event["mission"] != self._app.eyes.view

    def _say(self) -> None:
        if not self._viewer:
            return
        self._said_at, self._said = time.monotonic(), self._app.eyes.view
        ago = self._said_at - self._used_at
        self._app.request("used", [{"viewer": self._viewer, "ago": ago, "view": self._said}], _nothing)


def _nothing(answers: Sequence[Any | OvermindError]) -> None:
    """A supervisor that has forgotten us gives us another number, or is an older one."""
