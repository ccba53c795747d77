"""What the person sees of a mission's newest lines, and that what was seen is no news any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp


class Eyes:
    """Looks once a second: what was in view twice has been seen."""

    def __init__(self, app: OvermindApp) -> None:
        self._app = app
        self.rested: str | None = None
        """The mission that was in view at the last look."""

    @property
    def view(self) -> str | None:
        """The mission whose newest lines a person sees now."""
        app, main = self._app, self._app.main
        if not app.app_focus:
            return None
        if main.terminal_side.is_open:
            return main.terminal_side.stay.mission if main.terminal_side.stay.in_sight else None
        return main.log_view.mission if app.top is main and main.log_view.display and main.log_view.following else None

    def look(self) -> None:
        """A second went by."""
        row, before = self._app.fleet.of(self.view), self.rested
        self.rested = None if row is None else row["id"]
        if row is not None and before is not None and row["id"] == before and row.get("unseen"):
            self._saw(before)
            self._app.main.rearrange()
        elif before is not None and before in self._app.main.log_side.news and self.rested != before:
            self._saw(before)

    def _saw(self, mission: str) -> None:
        """Somebody has seen all that the mission did so far."""
        self._app.main.log_side.news.discard(mission)
        if mission in self._app.fleet.rows and not self._app.read_only:
            self._app.fleet.saw(mission)
            self._app.request("seen", [{"id": mission}], lambda _answers: None)
