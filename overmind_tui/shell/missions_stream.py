"""The stream of missions of one supervisor as they change, asked for in a thread of its own; the screen never waits.

One connection carries the stream of events and the requests that follow from it. What an event names is asked for
again; what no event tells (load, newest lines) is asked for about once a second, less often when the answer is slow.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from textual.message import Message

from overmind_core.client.client import Client, answer_result
from overmind_core.domain.engine_questions import is_for_all
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.view.cells import Row
from overmind_core.view.fleet import missions_of
from overmind_core.view.numbers import Cost
from overmind_tui.shell.messages import Happened, InboxChanged, RowsChanged, Spent, Watched

LIVE = ["preparing", "starting", "running", "paused", "restarting", "stopping"]
PERIOD = 1.0
"""Seconds between two looks at the load."""
SHARE = 0.035
"""Of its time that the supervisor spends on these looks at most."""
LONGEST_PAUSE = 60.0
"""Seconds between two looks at most: one answer may have been late because something stood still meanwhile."""
GATHER = 0.04
"""Seconds in which events are gathered into one question."""
ANSWER_SECONDS = 30.0
"""Seconds that one answer may take."""
ASKED, PAID = "asked", "turn_ended"
QUEST = "quest"
QUESTIONS = frozenset({ASKED, "answered", "removed"})
"""Events after which other questions may wait than before."""
MANY = 200
"""Changed missions from which on all are asked for."""
SPENT_SECONDS = 2.0
"""Seconds between two questions about what was spent today, while turns go on."""
Json = dict[str, Any]


def pause_after(took: float) -> float:
    """Return the seconds after an answer that took so many in which no more is asked."""
    return min(took / SHARE, LONGEST_PAUSE)


class Session:
    """One connection, on which a stream and questions go side by side.

    Attributes:
        heard_at: When a line came last (monotonic seconds).
        asked_at: When the question was asked whose answer is to come (monotonic seconds); None while none is.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stream = -1
        self._items: list[Json] = []
        self.heard_at = time.monotonic()
        self.asked_at: float | None = self.heard_at

    def greet(self) -> Json:
        """Connect; what the supervisor says of itself."""
        daemon = self._client.connect()
        self._heard()
        self.asked_at = None
        return daemon

    def close(self) -> None:
        """End it."""
        self._client.close()

    def abandon(self) -> None:
        """End it from another thread: whatever waits in it fails."""
        self._client.abandon()

    def ask(self, command: str, args: Json) -> Any:  # noqa: ANN401 - an answer is any JSON
        """The answer to one question."""
        return answer_result(self._answer(self._client.send(command, args), self._keep))

    def stream(self, command: str, args: Json) -> Json:
        """Begin a stream, and return what it begins with; its items are kept for `items`."""
        self._stream = self._client.send(command, args)
        return dict(answer_result(self._answer(self._stream, lambda _: None)))

    def _answer(self, number: int, others: Callable[[Json], None]) -> Json:
        self.asked_at = time.monotonic()
        while True:
            answer = self._client.receive(timeout=ANSWER_SECONDS)
            self._heard()
            if answer.get("id") == number:
                self.asked_at = None
                return answer
            others(answer)

    def items(self, *, until: float) -> list[Json]:
        """What came of the stream; waits for the first until `until` (monotonic seconds)."""
        while not self._items:
            left = until - time.monotonic()
            if left <= 0:
                return []
            try:
                answer = self._client.receive(timeout=left)
            except TimeoutError:
                return []
            self._heard()
            self._keep(answer)
        found, self._items = self._items, []
        return found

    def left(self) -> list[Json]:
        """What has come of the stream, and was not yet asked for."""
        found, self._items = self._items, []
        return found

    def _keep(self, answer: Json) -> None:
        if answer.get("id") != self._stream:
            return
        if "error" in answer:
            answer_result(answer)
        if "item" in answer:
            self._items.append(answer["item"])

    def _heard(self) -> None:
        self.heard_at = time.monotonic()


