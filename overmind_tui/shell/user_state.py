"""The person's state: away and told what happened meanwhile, using this program, having seen newest lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.client.client import Client
from overmind_core.client.stream import follow
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.view import numbers
from overmind_core.view.cells import Row
from overmind_core.view.hive_keys import hive_of
from overmind_core.view.inbox import is_turn
from overmind_tui.render import texts

if TYPE_CHECKING:
    from overmind_tui.shell.remembered import Remembered
    from overmind_tui.shell.shell import Shell


LONG = 300.0
"""Seconds after which somebody was away."""
DAY = 86_400.0
RECORD_SECONDS = 60.0
"""Seconds between two notes that somebody is here."""


class AwaySummary:
    """Knows since when nobody was here; `text` is what happened since, once that is known.

    Args:
        shell: Who asks the supervisor.
        remembered: Since when, and up to which event was told.
        reached: The number of the newest event that came.
    """

    def __init__(self, shell: Shell, remembered: Remembered, reached: Callable[[], int]) -> None:
        self._shell = shell
        self._remembered = remembered
        self._reached = reached
        self.since = remembered.get("used_at", 0.0)
        self._seq = remembered.get("used_seq", 0)
        self._recorded_at = shell.now()
        self.text = ""
        self.fresh = True
        """Whether no key was pressed yet."""

    def answers(self, action: str) -> bool:
        """Whether this key, the first one, asks what happened; it is then said no more."""
        asked = bool(self.text) and self.fresh and action == "open"
        self.fresh = False
        if asked:
            self.text = ""
        return asked

    @property
    def was_long(self) -> bool:
        """Whether anybody ever was here, and has been away since."""
        return 0.0 < self.since < self._shell.now() - LONG

    def look(self) -> None:
        """Find out what happened meanwhile."""
        if self.was_long:
            self._shell.background(self._ask)

    def record(self) -> None:
        """Somebody is here: remember it now and then."""
        if self._shell.now() - self._recorded_at > RECORD_SECONDS:
            self.leave()
            self._shell.remember()

    def leave(self) -> None:
        """Somebody was here until now."""
        self._recorded_at = self._shell.now()
        self._remembered.put(used_at=self._recorded_at, used_seq=max(self._reached(), self._seq))

    def _ask(self) -> Callable[[], None] | None:
        client = Client(self._shell.home)
        try:
            events = [item for kind, item in follow(client, self._request) if kind == "item"]
            costs = client.call("cost", {"by": "mission", "since": format_time(self.since)})
            rows = client.call("ps", {"all": True})
        except OvermindError:  # nobody has supervised since: nothing happened
            return None
        finally:
            client.close()
        cost = numbers.Cost.sum_of(map(numbers.Cost.of, costs))
        return lambda: self._on_result(events, rows, cost)

    def _request(self) -> tuple[str, dict[str, object]]:
        return "events", {"since": self._seq}

    def _on_result(self, events: list[Row], rows: list[Row], cost: numbers.Cost) -> None:
        self.text = texts.away_text(events, rows, cost, since=self._when())
        self._shell.main.changed_connection()

    def _when(self) -> str:
        """The time of the day; before that, the day."""
        then = time.localtime(self.since)
        return time.strftime("%H:%M" if self._shell.now() - self.since < DAY else "%d %b %H:%M", then)


EVERY = 2.0
"""Seconds between two times that it is said at least, however much is typed."""


class Presence:
    """Tells the supervisor when this program is used, and what is in view.

    Args:
        shell: Who asks the supervisor, and knows what is in view.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._viewer = 0
        self._used_at = time.monotonic()
        self._reported_at = float("-inf")
        self._reported_view: str | None = None
        """What was in view when it was said."""

    def watched(self, viewer: int) -> None:
        """The supervisor, perhaps a new one, knows us by this number."""
        self._viewer = viewer
        self._report()

    def touched(self) -> None:
        """A key was pressed."""
        self._used_at = time.monotonic()
        if self._used_at - self._reported_at >= EVERY:
            self._report()

    def look(self) -> None:
        """Say what changed since it was said last."""
        unsaid = self._used_at > self._reported_at and time.monotonic() - self._reported_at >= EVERY
        if unsaid or self._view != self._reported_view:
            self._report()

    def rings(self, event: Row) -> bool:
        """Whether this program calls its person about an event."""
        called = event["type"] == "notification" and bool(event.get("ring"))
        return called and event["mission"] != self._shell.main.in_view

    @property
    def _view(self) -> str | None:
        """The mission of this home that is in view: of others its supervisor knows nothing."""
        row = self._shell.fleet.of(self._shell.main.in_view)
        return None if row is None or hive_of(row) else str(row["id"])

    def _report(self) -> None:
        if not self._viewer:
            return
        self._reported_at, self._reported_view = time.monotonic(), self._view
        ago = self._reported_at - self._used_at
        self._shell.request("used", [{"viewer": self._viewer, "ago": ago, "view": self._reported_view}], _nothing)


def _nothing(answers: Sequence[Any | OvermindError]) -> None:
    """A supervisor that has forgotten us gives us another number, or is an older one."""


class SeenTracker:
    """Tells the supervisor what was seen: what was in view at two looks, a second apart.

    A mission whose turn is over needs its person until it is answered, or the cursor leaves it, or the keys go into its
    log or terminal: that it was under the cursor when its turn ended does not count before.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.rested: str | None = None
        """The mission that was in view at the last look."""
        self._read: str | None = None
        """A mission whose finished turn was in view, and that was not left yet."""

    def look(self) -> None:
        """A second went by."""
        if self._read is not None and not self._waits_here(self._read):
            self._saw(self._read)
            self._read = None
            self._shell.main.rearrange()
        row, before = self._shell.fleet.of(self._shell.main.in_view), self.rested
        self.rested = None if row is None else row["id"]
        if before is not None and self._waits_here(before):
            self._read = before if self.rested == before else self._read
        elif row is not None and before is not None and row["id"] == before and row.get("unseen"):
            self._saw(before)
            self._shell.main.rearrange()
        elif before is not None and before in self._shell.main.unread and self.rested != before:
            self._saw(before)

    def left(self, mission: str | None) -> None:
        """The cursor would leave this mission, if there were another one to go to."""
        if mission is not None and mission == self._read:
            self._read = None
            self._saw(mission)
            self._shell.main.rearrange()

    def _waits_here(self, mission: str) -> bool:
        """Whether its turn is over, and the cursor is still on it."""
        row = self._shell.fleet.of(mission)
        return row is not None and self._shell.main.rests_on == mission and is_turn(row)

    def _saw(self, mission: str) -> None:
        """Somebody has seen all that the mission did so far."""
        self._shell.main.unread.discard(mission)
        if mission in self._shell.fleet.rows and not self._shell.read_only:
            self._shell.fleet.saw(mission)
            self._shell.request("seen", [{"id": mission}], lambda _answers: None)
