"""What is known about a mission, what it is, and what changed in its folder: each on a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_tui.changes.page import ChangesPage
from overmind_tui.command_line import jobs
from overmind_tui.missions import rows as missions_rows
from overmind_tui.missions.actions_start import PROGRAM
from overmind_tui.pages.text import TextPage
from overmind_tui.render.cells import Row, safe
from overmind_tui.shell import settings, updates

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp


class Looking:
    """What changes nothing."""

    def __init__(self, app: OvermindApp) -> None:
        self._app = app

    def attach(self, rows: list[Row]) -> None:
        """Type into the terminal of the first; read-only: look at it."""
        if not missions_rows.is_live(rows[0]):
            name, mark = safe(rows[0]["name"]), missions_rows.mark(rows[0]).word
            self._app.flash(f"{name} is {mark}: r starts it again, l shows its log", "slow")
            return
        self._app.to_root()
        self._app.main.terminal_side.join(rows[0])

    def describe(self, rows: list[Row]) -> None:
        """Everything that is known of the first."""
        updates.described(self._app, rows[0])

    def changes(self, rows: list[Row]) -> None:
        """What changed in its folder."""
        self._app.open(ChangesPage(self._app.fleet.of(rows[0]["id"]) or rows[0]))

    def as_toml(self, rows: list[Row]) -> None:
        """Its definition, as `overmind edit` would have it."""
        app, row = self._app, rows[0]

        def told(outcome: jobs.Outcome) -> None:
            if outcome.code:
                app.flash(safe(outcome.text.strip()), "bad")
                return
            shown = settings.lines(outcome.text)
            app.open(TextPage("toml", f"definition · {safe(row['name'])}", lambda: shown))

        app.commands.runs.jobs.start("definition", [[*PROGRAM, "edit", row["id"], "--print"]], told)
