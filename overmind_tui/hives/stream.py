"""The stream of missions of another hive; its link is watched, so that silence is noticed within seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

from overmind_core.client.client import Client
from overmind_core.client.unreadable import FAULTS, SENTENCE
from overmind_core.errors import OvermindError
from overmind_core.view import hive_rows
from overmind_tui.shell.messages import Connected, Disconnected, FromHive, InboxChanged, RowsChanged
from overmind_tui.shell.missions_stream import QUEST, Json, MissionsStream, Session

if TYPE_CHECKING:
    from overmind_core.client.place import Place

OF_QUEUE = frozenset({QUEST, "queue"})
"""Events after which the queue may have other slots, or take nothing new."""
QUEUE_PERIOD = 15.0
"""Seconds after which it is asked about without any."""
LOST = "the connection was lost"


class HiveSession(Session):
    """A connection to a hive, whose events may be anything."""

    def items(self, *, until: float) -> list[Json]:
        """The events that can be read, as in `Session`."""
        return hive_rows.events(super().items(until=until))


class HiveStream(MissionsStream):
    """The thread that follows a hive and posts its messages, each as one of that hive, until `close`.

    Args:
        name: Of the hive.
        place: Where it is.
        post: Where messages go; may be called from any thread.
    """

    pauses = (0.5, 15.0)
    beat = 1.0

    def __init__(self, name: str, place: Place, post: Callable[[Message], object]) -> None:
        super().__init__(lambda message: post(FromHive(name, message)), f"hive {name}")
        self._place = place
        self._session: Session | None = None
        self._queue_due = 0.0
        """When the queue is asked about; monotonic."""
        self.queue: Json = {}
        """What it said last: `slots` and `paused`; empty while that is not known."""

    def close(self) -> None:
        """Post nothing more, and give up whatever is waited for."""
        super().close()
        if (session := self._session) is not None:
            session.abandon()

    @property
    def line(self) -> tuple[float, float | None]:
        """When a line came last, and since when an answer is to come, None: none is (monotonic seconds)."""
        session = self._session
        return (float("-inf"), None) if session is None else (session.heard_at, session.asked_at)

    def open(self) -> Session:
        """A connection through its gate."""
        session = self._session = HiveSession(Client(self._place))
        if self._closed.is_set():
            session.abandon()
        return session

    def follow(self, session: Session) -> None:
        """As any stream; a hive that answers nonsense is lost."""
        try:
            super().follow(session)
        except FAULTS as error:
            raise OvermindError("internal", SENTENCE) from error

    def send(self, message: Message) -> None:
        """Post it, as far as it can be shown."""
        if isinstance(message, RowsChanged):
            rows = hive_rows.missions(message.rows)
            message = RowsChanged(rows, message.removed, everything=message.everything)
        elif isinstance(message, InboxChanged):
            message = InboxChanged(hive_rows.questions(message.questions))
        super().send(message)

    def connected(self, daemon: Json) -> None:
        """Its daemon answers."""
        self._queue_due = 0.0
        self.send(Connected(daemon, hosted=False))

    def refused(self, error: OvermindError | None) -> bool:
        """It is looked for again, later each time."""
        self._session = None
        self.send(Disconnected(LOST if error is None else error.message, final=False))
        return False

    def looked(self, session: Session) -> None:
        """How many slots its queue has, where that may have changed."""
        if time.monotonic() >= self._queue_due:
            self._queue_due = time.monotonic() + QUEUE_PERIOD
            try:
                answer = session.ask("queue", {"limit": 1})
            except OvermindError:  # a supervisor that knows no queue yet
                return
            self.queue = {"slots": answer["slots"], "paused": answer["paused"]}

    def heard(self, kinds: set[str]) -> None:
        """The queue is asked about at the next look."""
        if kinds & OF_QUEUE:
            self._queue_due = 0.0
