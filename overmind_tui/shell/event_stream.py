"""The event stream: missions as they change, asked of the supervisor in a thread of its own; the screen never waits.

One connection carries the stream of events and the requests that follow from it. What an event names is asked for
again; what no event tells (load, newest lines) is asked for about once a second, less often when the answer is slow.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

from textual.message import Message

from overmind_core.client.client import Client, answer_result
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_core.view.cells import Row
from overmind_tui.shell.messages import (
    Connected,
    Disconnected,
    EngineStands,
    Happened,
    InboxChanged,
    NotesProposed,
    RowsChanged,
    Spent,
    Watched,
)

LIVE = ["preparing", "starting", "running", "paused", "restarting", "stopping"]
PERIOD = 1.0
"""Seconds between two looks at the load."""
SHARE = 0.035
"""Of its time that the supervisor spends on these looks at most."""
GATHER = 0.04
"""Seconds in which events are gathered into one question."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Seconds between two attempts to connect; they double."""
ASKED, PAID = "asked", "turn_ended"
QUEST = "quest"
QUESTIONS = frozenset({ASKED, "answered", "removed"})
"""Events after which other questions may wait than before."""
OF_ENGINE = frozenset({QUEST, "queue", "health", "steer", "overlap", "started", "exited"})
"""Events after which the queue may be fuller or emptier than before, and missions may go together otherwise."""
ENGINE_DELAY = 1.0
"""Seconds before it is asked first: what the person looks at comes before."""
ENGINE_PERIOD = 15.0
"""Seconds after which it is asked again without any: the guardian takes a sample as often."""
OF_NOTES = frozenset({"note", "memory"})
"""Events after which more or fewer notes may wait to be accepted."""
MANY = 200
"""Changed missions from which on all are asked for."""
Json = dict[str, Any]


class EventStream:
    """The thread that follows events and posts messages until `close`.

    Args:
        home: Whose supervisor.
        post: Where messages go; may be called from any thread.
        host: Tries to become the supervisor when there is none; whether it did.
        hosted: Whether it is hosted here.
        folder: Whose notes are counted, as requests name it.
    """

    def __init__(
        self, home: Home, post: Callable[[Message], object], *, host: Callable[[], bool], hosted: Callable[[], bool],
        folder: str,
    ) -> None:  # fmt: skip
        self._home = home
        self._post = post
        self._host = host
        self._hosted = hosted
        self._folder = folder
        self._may_host = True
        self._closed = threading.Event()
        self._wake = threading.Event()
        self._client: Client | None = None
        self._seq = 0
        self._midnight = 0.0
        self._engine_due = 0.0
        """When the queue is asked about at the latest; monotonic."""
        self._engine_pause = 0.0
        """Until when it is not, as it was just now."""
        self._notes_due = False
        """Whether notes are to be counted; never where there were none, so that nobody pays for them."""
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Post nothing more."""
        self._closed.set()
        self._wake.set()

    @property
    def reached(self) -> int:
        """The number of the newest event that is known; 0 while there is none."""
        return self._seq

    def retry(self) -> None:
        """Connect now, and host the supervisor if nobody else does."""
        self._may_host = True
        self._seq = 0
        self._wake.set()

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._closed.is_set():
            try:
                self._connected(_Session(self._home))
                pause = FIRST_PAUSE
            except (ConnectionError, TimeoutError, OSError):
                self._send(Disconnected("Lost the connection to the supervisor", final=False))
            except OvermindError as error:
                if error.code == "daemon_not_running" and self._may_host and not self._closed.is_set():
                    self._may_host = False
                    if self._hosts():
                        continue
                self._send(Disconnected(error.message, final=error.code == "daemon_not_running"))
            self._wake.wait(pause)
            self._wake.clear()
            pause = min(pause * 2, LONGEST_PAUSE)

    def _hosts(self) -> bool:
        try:
            return self._host()
        except OvermindError as error:
            self._send(Disconnected(error.message, final=True))
            return False

    def _connected(self, session: _Session) -> None:
        try:
            daemon = session.greet()
            self._may_host = False
            self._send(Connected(daemon, hosted=self._hosted()))
            self._begin(session)
            self._follow(session)
        finally:
            session.close()

    def _begin(self, session: _Session) -> None:
        """Everything there is, and the stream of what follows."""
        self._engine_due, self._engine_pause = 0.0, time.monotonic() + ENGINE_DELAY
        self._notes_due = os.path.exists(self._home.memory)
        if not self._seq:
            self._seq = int(session.ask("logs", {"ids": []})["seq"])
        self._send(RowsChanged(session.ask("ps", {}), everything=True))
        try:
            begun = session.stream("events", {"since": self._seq, "follow": True, "eyes": True})
        except OvermindError:  # so many events since then that the oldest are gone
            self._seq = int(session.ask("logs", {"ids": []})["seq"])
            begun = session.stream("events", {"since": self._seq, "follow": True, "eyes": True})
        self._send(Watched(int(begun.get("viewer", 0))))
        self._refresh_inbox_and_cost(session, {ASKED, PAID})

    def _follow(self, session: _Session) -> None:
        due = time.monotonic()
        first = True
        while not self._closed.is_set():
            now = time.monotonic()
            if now >= due:
                if first:
                    self._send(RowsChanged(_with_history(session)))
                    first = False
                else:
                    self._send(RowsChanged(session.ask("ps", {"wide": True, "status": LIVE})))
                took = time.monotonic() - now
                due = time.monotonic() + max(PERIOD, took / SHARE)
                self._refresh_inbox_and_cost(session, set())
                self._refresh_engine(session)
                self._refresh_notes(session)
            self._gather(session, due)

    def _gather(self, session: _Session, due: float) -> None:
        """Wait for events until `due`; ask for what they name."""
        events = session.items(until=due)
        if not events:
            return
        gathered = time.monotonic() + GATHER
        while time.monotonic() < gathered:
            events += session.items(until=gathered)
        self._seq = int(events[-1]["seq"])
        self._send(Happened(events))
        removed = {event["mission"] for event in events if event["type"] == "removed"}
        changed = {event["mission"] for event in events if _is_of_mission(event)} - removed
        if removed or changed:
            self._send(RowsChanged(self._ask(session, changed), removed))
        kinds = {event["type"] for event in events}
        self._refresh_inbox_and_cost(session, kinds)
        if kinds & OF_ENGINE:
            self._engine_due = 0.0
        if kinds & OF_NOTES:
            self._notes_due = True

    def _refresh_engine(self, session: _Session) -> None:
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
        self._engine_due, self._engine_pause = now + ENGINE_PERIOD, now + (now - began) / SHARE
        self._send(EngineStands(queue, health["coherence"]))

    def _refresh_notes(self, session: _Session) -> None:
        """How many notes wait to be accepted, where that may have changed."""
        if not self._notes_due:
            return
        self._notes_due = False
        try:
            answer = session.ask("notes", {"proposed": True, "limit": 1, "cwd": self._folder})
        except OvermindError:  # memory is off
            answer = {"proposed": 0}
        self._send(NotesProposed(answer["proposed"]))

    def _refresh_inbox_and_cost(self, session: _Session, happened: set[str]) -> None:
        """What waits for a person, and what was spent today, where that may have changed."""
        midnight = _midnight()
        try:
            if happened & QUESTIONS:
                self._send(InboxChanged(session.ask("inbox", {})))
            if PAID in happened or midnight != self._midnight:
                sums = session.ask("cost", {"by": "day", "since": format_time(midnight)})
                self._send(Spent(sum(one["cost_usd"] or 0.0 for one in sums)))
                self._midnight = midnight
        except OvermindError:  # a supervisor that knows no agents yet
            return

    def _ask(self, session: _Session, changed: set[str]) -> list[Row]:
        if not changed:
            return []
        if len(changed) > MANY:
            return list(session.ask("ps", {"all": True}))
        try:
            return list(session.ask("ps", {"ids": sorted(changed), "wide": True}))
        except OvermindError:  # one of them was removed meanwhile
            return list(session.ask("ps", {"all": True}))

    def _send(self, message: Message) -> None:
        if not self._closed.is_set():
            self._post(message)


def _is_of_mission(event: Row) -> bool:
    """Whether it may have changed a mission's row; quests, and what the engine asks about, need not be missions."""
    about = event.get("about")
    of_mission = event["type"] != QUEST and (about is None or about.get("kind") == "mission")
    return bool(event.get("mission")) and of_mission