class MissionsStream(ABC):
    """The thread that follows one supervisor and posts messages until `close`.

    Args:
        post: Where messages go; may be called from any thread.
        name: Of the thread.
    """

    eyes: ClassVar[bool] = False
    """Whether the supervisor is told that a person sees these events, so that it need not call them otherwise."""
    pauses: ClassVar[tuple[float, float]] = (0.1, 2.0)
    """Seconds before the first of several attempts to connect, and at most; they double."""
    beat: ClassVar[float] = float("inf")
    """Seconds without a line after which something is asked for all the same, so that silence is noticed."""

    def __init__(self, post: Callable[[Message], object], name: str) -> None:
        self._post = post
        self._closed = threading.Event()
        self._wake = threading.Event()
        self._anew = threading.Event()
        """Everything is to be asked for once more."""
        self._seq = 0
        self._midnight = 0.0
        self._waits_with_others = False
        """Whether a question is open that decides about all that wait: of which it does changes with any quest."""
        self._costs: dict[str, float] = {}
        """Mission → US dollars, as its row says."""
        self._costs_more = False
        """True if a row says another cost than when it was asked last what was spent today."""
        self._spent_due = 0.0
        """When that may be asked for this again; monotonic."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

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
        """Connect now, or ask for everything anew; events go on where they were."""
        self._anew.set()
        self._wake.set()

    # what is another one's

    @abstractmethod
    def open(self) -> Session:
        """A connection that is about to be made."""

    @abstractmethod
    def connected(self, daemon: Json) -> None:
        """The supervisor answers; what it says of itself."""

    @abstractmethod
    def refused(self, error: OvermindError | None) -> bool:
        """There is no connection; None: it was lost. Whether to connect again at once."""

    @abstractmethod
    def looked(self, session: Session) -> None:
        """The load was asked for: the moment for what is asked for now and then."""

    @abstractmethod
    def heard(self, kinds: set[str]) -> None:
        """Events of these kinds came."""

    # following

    def _run(self) -> None:
        first, longest = self.pauses
        pause = first
        while not self._closed.is_set():
            at_once = False
            began = time.monotonic()
            try:
                self.follow(self.open())
            except (ConnectionError, TimeoutError, OSError):
                at_once = self.refused(None)
            except OvermindError as error:
                at_once = self.refused(error)
            if time.monotonic() - began > longest:
                pause = first
            if not at_once:
                self._wake.wait(pause)
                self._wake.clear()
                pause = min(pause * 2, longest)

    def follow(self, session: Session) -> None:
        """Follow the supervisor at the other end, until the connection is lost or this is over."""
        try:
            self.connected(session.greet())
            self._begin(session)
            self._follow(session)
        finally:
            if events := session.left():  # the last word: nobody is left to ask about them
                self._post_events(events)
            session.close()

    def _begin(self, session: Session) -> None:
        """Everything there is, and the stream of what follows."""
        if not self._seq:
            self._seq = _newest(session)
        self.send(RowsChanged(session.ask("ps", {"all": True}), everything=True))
        wanted: Json = {"follow": True} | ({"eyes": True} if self.eyes else {})
        try:
            begun = session.stream("events", {"since": self._seq, **wanted})
        except OvermindError:  # so many events since then that the oldest are gone
            self._seq = _newest(session)
            begun = session.stream("events", {"since": self._seq, **wanted})
        if self.eyes:
            self.send(Watched(int(begun.get("viewer", 0))))
        self._refresh_inbox_and_cost(session, {ASKED, PAID})

    def _follow(self, session: Session) -> None:
        due = time.monotonic()
        first = True
        self._anew.clear()  # all of it was asked for just now
        while not self._closed.is_set():
            now = time.monotonic()
            if self._anew.is_set():
                self._anew.clear()
                self.send(RowsChanged(session.ask("ps", {"all": True}), everything=True))
                self._refresh_inbox_and_cost(session, {ASKED, PAID})
                due = now = time.monotonic()
            if now >= due:
                if first:
                    self.send(RowsChanged(_with_history(session)))
                    first = False
                else:
                    self.send(RowsChanged(session.ask("ps", {"wide": True, "status": LIVE})))
                took = time.monotonic() - now
                due = time.monotonic() + max(PERIOD, pause_after(took))
                self._refresh_inbox_and_cost(session, set())
                self.looked(session)
            self._gather(session, min(due, time.monotonic() + PERIOD, session.heard_at + self.beat))
            if time.monotonic() >= session.heard_at + self.beat:
                _newest(session)

    def _gather(self, session: Session, due: float) -> None:
        """Wait for events until `due`; ask for what they name."""
        events = session.items(until=due)
        if not events:
            return
        gathered = time.monotonic() + GATHER
        try:
            while time.monotonic() < gathered:
                events += session.items(until=gathered)
        finally:  # also what came before the connection was lost
            self._post_events(events)
        removed = {event["mission"] for event in events if event["type"] == "removed"}
        changed = missions_of(events)
        if removed or changed:
            self.send(RowsChanged(_asked(session, changed), removed))
        kinds = {event["type"] for event in events}
        self._refresh_inbox_and_cost(session, kinds)
        self.heard(kinds)

    def _post_events(self, events: list[Json]) -> None:
        self._seq = int(events[-1]["seq"])
        self.send(Happened(events))

    def _refresh_inbox_and_cost(self, session: Session, happened: set[str]) -> None:
        """What waits for a person, and what was spent today, where that may have changed."""
        midnight = _midnight()
        try:
            if happened & QUESTIONS or (QUEST in happened and self._waits_with_others):
                questions = session.ask("inbox", {})
                self._waits_with_others = any(map(is_for_all, questions))
                self.send(InboxChanged(questions))
            costs_more = self._costs_more and time.monotonic() >= self._spent_due
            if PAID in happened or costs_more or midnight != self._midnight:
                self._costs_more, self._spent_due = False, time.monotonic() + SPENT_SECONDS
                sums = session.ask("cost", {"by": "day", "since": format_time(midnight)})
                self.send(Spent(Cost.sum_of(map(Cost.of, sums))))
                self._midnight = midnight
        except OvermindError:  # a supervisor that knows no agents yet
            return

    def send(self, message: Message) -> None:
        """Post it, unless this is over."""
        if isinstance(message, RowsChanged):
            self._note_costs(message)
        if not self._closed.is_set():
            self._post(message)

    def _note_costs(self, message: RowsChanged) -> None:
        """Where a row says another cost than before, the sum of today is behind it: costs grow within a turn."""
        costs = {row["id"]: cost for row in message.rows if (cost := row.get("cost_usd"))}
        self._costs_more |= any(self._costs.get(one) != cost for one, cost in costs.items())
        self._costs |= costs
        for one in message.removed:
            self._costs.pop(one, None)


def _newest(session: Session) -> int:
    """The number of the newest event."""
    return int(session.ask("logs", {"ids": []})["seq"])


def _asked(session: Session, changed: set[str]) -> list[Row]:
    """The missions with these ids as they are now; a quest that has not begun has none, others were removed since."""
    if not changed:
        return []
    if len(changed) > MANY:
        return list(session.ask("ps", {"all": True}))
    return list(session.ask("ps", {"ids": sorted(changed), "known": True, "wide": True}))


def _with_history(session: Session) -> list[Row]:
    """All missions, with the load of the last minutes."""
    try:
        return list(session.ask("ps", {"all": True, "wide": True, "history": True}))
    except OvermindError:  # a supervisor that keeps none yet
        return list(session.ask("ps", {"all": True, "wide": True}))


def _midnight() -> float:
    """When today began here, in seconds since the epoch."""
    now = time.localtime()
    return time.mktime((now.tm_year, now.tm_mon, now.tm_mday, 0, 0, 0, 0, 0, -1))
