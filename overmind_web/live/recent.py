"""The newest events, for panes that show what happened: asked for once, then followed."""

from __future__ import annotations

from collections.abc import Sequence

from overmind_core.errors import OvermindError
from overmind_core.view.cells import Row
from overmind_web.live.feed import Change
from overmind_web.live.pane import PaneContext


class RecentEvents:
    """The newest events of a pane; none is asked for twice, and none that comes meanwhile is missed.

    Args:
        context: Of the pane.
        earlier: Events before the newest that are asked for.
        most: Events that are kept.
    """

    def __init__(self, context: PaneContext, *, earlier: int, most: int) -> None:
        self._context = context
        self._earlier, self._most = earlier, most
        self._events: list[Row] | None = None
        """The oldest first; None: they are to be asked for."""
        self._meanwhile: list[Row] = []
        """What came while they were asked for."""
        self._asked = 0
        """How often the daemon was reached anew."""

    def take(self, change: Change) -> None:
        """Keep what came; the daemon was reached anew: all is asked for again."""
        if change.everything:
            self._events = None
            self._asked += 1
            return
        came = [dict(one) for one in change.events]
        if self._events is None:
            self._meanwhile += came
            del self._meanwhile[: -self._most]
        else:
            self._events = self._with(self._events, came)

    async def all(self) -> Sequence[Row]:
        """Return them, the oldest first. Raises OvermindError."""
        if self._events is not None:
            return self._events
        asked = self._asked
        self._meanwhile.clear()
        found = self._with(await self._ask(), self._meanwhile)
        if asked == self._asked:
            self._events = found
        return found

    def _with(self, events: list[Row], came: Sequence[Row]) -> list[Row]:
        known = int(events[-1]["seq"]) if events else 0
        return [*events, *(one for one in came if int(one["seq"]) > known)][-self._most :]

    async def _ask(self) -> list[Row]:
        newest = int((await self._context.call("logs", {"ids": []}))["seq"])
        since = max(0, newest - self._earlier)
        stream = self._context.supervisor.stream("events", {"since": since}, by=self._context.by)
        try:
            return [item async for kind, item in stream if kind == "item"]
        except OvermindError as error:
            if error.code != "gone":
                raise
            return []
        finally:
            await stream.aclose()
