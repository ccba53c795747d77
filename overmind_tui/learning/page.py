"""The page of learning: how quests went, above the lessons, which are notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.geometry import Size

from overmind_core.errors import OvermindError
from overmind_core.view import learning as learning_rows
from overmind_core.view import notes as notes_rows
from overmind_core.view.cells import Cell, Row
from overmind_core.view.registry import View
from overmind_tui.command_line.parse import Show
from overmind_tui.notes.asking import folder
from overmind_tui.notes.note_page import open_note
from overmind_tui.pages.table import TablePage
from overmind_tui.widgets.lines import Lines

if TYPE_CHECKING:
    from overmind_core.view.actions import Context
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell

Answers = Sequence[Any | OvermindError]
FEWEST = 12
"""Lines of a screen below which lessons have all of it."""


def open_learn(shell: Shell, view: View, show: Show) -> None:
    """How quests went by what is named, and the lessons."""
    shell.open(LearnPage(view, show))


class LearnPage(TablePage):
    """A row for each lesson of the folder; above them a line for each group of quests."""

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show)
        self._by = self.way or learning_rows.GROUPS[0]
        self._groups: Sequence[Row] = ()
        self.way_here = ("missions", "learn")

    def compose_body(self) -> ComposeResult:
        """Groups between the header and the lessons."""
        self.groups = Lines(self._group_lines, id="groups")
        yield self.groups
        yield from super().compose_body()

    def _group_lines(self, cells: int) -> Sequence[Sequence[Cell]]:
        return learning_rows.group_lines(self._groups, self._by, cells)

    def show_edges(self, size: Size) -> None:
        """Also the groups, where there is room."""
        super().show_edges(size)
        if not self.is_mounted:
            return
        count = len(self._group_lines(size.width))
        self.groups.display = bool(count) and size.height >= FEWEST + count
        self.groups.styles.height = count

    # rows

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The lessons of the folder."""
        return {**super().arguments, "cwd": folder(self.shell)}

    def ask(self) -> None:
        """Ask for the lessons, and for how quests went."""
        if not self.source.asking:
            self._ask_groups()
        super().ask()

    def _ask_groups(self) -> None:
        by = self._by

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                self.refused(answer.message)
            elif self.is_attached and by == self._by:
                self._groups = answer["groups"]
                self.show_edges(self.app.size)
                self.groups.refresh()
                self.rearrange()

        self.shell.request("learn", [{"by": by}], on_result)

    def take(self, rows: list[Row]) -> None:
        """Show the lessons of the answer."""
        (answer,) = rows
        found = learning_rows.lessons(answer)
        notes_rows.draw_marks(found, ascii_only=self.shell.ascii_only)
        super().take(found)

    def settings_changed(self) -> None:
        """Marks may be drawn otherwise."""
        notes_rows.draw_marks(self.rows, ascii_only=self.shell.ascii_only)
        super().settings_changed()

    def _empty(self) -> tuple[str, ...]:
        """Where quests went well so far there are no lessons."""
        found = super()._empty()
        if self._loaded and not self.rows and self._groups:
            return (
                "No lessons yet.",
                "An attempt that passes after one that failed proposes one.",
                "y   accepts it here",
            )
        return found

    def looked_in(self, row: Row) -> str:
        """What is seen of a lesson."""
        return notes_rows.looked_in(row)

    def subtitle(self) -> str:
        """What a person is to do."""
        proposed = sum(row["state"] == "proposed" for row in self.rows)
        return f"{proposed} proposed: y accept · ctrl-d forget" if proposed else ""

    # keys

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also all about a lesson, and another way to group quests."""
        return super().handlers(context) | {"open-note": self.do_open, "group-by": self.do_group_by}

    def do_open(self) -> None:
        """All about the lesson under the cursor."""
        if self.table.current is not None:
            open_note(self.shell, self.table.current.id)

    def do_group_by(self) -> None:
        """By type, by provider, by model, by spec, and by type again."""
        kinds = learning_rows.GROUPS
        self._by = kinds[(kinds.index(self._by) + 1) % len(kinds)]
        self._ask_groups()