def _with_history(session: _Session) -> list[Row]:
    """All missions, with the load of the last minutes."""
    try:
        return list(session.ask("ps", {"wide": True, "history": True}))
    except OvermindError:  # a supervisor that keeps none yet
        return list(session.ask("ps", {"wide": True}))


def _midnight() -> float:
    """When today began here, in seconds since the epoch."""
    now = time.localtime()
    return time.mktime((now.tm_year, now.tm_mon, now.tm_mday, 0, 0, 0, 0, 0, -1))


class _Session:
    """One connection, on which a stream and questions go side by side."""

    def __init__(self, home: Home) -> None:
        self._client = Client(home)
        self._stream = -1
        self._items: list[Json] = []

    def greet(self) -> Json:
        return self._client.connect()

    def close(self) -> None:
        self._client.close()

    def ask(self, command: str, args: Json) -> Any:  # noqa: ANN401 - an answer is any JSON
        number = self._client.send(command, args)
        while True:
            answer = self._client.receive(timeout=30.0)
            if answer.get("id") == number:
                return answer_result(answer)
            self._keep(answer)

    def stream(self, command: str, args: Json) -> Json:
        """Begin a stream, and return what it begins with; its items are kept for `items`."""
        self._stream = self._client.send(command, args)
        while True:
            answer = self._client.receive(timeout=30.0)
            if answer.get("id") == self._stream:
                return dict(answer_result(answer))

    def items(self, *, until: float) -> list[Json]:
        """What came of the stream; waits for the first until `until` (monotonic seconds)."""
        while not self._items:
            left = until - time.monotonic()
            if left <= 0:
                return []
            try:
                self._keep(self._client.receive(timeout=left))
            except TimeoutError:
                return []
        found, self._items = self._items, []
        return found

    def _keep(self, answer: Json) -> None:
        if answer.get("id") != self._stream:
            return
        if "error" in answer:
            answer_result(answer)
        if "item" in answer:
            self._items.append(answer["item"])
