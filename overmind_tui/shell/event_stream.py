"""The event stream of this home: its missions, its queue and its notes as they change; hosts the supervisor if need be.

See `missions_stream` for what is asked when.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from textual.message import Message

from overmind_core.client.client import Client
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_tui.shell.messages import Connected, Disconnected, EngineStands, NotesProposed
from overmind_tui.shell.missions_stream import QUEST, Json, MissionsStream, Session, pause_after

OF_ENGINE = frozenset({QUEST, "queue", "health", "steer", "overlap", "started", "exited"})
"""Events after which the queue may be fuller or emptier than before, and missions may go together otherwise."""
ENGINE_DELAY = 1.0
"""Seconds before it is asked first: what the person looks at comes before."""
ENGINE_PERIOD = 15.0
"""Seconds after which it is asked again without any: the guardian takes a sample as often."""
OF_NOTES = frozenset({"note", "memory"})
"""Events after which more or fewer notes may wait to be accepted."""


class EventStream(MissionsStream):
    """The thread that follows this home's supervisor and posts messages until `close`.

    Args:
        home: Whose supervisor.
        post: Where messages go; may be called from any thread.
        host: Tries to become the supervisor when there is none; whether it did.
        hosted: Whether it is hosted here.
        folder: Whose notes are counted, as requests name it.
    """

    eyes = True

    def __init__(
        self, home: Home, post: Callable[[Message], object], *, host: Callable[[], bool], hosted: Callable[[], bool],
        folder: str,
    ) -> None:  # fmt: skip
        super().__init__(post, "feed")
        self._home = home
        self._host = host
        self._hosted = hosted
        self._folder = folder
        self._may_host = True
        self._engine_due = 0.0
        """When the queue is asked about at the latest; monotonic."""
        self._engine_pause = 0.0
        """Until when it is not, as it was just now."""
        self._notes_due = False
        """Whether notes are to be counted; never where there were none, so that nobody pays for them."""

    def retry(self) -> None:
        """Connect now, and host the supervisor if nobody else does; or ask for everything anew."""
        self._may_host = True
        self._engine_due, self._notes_due = 0.0, os.path.exists(self._home.memory)
        super().retry()

    def open(self) -> Session:
        """A connection to this home's supervisor."""
        return Session(Client(self._home))

    def connected(self, daemon: Json) -> None:
        """It answers."""
        self._may_host = False
        self.send(Connected(daemon, hosted=self._hosted()))
        self._engine_due, self._engine_pause = 0.0, time.monotonic() + ENGINE_DELAY
        self._notes_due = os.path.exists(self._home.memory)

    def refused(self, error: OvermindError | None) -> bool:
        """Host it where nobody does, once."""
        if error is None:
            self.send(Disconnected("Lost the connection to the supervisor", final=False))
            return False
        if error.code == "daemon_not_running" and self._may_host and not self._closed.is_set():
            self._may_host = False
            if self._hosts():
                return True
        self.send(Disconnected(error.message, final=error.code == "daemon_not_running"))
        return False

    def _hosts(self) -> bool:
        try:
            return self._host()
        except OvermindError as error:
            self.send(Disconnected(error.message, final=True))
            return False

    def looked(self, session: Session) -> None:
        """Queue and notes, where they may have changed."""
        self._refresh_engine(session)
        self._refresh_notes(session)

    def heard(self, kinds: set[str]) -> None:
        """What they may have changed is asked for at the next look."""
        if kinds & OF_ENGINE:
            self._engine_due = 0.0
        if kinds & OF_NOTES:
            self._notes_due = True

    def _refresh_engine(self, session: Session) -> None:
        """How full the queue is and how missions go together, where that may have changed."""
        began = time.monotonic()
        if began < max(self._engine_due, self._engine_pause):
            return
        try:
            queue = session.ask("queue", {"limit": 1})
            health = session.ask("health", {})
        except OvermindError:  # a supervisor that knows no queue yet
            self._engine_pause = float("inf")
            return
        now = time.monotonic()
        self._engine_due, self._engine_pause = now + ENGINE_PERIOD, now + pause_after(now - began)
        self.send(EngineStands(queue, health))

    def _refresh_notes(self, session: Session) -> None:
        """How many notes wait to be accepted, where that may have changed."""
        if not self._notes_due:
            return
        self._notes_due = False
        try:
            answer = session.ask("notes", {"proposed": True, "limit": 1, "cwd": self._folder})
        except OvermindError:  # memory is off
            answer = {"proposed": 0}
        self.send(NotesProposed(answer["proposed"]))
