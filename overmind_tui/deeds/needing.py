"""The way to whoever needs the person next, from anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_tui.screens.needs import NeedsPage
from overmind_tui.view import asking, needs
from overmind_tui.view.cells import Row
from overmind_tui.view.needs import Key, Need

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp


class Needing:
    """Round and round those that need the person."""

    def __init__(self, app: OvermindApp) -> None:
        self._app = app
        self._last: Key | None = None

    def next_need(self, rows: list[Row]) -> None:
        """Open the page on the next one; the cursor of the main screen goes along."""
        del rows
        app = self._app
        found = needs.needs(app.fleet.rows.values(), app.fleet.questions, app.now())
        need = needs.after(found, self._last)
        if need is None:
            app.flash(asking.NOBODY, "quiet")
            return
        self.went_to(need)
        app.open(NeedsPage(need.key))

    def went_to(self, need: Need) -> None:
        """The person looks at this one: the next is the one behind it."""
        self._last = need.key
        self._app.main.table.select(need.row["id"])
