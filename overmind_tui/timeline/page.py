"""The page of a timeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from overmind_core.domain.engine_questions import concerned, concerns, is_gate
from overmind_core.view import hints, registry
from overmind_core.view import missions as missions_rows
from overmind_core.view import quests as quests_rows
from overmind_core.view import timeline as timeline_rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.describe import Lines
from overmind_core.view.registry import View
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.details import DetailsPage

if TYPE_CHECKING:
    from overmind_core.view.actions import Context
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell

HANG = 4
"""Cells from the left where a long line of a reason goes on."""


def open_timeline(shell: Shell, view: View, show: Show) -> None:
    """The timeline of the quest, spec or mission that is named, else of the selected mission."""
    selected = next(iter(shell.main.targets()), None)
    if show.words:
        word = show.words[0]
        shell.open(TimelinePage(view, show, word, word))
    elif selected is not None:
        shell.open(TimelinePage(view, show, selected["id"], selected["name"]))
    else:
        shell.flash("no quest, spec or mission is named: :timeline NAME shows what happened to it", "slow")


def show_timeline(shell: Shell, subject: str, name: str) -> None:
    """The timeline of one over what is open."""
    view = registry.VIEWS["timeline"]
    shell.open(TimelinePage(view, Show(view.name), subject, name))


class TimelinePage(DetailsPage):
    """A row for each thing that happened, the newest last.

    Args:
        view: The row of the registry.
        show: What was asked for.
        subject: The id of a quest, a spec or a mission, or its name.
        name: Its name.
    """

    def __init__(self, view: View, show: Show, subject: str, name: str) -> None:
        super().__init__(view, show)
        self._subject = subject
        self._name_of = name
        self.way_here = ("missions", "timeline", safe(name))

    @property
    def arguments(self) -> Mapping[str, Any]:
        """About what is asked."""
        return {"id": self._subject}

    @property
    def counted(self) -> str:
        """How many rows there are; of a run that is not the newest of its name that it is older, before that."""
        rows = self.shell.fleet.rows
        older = missions_rows.older_than_named(self._subject, rows, self.shell.zone)
        if not older:
            return super().counted
        return f"{older}, see :timeline {safe(rows[self._subject]['name'])} · {super().counted}"

    def missions_changed(self) -> None:
        """There may be a newer run, or that stands otherwise."""
        self.retitle()

    def take(self, rows: list[Row]) -> None:
        """Show them with the person's clock."""
        super().take(timeline_rows.rows(rows, self.shell.zone, self.shell.now()))

    def looked_in(self, row: Row) -> str:
        """What is seen of a row."""
        return timeline_rows.looked_in(row)

    def chosen(self) -> list[Row]:
        """Who it is about, whatever the cursor is on: by the id that questions name, where there are any."""
        named = {self._subject, self._name_of}
        asked = (
            next((id_ for id_ in concerned(one) if id_ in named), one["id"])
            for one in self.shell.fleet.questions
            if concerns(one, named) or one["name"] in named or any(is_gate(one, name) for name in named)
        )
        return [{"id": next(asked, self._subject), "name": self._name_of}]

    def targets(self) -> list[Row]:
        """Its mission, as far as it is one or has one."""
        known = self.shell.fleet.named(self._subject)
        return [] if known is None else [known]

    def hinted_rows(self) -> list[Row]:
        """The row that it is about, with all that is known of its mission."""
        return [{**known, **one} for one in self.chosen() for known in (*self.targets(), {})[:1]]

    def unusable(self) -> frozenset[str]:
        """Also its question, where nothing is asked, and its log, where it has no mission."""
        rows, has_row = self.hinted_rows(), self.table.current is not None
        usable = {"question": self.has_question(), "quest-log": any("status" in row for row in rows)}
        refused = hints.unusable(rows, self.shell.fleet.asked, self.context, has_row=has_row)
        return refused | hints.refused(usable)

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also why it waits, and its log."""
        return super().handlers(context) | {"why": self.do_why, "quest-log": self.do_log}

    def do_why(self) -> None:
        """Why it waits, where it is a quest."""
        quest = {"id": self._subject, "name": self._name_of}
        self.fetch("quest_why", quest, lambda answer: self._read_why(quest, quests_rows.why_text(answer)))

    def _read_why(self, quest: Row, lines: Lines) -> None:
        self.read(quest, lambda: lines, what="why", hang=HANG)

    def do_log(self) -> None:
        """What its mission wrote."""
        mission = next(iter(self.targets()), None)
        name = safe(self._name_of)
        if mission is None:
            self.shell.flash(f"{name} has no mission now, and so no log", "slow")
        else:
            self.shell.main.show_log(mission["id"], f"the mission of {name} was removed")

    def do_describe_row(self) -> None:
        """What happened, whole."""
        self.do_open_row()

    def do_copy(self) -> None:
        """The whole timeline, as it is shown."""
        from overmind_tui.shell import clipboard  # noqa: PLC0415 - only when it is asked for

        count = len(self.rows)
        clipboard.copy(self.shell, self.shown_text(), f"{count} row{'s' * (count != 1)}")
