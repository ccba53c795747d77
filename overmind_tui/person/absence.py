"""Whoever comes back after a while is told what happened meanwhile: the event log knows it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from overmind_core.client.calls import Client
from overmind_core.client.stream import follow
from overmind_core.domain.moment import format_time
from overmind_core.errors import OvermindError
from overmind_tui.messages import Done
from overmind_tui.view import meanwhile
from overmind_tui.view.cells import Row

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

LONG = 300.0
"""Seconds after which somebody was away."""
DAY = 86_400.0
NOTED = 60.0
"""Seconds between two notes that somebody is here."""


class Absence:
    """Knows since when nobody was here; `said` is what happened since, once that is known."""

    def __init__(self, app: OvermindApp) -> None:
        self._app = app
        self.since = app.remembered.get("used_at", 0.0)
        self._seq = app.remembered.get("used_seq", 0)
        self._noted = app.now()
        self.said = ""
        self.fresh = True
        """Whether no key was pressed yet."""

    def answers(self, action: str) -> bool:
        """Whether this key, the first one, asks what happened; it is then said no more."""
        asked = bool(self.said) and self.fresh and action == "open"
        self.fresh = False
        if asked:
            self.said = ""
        return asked

    @property
    def was_long(self) -> bool:
        """Whether anybody ever was here, and has been away since."""
        return 0.0 < self.since < self._app.now() - LONG

    def look(self) -> None:
        """Find out what happened meanwhile."""
        if self.was_long:
            self._app.run_worker(self._ask, thread=True, exit_on_error=False)

    def note(self) -> None:
        """Somebody is here: remember it now and then."""
        if self._app.now() - self._noted > NOTED:
            self.leave()
            self._app.remember()

    def leave(self) -> None:
        """Somebody was here until now."""
        self._noted = self._app.now()
        self._app.remembered.put(used_at=self._noted, used_seq=max(self._app.feed.reached, self._seq))

    def _ask(self) -> None:
        client = Client(self._app.home)
        try:
            events = [item for kind, item in follow(client, self._request) if kind == "item"]
            costs = client.call("cost", {"by": "mission", "since": format_time(self.since)})
            rows = client.call("ps", {"all": True})
        except OvermindError:  # nobody has supervised since: nothing happened
            return
        finally:
            client.close()
        cost = sum(one["cost_usd"] for one in costs)
        self._app.post_message(Done(lambda: self._told(events, rows, cost)))

    def _request(self) -> tuple[str, dict[str, object]]:
        return "events", {"since": self._seq}

    def _told(self, events: list[Row], rows: list[Row], cost: float) -> None:
        self.said = meanwhile.sentence(events, rows, cost, since=self._when())
        self._app.main.changed_connection()

    def _when(self) -> str:
        """The time of the day; before that, the day."""
        then = time.localtime(self.since)
        return time.strftime("%H:%M" if self._app.now() - self.since < DAY else "%d %b %H:%M", then)
