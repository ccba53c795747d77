"""What happened: what came and was flashed since the program began, and before that what the supervisor still knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from overmind_core.client.client import Client
from overmind_core.client.stream import follow
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.table import TablePage
from overmind_tui.render import tables
from overmind_tui.render.cells import Row
from overmind_tui.shell.messages import Done
from overmind_tui.shell.registry import View

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

EARLIER = 2000
"""Events before the program's own that are asked for."""


def open_events(app: OvermindApp, view: View, show: Show) -> None:
    """Open the page of events."""
    app.open(EventsPage(view, show))


class EventsPage(TablePage):
    """A table of events, of which none is asked for twice."""

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show)
        self._earlier: Sequence[Row] = ()

    def begin(self) -> None:
        """What we know, at once; what was before, when it came."""
        super().begin()
        program = self.program
        known = program.news.oldest

        def work() -> None:
            found = earlier(program.home, known)
            program.post_message(Done(lambda: self._came_earlier(found)))

        self.run_worker(work, thread=True, exit_on_error=False)

    def _came_earlier(self, found: Sequence[Row]) -> None:
        self._earlier = found
        if self.is_attached:
            self.ask()

    def ask(self) -> None:
        """The program itself is told of each event."""
        first = self.program.news.oldest
        before = [one for one in self._earlier if first is None or one["seq"] < first]
        known = [*before, *self.program.news.events, *self.program.notice.kept]
        self.take(tables.events(sorted(known, key=lambda one: str(one["at"])), self.program.zone))


def earlier(home: Home, first: int | None) -> list[Row]:
    """Up to `EARLIER` events before the number `first` (None: before now); none where nobody answers. Blocks."""
    client = Client(home)
    try:
        end = first if first is not None else int(client.call("logs", {"ids": []})["seq"]) + 1
        request = ("events", {"since": max(0, end - 1 - EARLIER)})
        found = [item for kind, item in follow(client, lambda: request) if kind == "item"]
    except (OvermindError, OSError):  # older ones are gone, or nobody is there
        return []
    finally:
        client.close()
    return [one for one in found if one["seq"] < end]
