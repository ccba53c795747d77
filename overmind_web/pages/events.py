"""What happened: the event log as a table, of all missions or of one; the newest stands first."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from overmind_core.view import tables
from overmind_core.view.cells import Row, safe
from overmind_web.live.feed import Change
from overmind_web.live.messages import Open
from overmind_web.live.pane import PaneContext, Rows, TablePane
from overmind_web.live.recent import RecentEvents

EARLIER = 2_000
"""Events before the newest that are shown."""
MOST = 10_000
"""Events that are kept for a page that stays open."""


class EventsPane(TablePane):
    """The newest events, followed: none is asked for twice.

    Args of the page: `mission`, an id or null; `filter`, words that all have to stand in an event.
    """

    def __init__(self, context: PaneContext, opened: Open) -> None:
        super().__init__(context, opened)
        self._events = RecentEvents(context, earlier=EARLIER, most=MOST)

    def concerns(self, change: Change) -> bool:
        """Whether it may show something else; keeps what came."""
        self._events.take(change)
        return change.everything or bool(change.events)

    async def load(self) -> Rows:
        """Return those that are meant; `among` how many of the newest they were looked for, 0: among all."""
        events = tables.events(await self._events.all(), now=time.time())
        found = {str(row["id"]): row for row in reversed(meant(events, self.args))}
        older = bool(events) and events[0]["seq"] > 1
        return Rows(list(found), lambda one: line(found[one]), {"among": EARLIER if older else 0})


def meant(rows: Sequence[Row], args: dict[str, Any]) -> list[Row]:
    """Events of the named mission that hold each word of the filter, whatever their case. Pure."""
    mission, text = args.get("mission"), args.get("filter")
    words = text.casefold().split() if isinstance(text, str) else []
    found = [row for row in rows if not mission or row.get("mission") == mission]
    if not words:
        return found
    return [row for row in found if all(word in tables.looked_in(row).casefold() for word in words)]


def line(row: Row) -> list[object]:
    """One event as a row of the page, with its day unless that is today. Pure."""
    said = {name: value for name, value in row.items() if name != "day"}
    shown = {column.key: column.cell(said if column.key == "said" else row, 0.0) for column in tables.EVENTS}
    cells = [(key, shown[key].text, shown[key].tone) for key in ("day", "at", "type", "mission", "said")]
    return ["", "events", safe(row["name"]), False, cells, {"mission": row.get("mission")}]
