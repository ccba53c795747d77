"""The thread that asks this home's daemon how the swarm stands; the screen never waits for a database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.message import Message

from overmind_core.client.client import Client
from overmind_core.errors import OvermindError
from overmind_tui.shell.messages import SwarmStands

if TYPE_CHECKING:
    from overmind_core.system.paths import Home

PERIOD = 2.0
"""Seconds between two looks."""
SHARE = 0.1
"""Of its time that the swarm is asked at most: one whose answers take long is asked less often."""
LONGEST_PAUSE = 30.0
"""Seconds between two looks at most: one answer may have been late because something stood still meanwhile."""
NAMES_PERIOD = 30.0
"""Seconds between two looks at what fleets there are, whose names complete a line."""


def pause_after(took: float) -> float:
    """Return the seconds until the next look after one whose answer took so many.

    Of a look that nobody answered this is not asked: to wait for a silent database is no work for it.
    """
    return max(PERIOD, min(took / SHARE, LONGEST_PAUSE))


class SwarmStream:
    """Asks again and again, until `close`.

    Args:
        home: Whose daemon is asked.
        post: Where messages go; may be called from any thread.
    """

    def __init__(self, home: Home, post: Callable[[Message], object]) -> None:
        self._client = Client(home)
        self._post = post
        self._closed = threading.Event()
        self._wake = threading.Event()
        self._names_due = 0.0
        self._asked_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="swarm", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def retry(self) -> None:
        """Look now."""
        self._names_due = 0.0
        self._wake.set()

    @property
    def waits(self) -> float:
        """For how many seconds an answer has been waited for; 0: for none."""
        asked_at = self._asked_at
        return 0.0 if asked_at is None else time.monotonic() - asked_at

    def close(self) -> None:
        """Post nothing more, and wait for nothing that is on its way."""
        self._closed.set()
        self._wake.set()
        self._client.abandon()

    def _run(self) -> None:
        while not self._closed.is_set():
            began = time.monotonic()
            answered = self._look()
            self._wake.wait(pause_after(time.monotonic() - began) if answered else PERIOD)
            self._wake.clear()
        self._client.close()

    def _look(self) -> bool:
        """Ask once; return whether it has answered. Without a daemon, which others look for, nothing is known."""
        state = self._asked("swarm_status")
        if state is None:
            return False
        questions = None if state["silence"] else self._asked("swarm_inbox")
        fleets = None
        if not state["silence"] and time.monotonic() >= self._names_due:
            self._names_due = time.monotonic() + NAMES_PERIOD
            fleets = self._asked("swarm_fleets")
        if not self._closed.is_set():
            self._post(SwarmStands(state, questions, fleets))
        return not state["silence"]

    def _asked(self, command: str) -> Any:  # noqa: ANN401 - an answer is any JSON
        self._asked_at = time.monotonic()
        try:
            return self._client.call(command, {})
        except (OvermindError, ConnectionError, TimeoutError, OSError):
            return None
        finally:
            self._asked_at = None
