"""The page of events: those that came and what was flashed since the program began, then what the supervisor kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from overmind_core.client.client import Client
from overmind_core.client.stream import follow
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_core.view import tables
from overmind_core.view.cells import Row
from overmind_core.view.registry import View
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.table import TablePage

if TYPE_CHECKING:
    from overmind_tui.shell.shell import Shell

EARLIER = 2000
"""Events before the program's own that are asked for."""


def open_events(shell: Shell, view: View, show: Show) -> None:
    """Open the page of events."""
    shell.open(EventsPage(view, show))


class EventsPage(TablePage):
    """A table of events, of which none is asked for twice."""

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show)
        self._earlier: Sequence[Row] | None = None
        """Those before the program's own; None: they are asked for."""

    @property
    def is_filling(self) -> bool:
        """Whether the earlier ones are about to come."""
        return self._earlier is None and self.is_new

    def begin(self) -> None:
        """What we know, at once; what was before, when it came."""
        super().begin()
        home, known = self.shell.home, self.shell.fleet.oldest_event

        def work() -> Callable[[], None]:
            found = earlier(home, known)
            return lambda: self._came_earlier(found)

        self.shell.background(work)

    def _came_earlier(self, found: Sequence[Row]) -> None:
        self._earlier = found
        if self.is_attached:
            self.ask()

    def ask(self) -> None:
        """The program itself is told of each event."""
        first = self.shell.fleet.oldest_event
        before = [one for one in self._earlier or () if first is None or one["seq"] < first]
        known = [*before, *self.shell.fleet.events, *self.shell.notice.kept]
        if self._earlier is None and not known:
            return
        in_time = sorted(known, key=lambda one: str(one["at"]))
        self.take(tables.events(in_time, self.shell.zone, now=self.shell.now()))


def earlier(home: Home, first: int | None, most: int = EARLIER) -> list[Row]:
    """Up to `most` events before the number `first` (None: before now); none where nobody answers. Blocks."""
    client = Client(home)
    try:
        end = first if first is not None else int(client.call("logs", {"ids": []})["seq"]) + 1
        request = ("events", {"since": max(0, end - 1 - most)})
        found = [item for kind, item in follow(client, lambda: request) if kind == "item"]
    except (OvermindError, OSError):  # older ones are gone, or nobody is there
        return []
    finally:
        client.close()
    return [one for one in found if one["seq"] < end]
