"""The line that tells a new user what to press next: until it was done once, and never where it would be in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_tui.actions import Context
from overmind_tui.view.coach import Coach

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

COACHED = "coached"
"""Under this name it is remembered which steps were done."""


class Coaching:
    """One person's first steps."""

    def __init__(self, app: OvermindApp) -> None:
        self._app = app
        self._coach = Coach.remembered(app.remembered.get(COACHED, list[str]()))

    def did(self, context: Context, action: str) -> None:
        """The person has done something."""
        before, self._coach = self._coach, self._coach.did(context, action)
        if self._coach.done != before.done:
            self._app.remember(**{COACHED: sorted(self._coach.done)})

    def end(self) -> None:
        """The person needs none."""
        self._coach = Coach.over()

    def line(self, context: Context) -> str:
        """What to press next; "" when there is nothing to say, or nothing to try it on."""
        app = self._app
        wanted = app.settings.coach and not app.read_only and bool(app.fleet.rows)
        return self._coach.line(context) if wanted else ""
