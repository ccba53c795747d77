"""Quests, rituals, and the runs of a ritual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from overmind_core.errors import OvermindError
from overmind_tui import registry
from overmind_tui.registry import View
from overmind_tui.screens.reveal import log_of
from overmind_tui.screens.tablepage import TablePage
from overmind_tui.screens.text import TextPage
from overmind_tui.view import scheduled
from overmind_tui.view.cells import Row, safe
from overmind_tui.view.command import Show
from overmind_tui.view.description import Lines, Look

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

Answers = Sequence[Any | OvermindError]


def open_quests(app: OvermindApp, view: View, show: Show) -> None:
    """The quests, the newest first."""
    app.open(QuestsPage(view, show))


def open_rituals(app: OvermindApp, view: View, show: Show) -> None:
    """The rituals, by name."""
    app.open(RitualsPage(view, show))


class SchedulePage(TablePage):
    """Rows that are no missions, but began some.

    Attributes:
        about: The request that tells all about a row; "" where the row says all.
        said: All about a row, for reading.
    """

    about = ""
    said: ClassVar[staticmethod[[Row, Look], Lines]]

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return None if self.table.current is None else self.table.current.row

    def show_log(self, mission: str | None, without: str) -> None:
        """The log of what the row began; `without` is said where it began nothing."""
        if self.current is not None:
            name = safe(self.current["name"])
            log_of(self.program, mission, f"the mission of {name} was removed" if mission else f"{name} {without}")

    def do_describe_row(self) -> None:
        """Everything known about the row under the cursor."""
        row = self.current
        if row is None:
            return
        if not self.about:
            self._describe(row)
            return

        def told(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                self.program.flash(safe(answer.message), "bad")
            else:
                self._describe(answer)

        self.program.request(self.about, [{"id": row["id"]}], told)

    def _describe(self, known: Row) -> None:
        app, said = self.program, type(self).said
        title = f"{self.view} · {safe(known['name'])}"
        app.open(TextPage(self.view, title, lambda: said(known, Look(app.now(), app.zone, app.ascii_only))))


class QuestsPage(SchedulePage):
    """A row for each quest."""

    about = "quest"
    said = staticmethod(scheduled.quest)

    def do_quest_log(self) -> None:
        """What its work wrote."""
        if self.current is not None:
            self.show_log(self.current["id"], "")

    def do_check_log(self) -> None:
        """What its newest check wrote."""
        if self.current is not None:
            self.show_log(self.current["check_id"], "was not checked so far")


class RitualsPage(SchedulePage):
    """A row for each ritual."""

    about = "ritual"
    said = staticmethod(scheduled.ritual)

    def do_history(self) -> None:
        """The runs of the one under the cursor."""
        if self.current is not None:
            self.program.open(RunsPage(registry.RUNS, Show(registry.RUNS.name), self.current))

    def do_last_log(self) -> None:
        """What its newest run wrote."""
        if self.current is not None:
            self.show_log(self.current["last_id"], "never ran")


class RunsPage(SchedulePage):
    """A row for each run of a ritual, and for each time of which none came.

    Args:
        view: The row of the registry.
        show: What was asked for.
        ritual: The row of the ritual.
    """

    said = staticmethod(scheduled.run)

    def __init__(self, view: View, show: Show, ritual: Row) -> None:
        super().__init__(view, show)
        self._ritual = ritual["id"]
        self.crumbs = ("missions", "rituals", safe(ritual["name"]))

    @property
    def arguments(self) -> Mapping[str, Any]:
        """About which ritual is asked."""
        return {"id": self._ritual}

    def do_run_log(self) -> None:
        """What it wrote."""
        if self.current is not None:
            self.show_log(self.current["mission"], "never began")
