"""The page of the health of missions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from overmind_core.view import health as health_rows
from overmind_core.view import hints
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.registry import View
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.details import DetailsPage
from overmind_tui.timeline.page import show_timeline

if TYPE_CHECKING:
    from overmind_core.view.actions import Context
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell


def open_health(shell: Shell, view: View, show: Show) -> None:
    """The health of all missions that run."""
    shell.open(HealthPage(view, show))


class HealthPage(DetailsPage):
    """A row for each mission that is watched."""

    lines_of = staticmethod(health_rows.description)

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show)
        self._summary = ""
        self._learned: tuple[int, Sequence[Row]] = (-1, ())
        """What was known when it was noted in the rows: how often the fleet had changed, and the questions."""

    def take(self, rows: list[Row]) -> None:
        """Show the missions of the answer."""
        (answer,) = rows
        self._summary = health_rows.summary(answer["coherence"])
        found = health_rows.listed(answer, self.shell.fleet.rows, self.shell.now())
        self._learn(found)
        super().take(found)

    def _learn(self, rows: Sequence[Row]) -> None:
        fleet = self.shell.fleet
        self._learned = fleet.changes, fleet.questions
        health_rows.learn(rows, fleet.rows, fleet.questions)

    def refresh_status(self) -> None:
        """Questions come and go, and agents do something else."""
        fleet = self.shell.fleet
        if self._learned != (fleet.changes, fleet.questions):
            self._learn(self.rows)
        super().refresh_status()

    def looked_in(self, row: Row) -> str:
        """What is seen of a mission."""
        return health_rows.looked_in(row)

    def subtitle(self) -> str:
        """How they go together."""
        return self._summary

    def standing(self) -> Cell:
        """How the one under the cursor is, whole."""
        return Cell("") if self.current is None else Cell(health_rows.standing(self.current), "quiet")

    def targets(self) -> list[Row]:
        """The missions of the rows."""
        return [known for row in self.chosen() if (known := self.shell.fleet.of(row["id"])) is not None]

    def unusable(self) -> frozenset[str]:
        """Also refuses the question where nothing is asked."""
        return super().unusable() | hints.refused({"question": self.has_question()})

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also the log and the timeline of a mission."""
        return super().handlers(context) | {"log": self.do_log, "timeline": self.do_timeline}

    def do_log(self) -> None:
        """What it wrote."""
        if self.current is not None:
            self.shell.main.show_log(self.current["id"], f"{safe(self.current['name'])} was removed")

    def do_timeline(self) -> None:
        """Open its timeline."""
        if self.current is not None:
            show_timeline(self.shell, self.current["id"], self.current["name"])
