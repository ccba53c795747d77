"""The page of learning: how quests went, above the lessons; and what keys do to lessons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.geometry import Size

from overmind_core.errors import OvermindError
from overmind_tui.command_line.parse import Show
from overmind_tui.learning import rows as learning_rows
from overmind_tui.pages.details import DetailsPage
from overmind_tui.pages.table import TablePage
from overmind_tui.render.cells import Cell, Row, safe
from overmind_tui.shell.registry import View
from overmind_tui.widgets.lines import Lines

if TYPE_CHECKING:
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.actions import Context
    from overmind_tui.shell.shell import Shell

Answers = Sequence[Any | OvermindError]
FEWEST = 12
"""Lines of a screen below which lessons have all of it."""


def open_learn(shell: Shell, view: View, show: Show) -> None:
    """How quests went by what is named, and the lessons."""
    shell.open(LearnPage(view, show))


class LearnPage(DetailsPage):
    """A row for each lesson; above them a line for each group of quests."""

    lines_of = staticmethod(learning_rows.description)

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show)
        self._by = self.way or learning_rows.GROUPS[0]
        self._groups: Sequence[Row] = ()
        self.crumbs = ("missions", "learn")

    def compose(self) -> ComposeResult:
        """Groups between the header and the lessons."""
        self.groups = Lines(self._group_lines, id="groups")
        head, *rest = super().compose()
        yield head
        yield self.groups
        yield from rest

    def _group_lines(self, cells: int) -> Sequence[Sequence[Cell]]:
        return learning_rows.group_lines(self._groups, self._by, cells)

    def _fold(self, size: Size) -> None:
        super()._fold(size)
        count = len(self._group_lines(size.width))
        self.groups.display = bool(count) and size.height >= FEWEST + count
        self.groups.styles.height = count

    @property
    def arguments(self) -> Mapping[str, Any]:
        """Groups by what, and the lessons."""
        return {"by": self._by, "lessons": True}

    def take(self, rows: list[Row]) -> None:
        """Show the lessons of the answer, and its groups."""
        (answer,) = rows
        self._groups = answer["groups"]
        self._fold(self.app.size)
        self.groups.refresh()
        super().take(learning_rows.lessons(answer))

    def _empty(self) -> tuple[str, ...]:
        """Where quests went well so far there are no lessons."""
        found = super()._empty()
        if self._loaded and not self.rows and self._groups:
            return ("No lessons yet.", "An attempt that passes after one that failed proposes one: y accepts it here")
        return found

    def looked_in(self, row: Row) -> str:
        """What is seen of a lesson."""
        return learning_rows.looked_in(row)

    def subtitle(self) -> str:
        """What a person is to do."""
        proposed = sum(row["state"] == "proposed" for row in self.rows)
        return f"{proposed} proposed: y accept · ctrl-d drop" if proposed else ""

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also another way to group quests."""
        return super().handlers(context) | {"group-by": self.do_group_by}

    def do_group_by(self) -> None:
        """By type, by provider, by model, by spec, and by type again."""
        kinds = learning_rows.GROUPS
        self._by = kinds[(kinds.index(self._by) + 1) % len(kinds)]
        self.source.ask_again()


class LessonActions:
    """Decides on lessons."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "accept-lesson": lambda rows: self._decide(rows, "accepted"),
            "drop-lesson": lambda rows: self._decide(rows, "dropped"),
        }

    def _decide(self, rows: list[Row], state: str) -> None:
        """Accept these, or drop them; nothing is lost by either, and both can be changed later."""
        wanted = [row for row in rows if row["state"] != state or row["rests"]]
        if not wanted:
            self._shell.flash(f"{rows[0]['id']} is {state} already", "slow")
            return

        def on_result(answers: Answers) -> None:
            refused = [one for one in answers if isinstance(one, OvermindError)]
            if refused:
                self._shell.flash(safe(refused[0].message), "bad")
            else:
                name = wanted[0]["id"] if len(wanted) == 1 else f"{len(wanted)} lessons"
                then = "quests that are about the same read it" if state == "accepted" else "y takes it back"
                self._shell.flash(f"{state} {name} · {then}", "good")
            page = self._shell.app.screen
            if isinstance(page, TablePage):
                page.source.ask_again()

        self._shell.request("learn_set", [{"lesson": row["id"], "state": state} for row in wanted], on_result)
